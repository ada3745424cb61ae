"""Takes a change back out of a file that has changed since: ``git merge-file``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from skill.errors import SkillgenError


@dataclass(frozen=True, slots=True)
class Merged:
    """content: the result, with conflict markers where ``conflicts`` is not 0."""

    content: bytes
    conflicts: int


def without_git() -> bool:
    return shutil.which("git") is None


def merge(current: bytes, base: bytes, other: bytes, label: str) -> Merged:
    """Carry the step from ``base`` to ``other`` onto ``current``.

    Runs in an empty folder outside any repository, with no configuration of the user, the
    system or the host, so that no setting of a hostile repository runs anything.
    Raises SkillgenError without git.
    """
    git = shutil.which("git")
    if git is None:
        raise SkillgenError("merging needs git; install it, then run the command again")
    with tempfile.TemporaryDirectory(prefix="skillgen-merge-") as folder:
        for name, content in (("current", current), ("base", base), ("other", other)):
            Path(folder, name).write_bytes(content)
        environ = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
        environ |= {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CEILING_DIRECTORIES": str(Path(folder).resolve().parent),
            "LC_ALL": "C",
        }
        labels = ["-L", f"{label} (as it is now)", "-L", "as applied", "-L", "before skillgen"]
        command = [git, "merge-file", "-p", *labels, "current", "base", "other"]
        result = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, check=False, timeout=60
        )
    if result.returncode < 0 or result.returncode > 127:
        # 255: a binary file, or no merge at all.
        return Merged(current, 1)
    return Merged(result.stdout, result.returncode)


_LAYOUT = re.compile(rb"[\s;,'\"`()]+")


def same_but_layout(one: bytes, other: bytes) -> bool:
    """Whether two texts differ only in what a formatter changes: space, quotes, commas."""
    return _LAYOUT.sub(b"", one) == _LAYOUT.sub(b"", other)
