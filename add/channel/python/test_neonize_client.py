"""What this bot relies on; the module that is imported here says why."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
import time
import types
from pathlib import Path
from typing import Any

import pytest

from add.channel.python.neonize_client import (
    dial,
    dial_sync,
    hang_up,
    hear,
    heard,
    next_turn_sync,
    serve,
    session_of,
)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, none of which takes any time."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def its_turn(gate: Any) -> Any:
    """Its turn, for a thread or for asyncio: as this bot has it."""
    sync = getattr(gate, "turn_sync", None)
    wait = getattr(gate, "turn", None)
    return sync() if sync else wait and asyncio.run(wait())


class Connected:
    pass


class LoggedOut:
    Reason = 2


class TemporaryBan:
    Expire = 7200


class Disconnected:
    pass


class Client:
    """As much of neonize's client as the module uses."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: dict[str, Any] = {}
        self.stopped = 0

    def event(self, kind: Any) -> Any:
        def register(handler: Any) -> None:
            self.handlers[kind.__name__] = handler

        return register

    def connect(self) -> None:
        pass

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """whatsmeow's, as far as it is read here."""
    file = tmp_path / "session.db"
    connection = sqlite3.connect(file)
    connection.execute(
        "CREATE TABLE whatsmeow_device (jid TEXT, registration_id BIGINT)",
    )
    connection.execute("INSERT INTO whatsmeow_device VALUES ('1:1@s', 7)")
    connection.commit()
    connection.close()
    return file


def test_a_session_that_was_ended_makes_no_attempt(database: Path) -> None:
    session = session_of(database)
    client = Client(str(database))
    assert its_turn(session)
    assert heard(client, Connected())
    assert not heard(client, LoggedOut())
    assert its_turn(session) == 0
    assert session_of(database) is session
    assert heard(Client("another"), LoggedOut())  # none of ours


def test_without_a_database_nothing_is_written(tmp_path: Path) -> None:
    session = session_of(tmp_path / "new.db")
    assert its_turn(session)
    session.closed(408)
    assert list(tmp_path.iterdir()) == []


def test_a_ban_is_waited_for(database: Path) -> None:
    session = session_of(database)
    assert its_turn(session)
    assert heard(Client(str(database)), TemporaryBan())
    file = database.with_name("session.db-reconnect.json")
    held = json.loads(file.read_text())
    assert held["code"] == "402"
    assert held["notBefore"] / 1000 > time.time() + 7000


def test_a_device_that_is_gone_may_be_linked_again(database: Path) -> None:
    session = session_of(database)
    assert its_turn(session)
    assert not heard(Client(str(database)), LoggedOut())
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM whatsmeow_device")
    connection.commit()
    connection.close()
    assert session.terminal
    assert its_turn(session)  # whoever asks for it now, pairs


@pytest.fixture
def neonize(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stub, whether it is installed or not."""
    events = types.ModuleType("neonize.events")
    kinds = {"ConnectedEv": Connected, "LoggedOutEv": LoggedOut}
    events.__dict__.update(kinds)
    monkeypatch.setitem(sys.modules, "neonize", types.ModuleType("neonize"))
    monkeypatch.setitem(sys.modules, "neonize.events", events)


@pytest.mark.usefixtures("neonize")
def test_events_without_a_handler_are_heard(database: Path) -> None:
    client = Client(str(database))
    assert its_turn(session_of(database))
    hear(client)
    client.handlers["LoggedOut"](client, LoggedOut())
    assert client.stopped == 1
    assert session_of(database).terminal


class Line(Client):
    """A client of which each connect() meets the next one of these."""

    def __init__(self, name: str, *meets: object) -> None:
        super().__init__(name)
        self.meets = list(meets)
        self.dials = 0

    def connect(self) -> None:
        self.dials += 1
        event = self.meets.pop(0)
        if isinstance(event, Exception):
            raise event
        heard(self, Connected())
        heard(self, event)


class AsyncLine(Line):
    async def connect(self) -> None:  # type: ignore[override]
        self.dials += 1

    async def idle(self) -> None:
        self.dials -= 1
        super().connect()


UNREACHED = RuntimeError("failed to dial whatsapp web websocket: no network")


def test_what_fails_or_is_lost_is_connected_again(
    database: Path,
    naps: list[float],
) -> None:
    line = Line(str(database), UNREACHED, Disconnected(), LoggedOut())
    dial_sync(line)
    assert line.dials == 3
    assert line.stopped == 2
    assert 5 + 10 - 2 <= sum(naps) <= 15 + 15 + 2
    dial_sync(line)
    assert line.dials == 3


def test_an_attempt_of_whatsmeow_itself_counts(
    database: Path,
    naps: list[float],
) -> None:
    line = Line(str(database), Disconnected(), UNREACHED, LoggedOut())
    dial_sync(line)
    file = database.with_name("session.db-reconnect.json")
    assert len(json.loads(file.read_text())["attempts"]) == 4
    heard(line, Disconnected())  # before it could be stopped
    assert len(json.loads(file.read_text())["attempts"]) == 5


class KeepAliveTimeout:
    ErrorCount = 4


def test_missed_keepalives_end_the_link_before_whatsmeow_does(
    database: Path,
    naps: list[float],
) -> None:
    line = Line(str(database), KeepAliveTimeout(), LoggedOut())
    dial_sync(line)
    assert line.dials == 2
    file = database.with_name("session.db-reconnect.json")
    assert len(json.loads(file.read_text())["attempts"]) == 2


def test_another_error_of_connect_is_the_bot_s(database: Path) -> None:
    line = Line(str(database), ValueError("no such database"))
    with pytest.raises(ValueError, match="no such database"):
        dial_sync(line)


def test_an_asynchronous_client_is_connected_again(
    database: Path,
    naps: list[float],
) -> None:
    async def bot() -> int:
        line = AsyncLine(str(database), UNREACHED, Disconnected(), LoggedOut())
        await dial(line)
        await serve(line)
        return line.dials

    assert asyncio.run(bot()) == 3
    assert len(naps) == 2


def test_a_loop_of_the_bot_s_own_ends_with_its_session(
    database: Path,
    naps: list[float],
) -> None:
    line = Line(str(database), Disconnected(), LoggedOut())
    while next_turn_sync(line):
        line.connect()
    assert line.dials == 2


def test_a_bot_that_hangs_up_is_not_connected_again(database: Path) -> None:
    line = Line(str(database), UNREACHED)
    threading.Timer(0.2, lambda: hang_up(line)).start()
    dial_sync(line)
    assert line.dials == 1
