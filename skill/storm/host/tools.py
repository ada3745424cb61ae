"""Node and esbuild for the runner: what a machine has, or what is installed once.

TypeScript is turned into what Node runs by esbuild, of one version, which npm installs into
the user's cache on first use; that once, the network is used, and it is said. The bot's own
esbuild is not taken unasked: it is a program of the bot's, and may start others.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from skill.errors import SkillgenError

ESBUILD = "0.27.7"
LEAST_NODE = 20
# A checkout whose `make setup` has run has the tests' tools.
CHECKOUT_TOOLS = Path(__file__).resolve().parents[3] / ".cache" / "node-tools"
INSTALL_S = 180.0


def require_node() -> str:
    """The Node.js to run with. Raises SkillgenError where it is missing or too old."""
    node = shutil.which("node")
    found = ""
    if node is not None:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"v(\d+)\.", done.stdout)
        if version and int(version[1]) >= LEAST_NODE:
            return node
        found = f", this one is {done.stdout.strip() or 'broken'}"
    raise SkillgenError(
        f"simulate runs a TypeScript or JavaScript bot with Node.js {LEAST_NODE} or later{found}; "
        "install it (apt install nodejs npm, dnf install nodejs, brew install node)"
    )


def esbuild_folder(given: Path | None, say: Callable[[str], None]) -> Path:
    """A folder whose node_modules holds esbuild, by preference one that is there already.

    say: told in one line when npm is about to use the network. Raises SkillgenError.
    """
    if given is not None:
        if not _holds_esbuild(given):
            raise SkillgenError(
                f"{given}: no node_modules/esbuild in it; npm install esbuild there"
            )
        return given
    cache = cache_folder() / f"esbuild-{ESBUILD}"
    for folder in (CHECKOUT_TOOLS, cache):
        if _holds_esbuild(folder):
            return folder
    _install(cache, say)
    return cache


def _holds_esbuild(folder: Path) -> bool:
    return (folder / "node_modules" / "esbuild" / "package.json").is_file()


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "skillgen"


def _install(target: Path, say: Callable[[str], None]) -> None:
    """Install into a new folder and move it into place, so that it is whole or not there."""
    otherwise = "or name a folder that has it: --node-tools FOLDER (the bot's own may do)"
    npm = shutil.which("npm")
    if npm is None:
        raise SkillgenError(
            f"simulate needs esbuild, and npm to install it; install npm, {otherwise}"
        )
    say(f"installing esbuild {ESBUILD} into {target} with npm (once; this uses the network) …")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="esbuild-", dir=target.parent) as made:
            folder = Path(made) / "tools"
            folder.mkdir()
            package = {"private": True, "dependencies": {"esbuild": ESBUILD}}
            (folder / "package.json").write_text(json.dumps(package), "utf-8")
            words = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                [*words, "--loglevel=error"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
            if done.returncode or not _holds_esbuild(folder):
                lines = [line for line in done.stderr.splitlines() if line.strip()]
                reason = lines[0].strip() if lines else f"status {done.returncode}"
                raise SkillgenError(
                    f"npm cannot install esbuild ({reason}); try again, {otherwise}"
                )
            if not _holds_esbuild(target):
                folder.rename(target)
    except subprocess.TimeoutExpired:
        raise SkillgenError(f"npm does not answer; try again, {otherwise}") from None
    except OSError as error:
        raise SkillgenError(f"{target}: cannot be made ({error.strerror}); {otherwise}") from error
