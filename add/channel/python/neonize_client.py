"""A neonize client connects to WhatsApp itself; one gate for each database::

    session = session_of(database)
    if not await session.turn():  # 0: no attempt may be made; waits otherwise
        return
    client = NewClient(database)
    hear(client)  # before the bot's own handlers, which take its place
    ...
    if heard(client, event):  # in those handlers; False: leave it as it is
        ...  # connect again

hang_up(client) goes before the bot's own stop(), which ends the wait, too.
What ends with _sync is for threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from add.channel.python.account import Account
from add.channel.python.policy import AUTH, BUDGET

# How whatsmeow numbers the reasons of LoggedOut and ConnectFailure, in Go.
_REASONS = {
    1: "400",
    2: "401",
    3: "402",
    4: "403",
    5: "406",
    6: "405",
    7: "409",
    8: "500",
    9: "501",
    10: "503",
}
_HEARD = (
    "Connected",
    "LoggedOut",
    "ConnectFailure",
    "Disconnected",
    "KeepAliveTimeout",
)
_ENDS = {
    "StreamReplaced": "440",
    "TemporaryBan": "402",
    "ClientOutdated": "405",
}
# Of the messages of a connect() that could not reach WhatsApp.
_UNREACHED = ("failed to dial", "handshake failed")
# Keepalives missed in a row; whatsmeow itself reconnects after some more.
_MISSED = 4


class Session(Account):
    """The gate of a client; its device is in a database of whatsmeow."""

    # Something connects again once the client has been stopped.
    redials = False
    # The link was lost or not reached: it is to be connected again.
    dropped = False
    # WhatsApp has ended the session, and why.
    ended = False
    end = ""
    # How often whatsmeow has reconnected by itself.
    _again = 0

    def start(self) -> None:
        if self._stopped:
            self.ended = False
        super().start()

    def keep(self) -> None:
        self.redials = True
        # One less: whatsmeow connects once more before it can be stopped.
        self._budget = BUDGET - 1

    def lost(self, dialled: bool) -> None:
        """The link is down; dialled: whatsmeow has reconnected by itself."""
        with self._lock:
            if dialled:
                # More than once where the client takes a while to stop.
                self._recall()
                self._again += 1
                key = f"{self._token}-again{self._again}"
                self._memory.attempts[key] = self._now()
                self._save()
            if self._state != "idle":
                self.dropped = True
                self.closed("428")

    def unreached(self, error: Exception) -> bool:
        """Whether a connect() failed because WhatsApp could not be reached."""
        if not any(words in str(error) for words in _UNREACHED):
            return False
        self.dropped = True
        self.closed("dial", error=error)
        return True

    @property
    def connecting(self) -> bool:
        """Whether an attempt runs, or its link is up."""
        return self._state != "idle"

    def over(self, code: str) -> None:
        self.ended, self.end = True, self._reason(code)
        if self.redials and not self.terminal:
            line = f"WhatsApp: {self.end}. The client is stopped."
            self._say("error", line)

    def _grant(self) -> int:
        self.dropped = False
        return super()._grant()

    def _save(self) -> None:
        # None yet, nothing linked: no file beside it, as in tests.
        name = self._credentials
        if "://" in name or os.path.exists(name):
            super()._save()

    def _device(self) -> str:
        return _device(Path(self._credentials))


_SESSIONS: dict[str, Session] = {}
# Go calls the callbacks of a client that was stopped for a while still, and
# neonize frees them with the client, or when it connects again: a crash. And
# what it frees with a client stops the next one of the same name.
_HELD: list[Any] = []
# Held until they are done: the event loop holds tasks only weakly.
_STOPPING: set[asyncio.Future[Any]] = set()


def session_of(database: object, logger: Any = None) -> Session:
    """The gate of the client that keeps its device in ``database``."""
    name = str(database)
    if name not in _SESSIONS:
        _SESSIONS[name] = Session(name, logger=logger)
    return _SESSIONS[name]


def heard(client: Any, event: Any) -> bool:
    """An event of neonize; one that ends the attempts of the client ends it.

    False: the bot must not make another one.
    """
    session = _SESSIONS.get(_name(client))
    if session is None:
        return True
    kind = type(event).__name__.removesuffix("Ev")
    code = ""
    if kind == "Connected":
        session.opened()
    elif kind in ("LoggedOut", "ConnectFailure"):
        code = _REASONS.get(getattr(event, "Reason", 0), "")
        if kind == "LoggedOut" and code not in AUTH:
            code = "401"
        session.closed(code)
    elif kind == "StreamError":
        session.closed(getattr(event, "Code", ""))
    elif kind in _ENDS:
        code = _ENDS[kind]
        left = float(getattr(event, "Expire", 0) or 0)
        session.closed(code, expire=left)
    if kind in ("ConnectFailure", "LoggedOut", *_ENDS):
        session.over(code or "closed")
        _stop(client)
    misses = getattr(event, "ErrorCount", 0)
    missed = kind == "KeepAliveTimeout" and misses >= _MISSED
    if session.redials and (missed or kind == "Disconnected"):
        # whatsmeow would reconnect at once, and each time after that.
        session.lost(dialled=not missed)
        _stop(client)
    # Else whatsmeow reconnects by itself, in this client.
    again = kind != "Disconnected" and not session.redials
    return again and not session.terminal


def dial_sync(client: Any, *settings: Any) -> None:
    """connect(), and again until the client is stopped or its session over."""
    session = _kept(client)
    if session is None:
        client.connect(*settings)
        return
    while not session.ended and session.turn_sync():
        _hold(client)
        try:
            client.connect(*settings)
        except Exception as error:
            if not session.unreached(error):
                raise
        if not session.dropped:
            return


async def dial(
    client: Any,
    *settings: Any,
    through: Callable[[], Any] | None = None,
) -> Any:
    """connect(), once it may; then serve().

    through: the bot's own way to it.
    """
    session = _kept(client)
    if session is None or (not session.ended and await session.turn()):
        _hold(client)
        return await (through() if through else client.connect(*settings))
    return None


async def serve(
    client: Any,
    *settings: Any,
    through: Callable[[], Any] | None = None,
) -> None:
    """idle(), and connect() again, until the client's session is over.

    through: the bot's own way to that.
    """
    session = _SESSIONS.get(_name(client))
    if session is None:
        await client.idle()
        return
    while session.dropped or session.connecting:
        try:
            await client.idle()
        except Exception as error:
            if not session.unreached(error):
                raise
        if not session.dropped or not await session.turn():
            return
        _hold(client)
        await (through() if through else client.connect(*settings))


def next_turn_sync(client: Any) -> bool:
    """For a loop around connect(): waits; False once the loop is to end.

    client: its database, where the loop makes the client.
    """
    session = _kept(client, start=False)
    if session is None:
        return True
    _hold(client)
    return not session.ended and bool(session.turn_sync())


async def next_turn(client: Any) -> bool:
    """next_turn_sync() for asyncio."""
    session = _kept(client, start=False)
    if session is None:
        return True
    _hold(client)
    return not session.ended and bool(await session.turn())


def ready(client: Any) -> None:
    """Before such a loop: attempts are allowed again after a hang_up()."""
    _kept(client)


def disconnected(client: Any) -> bool:
    """Whether the last attempt of a client has come to its end."""
    session = _SESSIONS.get(_name(client))
    return session is not None and not session.connecting


def end_of(client: Any) -> str:
    """Why WhatsApp has ended the session, if it has."""
    session = _SESSIONS.get(_name(client))
    return session.end if session is not None else ""


def hang_up(client: Any) -> None:
    """The bot stops its client: no attempt until it connects again."""
    session = _SESSIONS.get(_name(client))
    if session is not None:
        session.stop()


def _hold(client: Any) -> None:
    held = getattr(client, "_connect_refs", None)
    if held is not None:
        _HELD.append(held)


def _name(client: Any) -> str:
    """A client's database; tests have clients without one."""
    if not isinstance(client, (str, os.PathLike)):
        client = getattr(client, "name", "")
    return str(client)


