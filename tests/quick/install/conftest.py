"""A host's folder and the command line in-process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill import cli


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Skillgen = Callable[..., Outcome]
Content = dict[str, tuple[bytes, int]]


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str]) -> Skillgen:
    def call(*arguments: object) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """With a skill of its own, which nothing may touch."""
    root = tmp_path / "a host"
    (root / ".claude/skills/setup").mkdir(parents=True)
    (root / ".claude/skills/setup/SKILL.md").write_text("---\nname: setup\n---\n")
    (root / "deploy").mkdir()
    (root / "deploy/bot.service").write_text(
        "[Unit]\nDescription=Bot\n\n[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
    )
    return root


def content_of(root: Path) -> Content:
    """Files with their modes, and folders, the state folder included."""
    return {
        path.relative_to(root).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mode,
        )
        for path in sorted(root.rglob("*"))
    }
