"""Fixtures of the tests of installed services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skill import cli
from tests.slow.service.rig import Said, make_bot

Skillgen = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return make_bot(tmp_path / "bot")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a stand-in for a program on PATH: a shell script that records its calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def stand_in(name: str, script: str) -> Path:
        calls = tmp_path / f"{name}-calls"
        file = folder / name
        file.write_text(
            f'#!/bin/sh\nPATH=/usr/bin:/bin\nprintf "%s\\n" "$*" >> {calls}\n{script}\n'
        )
        file.chmod(0o755)
        return calls

    return stand_in


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str], bot: Path) -> Skillgen:
    """``skillgen service`` on the bot, in this process."""

    def call(*words: object) -> Said:
        code = cli.run(["service", str(bot), *(str(word) for word in words)])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return call
