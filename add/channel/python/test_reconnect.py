"""What this bot relies on; the module that is imported here says why."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from add.channel.python.reconnect import Reconnect


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, none of which takes any time."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.fixture
def auth(tmp_path: Path) -> Path:
    folder = tmp_path / "auth"
    folder.mkdir()
    me = {"id": "1:1@s.whatsapp.net"}
    creds = {"registrationId": 1, "me": me, "account": {}}
    (folder / "creds.json").write_text(json.dumps(creds))
    return folder


def memory(auth: Path) -> dict[str, Any]:
    file = auth.with_name("auth-reconnect.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_waits_longer_each_time(auth: Path, naps: list[float]) -> None:
    async def failures() -> None:
        reconnect = Reconnect(auth)
        for _ in range(4):
            attempt = await reconnect.turn()
            assert reconnect.closed(408, attempt)
            assert not reconnect.closed(401, attempt)  # one outcome

    asyncio.run(failures())
    longest = (15, 15, 30)
    for number, step in enumerate((5, 10, 20)):
        assert step - 1 <= naps[number] <= longest[number] + 1


def test_no_attempt_after_a_logout(auth: Path, naps: list[float]) -> None:
    reconnect = Reconnect(auth)
    assert asyncio.run(reconnect.turn())
    reconnect.closed(401)
    assert reconnect.terminal
    assert "401" in reconnect.reason
    again = Reconnect(auth)  # as in a new process
    assert asyncio.run(again.turn()) == 0
    assert again.terminal
    assert naps == []


def test_a_qr_code_for_a_linked_bot_is_not_shown(auth: Path) -> None:
    reconnect = Reconnect(auth)
    attempt = reconnect.turn_sync()
    assert not reconnect.qr(attempt)
    assert reconnect.terminal


def test_a_new_link_ends_a_verdict(auth: Path) -> None:
    reconnect = Reconnect(auth)
    assert reconnect.turn_sync()
    reconnect.closed(401)
    me = {"id": "2:1@s.whatsapp.net"}
    creds = {"registrationId": 2, "me": me, "account": {}}
    (auth / "creds.json").write_text(json.dumps(creds))
    again = Reconnect(auth)
    assert again.turn_sync()


def test_remembers_its_wait_over_a_restart(auth: Path) -> None:
    reconnect = Reconnect(auth)
    assert reconnect.turn_sync()
    reconnect.closed(429)
    assert memory(auth)["notBefore"] / 1000 > time.time() + 290


def test_goes_on_when_an_attempt_is_never_answered(auth: Path) -> None:
    hung: list[bool] = []
    reconnect = Reconnect(auth, hung=lambda: hung.append(True))

    async def never_answered() -> None:
        await reconnect.turn()
        loop = asyncio.get_running_loop()
        loop.call_soon(reconnect._expired, 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reconnect.stop()

    asyncio.run(never_answered())
    assert hung == [True]
    assert memory(auth)["code"] == "deadline"
