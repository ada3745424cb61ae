"""Make the Python environment that the launcher starts skillgen in.

Run by the launcher, before anything is installed, as

    python -I skill/environment.py CHECKOUT FOLDER [--group NAME]

so it uses the standard library only. A stamp, a copy of pyproject.toml written last,
marks an environment as whole; a set-up that was cut short has none and is done
again. Two launchers started at once wait for each other on a lock beside FOLDER.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

STAMP = "skillgen-stamp.toml"
# Settings of the user's pip that would install somewhere else than into the environment.
MISPLACING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON")


class SetupError(Exception):
    """Set-up cannot go on; the message is the one line that the user reads."""


def say(line: str) -> None:
    print(f"skillgen: {line}", file=sys.stderr, flush=True)


def is_ready(folder: Path, pyproject: bytes) -> bool:
    try:
        return (folder / STAMP).read_bytes() == pyproject and (folder / "bin/python").exists()
    except OSError:
        return False


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder``; the kernel frees it should this process be killed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up to finish …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def requirements(pyproject: bytes, groups: list[str]) -> list[str]:
    data = tomllib.loads(pyproject.decode())
    wanted = list(data["project"]["dependencies"])
    for group in groups:
        wanted += data["dependency-groups"][group]
    return wanted


def build(folder: Path, wanted: list[str]) -> None:
    """Make the environment anew. Raises SetupError."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{folder}: the environment cannot be made ({error})") from error
    if not wanted:
        return
    environ = {name: value for name, value in os.environ.items() if name not in MISPLACING}
    command = [str(folder / "bin/python"), "-I", "-m", "pip", "install"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", *wanted]
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if result.returncode:
        log = folder / "pip.log"
        log.write_text(result.stdout + result.stderr)
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with {result.returncode}"
        raise SetupError(f"set-up needs the package index once: {reason} (see {log})")


def set_up(checkout: Path, folder: Path, groups: list[str]) -> None:
    pyproject = (checkout / "pyproject.toml").read_bytes()
    with locked(folder):
        if is_ready(folder, pyproject):
            return
        say(f"setting up {folder} (once, under a minute) …")
        build(folder, requirements(pyproject, groups))
        stamp = folder / f"{STAMP}.new"
        stamp.write_bytes(pyproject)
        stamp.replace(folder / STAMP)


def main(arguments: list[str]) -> int:
    checkout, folder, *rest = arguments
    groups = [name for name in rest if name != "--group"]
    try:
        set_up(Path(checkout), Path(folder).absolute(), groups)
    except (SetupError, OSError) as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("set-up was stopped; the next start begins it again")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
