"""One start of Node or Bun that loads the guard and nothing else, to see that it does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skill.errors import SkillgenError
from skill.guard import values

PATIENCE = 30
PROGRAM = re.compile(r"(node|nodejs|bun)([\d.]*)$")
ALL = {"require", "import", "dial"}


@dataclass(frozen=True)
class Proof:
    """The report of one start. hooks: those in force, of require, import, dial."""

    program: str
    node: str
    version: str
    hooks: dict[str, str]

    @property
    def text(self) -> str:
        said = f"{self.program} (Node {self.node}) loads the guard {self.version}"
        lacking = sorted(ALL - set(self.hooks))
        if "import" in lacking:
            said += "; it has no hooks for ES modules, so those attempts are limited by destination"
        return said


def find_program(words: Iterable[str], root: Path, search: str | None = None) -> str | None:
    """The Node or Bun that a unit uses, else the one on PATH; never one that lies in the host."""
    named = [word for word in words if PROGRAM.search(Path(word).name)]
    for word in named:
        if is_program(word, root):
            return word
    names = [Path(word).name for word in named] + ["node"]
    found = (shutil.which(name, path=search) or shutil.which(name) for name in names)
    return next((path for path in found if path and is_program(path, root)), None)


def is_program(path: str, root: Path) -> bool:
    if not os.path.isabs(path) or not os.access(path, os.X_OK):
        return False
    real = Path(path).resolve()
    return not real.is_relative_to(root) and not Path(path).is_relative_to(root)


def prove(program: str, guard: Path) -> Proof:
    """Start it once. Raises SkillgenError, with its output, where the guard is not in force."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment["SKILLGEN_GUARD_REPORT"] = "1"
    if Path(program).name.startswith("bun"):
        environment[values.BUN_OPTIONS] = values.bun_option(str(guard))
    else:
        environment[values.NODE_OPTIONS] = values.node_option(str(guard))
    try:
        done = subprocess.run(
            [program, "-e", "0"],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SkillgenError(f"{program}: cannot be started to try the guard ({error})") from None
    try:
        said = json.loads(done.stdout.splitlines()[0])
        return Proof(program, said["node"], said["skillgen"], said["hooks"])
    except (ValueError, LookupError, TypeError):
        line = (done.stderr.strip().splitlines() or [f"exit {done.returncode}, no report"])[0]
        raise SkillgenError(f"{program}: the guard is not in force there: {line}") from None
