"""Where the session of a neonize client is remembered."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from add.channel.python.neonize_client import Session, session_of

ADDRESS = "postgres://bot:hunter2@db.example/wa"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_database_address_is_hashed(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A wait of its session holds over a restart; the password is nowhere."""
    session = Session(ADDRESS)
    with caplog.at_level(logging.INFO):
        assert session.turn_sync()
        session.closed("dial", error=f"failed to dial: {ADDRESS}")
        session.turn_sync(going=lambda: False)
    (file,) = here.rglob("*-reconnect.json")
    assert file.parent == here / ".whatsapp-reconnect"
    assert json.loads(file.read_text())["notBefore"] > 0
    assert "attempt 2 of this hour" in caplog.text
    for text in (caplog.text, file.name, file.read_text()):
        assert "hunter2" not in text
    assert Session(ADDRESS).turn_sync(going=lambda: False) == 0  # it waits


def test_a_database_that_does_not_exist_leaves_no_file(here: Path) -> None:
    session = session_of(here / "no" / "wa.db")
    assert session.turn_sync()
    session.closed(429)
    assert list(here.iterdir()) == []
