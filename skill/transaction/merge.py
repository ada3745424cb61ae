"""Takes a change back out of a file that has changed since: ``git merge-file``."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Merged:
    """content: the result, with conflict markers where ``conflicts`` is not 0."""

    content: bytes
    conflicts: int


def git_program(root: Path) -> str | None:
    """git on PATH; never one that the host itself brings, nor one of the current folder."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    trusted = [
        folder
        for folder in folders
        if os.path.isabs(folder) and not Path(folder).resolve().is_relative_to(root)
    ]
    return shutil.which("git", path=os.pathsep.join(trusted)) if trusted else None


def merge(git: str, current: bytes, base: bytes, other: bytes, label: str) -> Merged:
    """Carry the step from ``base`` to ``other`` onto ``current``.

    Runs in an empty folder outside any repository, with no configuration of the user, the
    system or the host, so that no setting of a hostile repository runs anything.
    """
    with tempfile.TemporaryDirectory(prefix="skillgen-merge-") as folder:
        for name, content in (("current", current), ("base", base), ("other", other)):
            Path(folder, name).touch(0o600)
            Path(folder, name).write_bytes(content)
        environ = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
        environ |= {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CEILING_DIRECTORIES": str(Path(folder).resolve().parent),
            "GIT_DIR": str(Path(folder).resolve() / "none"),
            "LC_ALL": "C",
        }
        labels = ["-L", f"{label} (as it is now)", "-L", "as applied", "-L", "before skillgen"]
        command = [git, "merge-file", "-p", *labels, "current", "base", "other"]
        try:
            result = subprocess.run(
                command, cwd=folder, env=environ, capture_output=True, check=False, timeout=60
            )
        except subprocess.TimeoutExpired:
            return Merged(current, 1)
    if result.returncode < 0 or result.returncode > 127:
        # 255: a binary file, or no merge at all.
        return Merged(current, 1)
    return Merged(result.stdout, result.returncode)
