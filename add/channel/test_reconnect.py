# Added by skillgen 0.0.0 (sha256 of the rest: 0000000000000000)
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

from add.channel.reconnect import (
    BridgeLink,
    Reconnect,
    dial,
    dial_sync,
    hang_up,
    hear,
    heard,
    link_of,
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
    return waits


# skillgen: bridge begins
class Slotted:
    __slots__ = ()


def test_bridge_waits_longer_each_time(naps: list[float]) -> None:
    async def clean_closes() -> None:
        link = BridgeLink()
        for _ in range(7):
            assert await link.turn()
            link.opened()

    asyncio.run(clean_closes())
    steps = [5, 10, 20, 40, 60, 60]
    assert len(naps) == len(steps)
    for number, step in enumerate(steps):
        assert step - 1 <= naps[number] <= step * 1.2 + 1


def test_bridge_delay_is_for_loops_with_a_wait_of_their_own() -> None:
    link = BridgeLink()
    for step in (5, 10, 20, 40, 60, 60):
        assert step <= link.delay() <= step * 1.2
    link.stop()
    link.start()
    assert link.turn_sync()  # at once


def test_an_app_tells_both(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that any open lasts, and the next wait is short again.
    monkeypatch.setitem(BridgeLink.closed.__globals__, "BRIDGE_RESET", 0.0)
    link = BridgeLink()
    told: list[object] = []
    for handler in (link.on_open(told.append), link.on_open()):
        handler("app")
        assert link.delay() <= 6
    assert told == ["app"]


def test_bridge_logout_is_final(naps: list[float]) -> None:
    link = BridgeLink()
    link.logout("logged out on the phone")
    assert link.terminal
    assert link.reason == "logged out on the phone"
    assert asyncio.run(link.turn()) == 0
    assert naps == []


def test_stop_ends_a_wait_and_start_tries_at_once() -> None:
    async def stopped() -> None:
        link = BridgeLink()
        assert await link.turn()
        waiting = asyncio.ensure_future(link.turn())
        await asyncio.sleep(0.01)
        assert await link.turn() == 0  # a second loop does not wait as well
        link.stop()
        assert await waiting == 0
        assert await link.turn() == 0
        link.start()
        assert await link.turn()

    asyncio.run(asyncio.wait_for(stopped(), timeout=4))


def test_a_flag_that_falls_ends_the_wait() -> None:
    async def fallen() -> None:
        link = BridgeLink()
        assert await link.turn()
        flag = threading.Event()
        waiting = link.turn(going=lambda: not flag.is_set())
        asyncio.get_running_loop().call_later(0.01, flag.set)
        assert await waiting == 0

    asyncio.run(asyncio.wait_for(fallen(), timeout=4))


def test_stop_ends_the_wait_of_a_thread() -> None:
    link = BridgeLink()
    stop = threading.Event()
    granted: list[int] = []
    assert link.turn_sync(stop)
    waiting = threading.Thread(
        target=lambda: granted.append(link.turn_sync(stop)),
        daemon=True,
    )
    waiting.start()
    stop.set()
    waiting.join(timeout=4)
    assert granted == [0]


def test_each_channel_has_one_link() -> None:
    for channel in (type("Channel", (), {})(), Slotted()):
        assert link_of(channel) is link_of(channel)
        assert link_of(channel) is not link_of(Slotted())


# skillgen: bridge ends
# skillgen: full profile begins
@pytest.fixture
def auth(tmp_path: Path) -> Path:
    folder = tmp_path / "auth"
    folder.mkdir()
    creds = {"registrationId": 1, "me": {"id": "1:1@s.whatsapp.net"}}
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
    for number, step in enumerate((5, 10, 20)):
        assert step - 1 <= naps[number] <= step * 1.2 + 1


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


# skillgen: full profile ends
# skillgen: neonize begins
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
        def keep(handler: Any) -> None:
            self.handlers[kind.__name__] = handler

        return keep

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
    assert session.turn_sync()
    assert heard(client, Connected())
    assert not heard(client, LoggedOut())
    assert session.turn_sync() == 0
    assert session_of(database) is session
    assert heard(Client("another"), LoggedOut())  # none of ours


def test_without_a_database_nothing_is_written(tmp_path: Path) -> None:
    session = session_of(tmp_path / "new.db")
    assert session.turn_sync()
    session.closed(408)
    assert list(tmp_path.iterdir()) == []


def test_a_ban_is_waited_for(database: Path) -> None:
    session = session_of(database)
    assert session.turn_sync()
    assert heard(Client(str(database)), TemporaryBan())
    file = database.with_name("session.db-reconnect.json")
    held = json.loads(file.read_text())
    assert held["code"] == "402"
    assert held["notBefore"] / 1000 > time.time() + 7000


def test_a_device_that_is_gone_may_be_linked_again(database: Path) -> None:
    session = session_of(database)
    assert session.turn_sync()
    assert not heard(Client(str(database)), LoggedOut())
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM whatsmeow_device")
    connection.commit()
    connection.close()
    assert session.terminal
    assert session.turn_sync()  # whoever asks for it now, pairs


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
    assert session_of(database).turn_sync()
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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of threads, none of which takes any time."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def test_what_fails_or_is_lost_is_dialled_again(
    database: Path,
    quick: list[float],
) -> None:
    line = Line(str(database), UNREACHED, Disconnected(), LoggedOut())
    dial_sync(line)
    assert line.dials == 3
    assert line.stopped == 2
    assert 15 - 2 <= sum(quick) <= 15 * 1.2 + 2
    dial_sync(line)
    assert line.dials == 3


def test_a_dial_of_whatsmeow_itself_counts(
    database: Path,
    quick: list[float],
) -> None:
    dial_sync(Line(str(database), Disconnected(), UNREACHED, LoggedOut()))
    file = database.with_name("session.db-reconnect.json")
    assert len(json.loads(file.read_text())["attempts"]) == 4


class KeepAliveTimeout:
    ErrorCount = 4


def test_missed_keepalives_end_the_link_before_whatsmeow_dials(
    database: Path,
    quick: list[float],
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


def test_an_asynchronous_client_is_dialled_again(
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
    quick: list[float],
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


# skillgen: neonize ends