def _kept(client: Any, start: bool = True) -> Session | None:
    name = _name(client)
    if not name:
        return None
    session = session_of(name)
    session.keep()
    if start:
        session.start()
    return session


def _stop(client: Any) -> None:
    """Ends a client, whose connect() would go on beside the next one's."""
    stop = getattr(client, "stop", None)
    stopping = stop() if stop else None
    if inspect.isawaitable(stopping):
        task = asyncio.ensure_future(stopping)
        _STOPPING.add(task)
        task.add_done_callback(_STOPPING.discard)


def hear(client: Any) -> None:
    """Handlers for what the bot has none for."""
    _HELD.append(client)
    try:
        events = importlib.import_module("neonize.events")
    except ImportError:
        return

    def on_event(current: Any, event: Any) -> None:
        heard(current, event)

    async def on_event_async(current: Any, event: Any) -> None:
        heard(current, event)

    waits = inspect.iscoroutinefunction(getattr(client, "connect", None))
    handler = on_event_async if waits else on_event
    for name in (*_HEARD, *_ENDS):
        kind = getattr(events, f"{name}Ev", None)
        if kind is not None:
            client.event(kind)(handler)


def _device(file: Path) -> str:
    """The linked device in a database of whatsmeow; "" if there is none."""
    if not file.is_file():
        return ""
    address = f"{file.absolute().as_uri()}?mode=ro"
    query = "SELECT jid, registration_id FROM whatsmeow_device ORDER BY jid"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        try:
            rows = connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return ""
            raise
    return json.dumps(rows) if rows else ""
