"""The bot's own bridge, as seen through a WebSocket library: ``websockets`` and its kin.

A dial of the channel file meets what the scenario says; a dial of any other file waits for
ever, so that a second channel neither storms nor ends anything here.

What ``does`` means here: throw: refused; silent: accepted, never answered (websockets gives up
after its ``open_timeout``, 10 s); close: opens, ends ``after_s`` later; open: opens after
``after_s``, ends ``close_after_s`` later. code: 1000 or none is a clean close, 401 the bridge's
word that WhatsApp logged it out and then a clean close, any other a lost connection.
"""

from __future__ import annotations

import asyncio
import errno
import json
from collections import deque
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

from .stubs import Pliable, StandIn
from .world import Process, World

HANDSHAKE_S = 0.05
OPEN_TIMEOUT_S = 10.0
STATUS_AFTER_S = 0.1
CLEAN = (None, 1000, 1001, 401)
# aiohttp's WSMsgType.
CLOSE, CLOSED = 8, 257
LOGGED_OUT = json.dumps({"type": "status", "status": "logged_out"})

WORLD: World = None  # type: ignore[assignment]  # set by play()


class WebSocketException(Exception):
    """Base class, as in websockets."""


class InvalidHandshake(WebSocketException):
    pass


class InvalidStatus(InvalidHandshake):
    pass


class ConnectionClosed(WebSocketException):
    def __init__(self, code: int | None = 1006, reason: str = "") -> None:
        self.code, self.reason = code, reason
        self.rcvd = self.sent = None
        super().__init__(f"received {code}" if code else "no close frame received or sent")


class ConnectionClosedOK(ConnectionClosed):
    pass


class ConnectionClosedError(ConnectionClosed):
    pass


class Frame:
    """aiohttp's WSMessage, for hosts that read frames and not texts."""

    def __init__(self, data: str, type: int = 1) -> None:
        self.type, self.data, self.extra = type, data, None

    def json(self) -> Any:
        return json.loads(self.data)


class Link:
    """One open link; what comes over it and how it ends is settled when it opens."""

    def __init__(self, does: dict[str, Any]) -> None:
        self.process: Process = WORLD.living()
        self.frames: deque[str] = deque()
        self.code: int | None = does["code"]
        self.over = False
        self.lasts: float | None = does["close_after_s"]
        if does["kind"] == "close":
            self.lasts = max(0.0, does["after_s"] - HANDSHAKE_S)
        self.subprotocol = None
        self.remote_address = ("127.0.0.1", 3001)
        WORLD.opened()

    @property
    def open(self) -> bool:
        return not self.over

    @property
    def closed(self) -> bool:
        return self.over

    @property
    def close_code(self) -> int | None:
        return None if not self.over else 1000 if self.code in CLEAN else self.code

    def finish(self) -> None:
        if not self.over:
            self.over = True
            WORLD.closed(self.process)

    def error(self) -> ConnectionClosed:
        if self.code in CLEAN:
            return ConnectionClosedOK(1000)
        return ConnectionClosedError(self.code)


class AsyncLink(Link):
    def __init__(self, does: dict[str, Any]) -> None:
        super().__init__(does)
        self.loop = asyncio.get_running_loop()
        self.waiters: deque[asyncio.Future[None]] = deque()
        if self.code == 401:
            self.loop.call_later(STATUS_AFTER_S, self.say, LOGGED_OUT)
        if self.lasts is not None:
            self.loop.call_later(self.lasts, self.finish)

    def say(self, text: str) -> None:
        if not self.over:
            self.frames.append(text)
            self.rouse()

    def finish(self) -> None:
        super().finish()
        self.rouse()

    def rouse(self) -> None:
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    async def recv(self, *_: Any, **__: Any) -> str:
        while not self.frames:
            if self.over:
                raise self.error()
            waiter = self.loop.create_future()
            self.waiters.append(waiter)
            await waiter
        return self.frames.popleft()

    async def send(self, *_: Any, **__: Any) -> None:
        if self.over:
            raise self.error()

    send_str = send_json = send_bytes = send

    async def close(self, *_: Any, **__: Any) -> None:
        if not self.over:
            self.code = 1000
        self.finish()

    async def ping(self, *_: Any, **__: Any) -> Any:
        done = self.loop.create_future()
        done.set_result(0.0)
        return done

    async def wait_closed(self) -> None:
        while not self.over:
            waiter = self.loop.create_future()
            self.waiters.append(waiter)
            await waiter

    def __aiter__(self) -> AsyncLink:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.recv()
        except ConnectionClosedOK:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> AsyncLink:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class FrameLink(AsyncLink):
    async def receive(self, *_: Any, **__: Any) -> Frame:
        """An end is a frame, too: CLOSE if the peer said so, else CLOSED; nothing is raised."""
        try:
            return Frame(await self.recv())
        except ConnectionClosedOK:
            return Frame("", CLOSE)
        except ConnectionClosed:
            return Frame("", CLOSED)

    async def __anext__(self) -> Any:
        frame = await self.receive()
        if frame.type in (CLOSE, CLOSED):
            raise StopAsyncIteration
        return frame


class Dial:
    """What ``websockets.connect()`` returns: awaited, entered, or iterated without end."""

    kind = AsyncLink

    def __init__(self, uri: Any = "", *_: Any, **options: Any) -> None:
        self.timeout = options.get("open_timeout", OPEN_TIMEOUT_S)
        self.counts = WORLD.is_channel()
        self.link: AsyncLink | None = None

    async def dial(self) -> AsyncLink:
        if not (self.counts or WORLD.is_channel()):
            await asyncio.get_running_loop().create_future()
        does = WORLD.dial()
        if does["kind"] == "throw":
            await asyncio.sleep(does["after_s"])
            raise _refused()
        if does["kind"] == "silent":
            if self.timeout is None:
                await asyncio.get_running_loop().create_future()
            await asyncio.sleep(self.timeout)
            raise TimeoutError("timed out during opening handshake")
        await asyncio.sleep(HANDSHAKE_S if does["kind"] == "close" else does["after_s"])
        self.link = self.kind(does)
        return self.link

    def __await__(self) -> Generator[Any, None, AsyncLink]:
        return self.dial().__await__()

    async def __aenter__(self) -> AsyncLink:
        return await self.dial()

    async def __aexit__(self, *_: object) -> None:
        if self.link is not None:
            await self.link.close()

    async def __aiter__(self) -> Any:
        while True:
            try:
                async with self as link:
                    yield link
            except OSError:
                await asyncio.sleep(3)


class FrameDial(Dial):
    kind = FrameLink


class SyncLink(Link):
    def __init__(self, does: dict[str, Any]) -> None:
        super().__init__(does)
        now = WORLD.now
        self.ends_at = None if self.lasts is None else now + self.lasts
        self.says_at = now + STATUS_AFTER_S if self.code == 401 else None
        self.parking: Any = None

    def recv(self, timeout: float | None = None, *_: Any, **__: Any) -> str:
        scheduler = WORLD.scheduler
        gives_up = None if timeout is None else WORLD.now + timeout
        while not self.over:
            if self.says_at is not None and WORLD.now >= self.says_at:
                self.says_at = None
                return LOGGED_OUT
            if self.ends_at is not None and WORLD.now >= self.ends_at:
                self.finish()
                break
            if gives_up is not None and WORLD.now >= gives_up:
                raise TimeoutError("timed out")
            due = [at for at in (self.says_at, self.ends_at, gives_up) if at is not None]
            self.parking = scheduler.park()
            scheduler.wait(self.parking, min(due) - WORLD.now if due else None)
        raise self.error()

    def send(self, *_: Any, **__: Any) -> None:
        if self.over:
            raise self.error()

    def ping(self, *_: Any, **__: Any) -> None:
        return None

    def settimeout(self, _: Any) -> None:
        return None

    def close(self, *_: Any, **__: Any) -> None:
        if not self.over:
            self.code = 1000
        self.finish()
        if self.parking is not None:
            WORLD.scheduler.wake(self.parking)

    def __iter__(self) -> Any:
        try:
            while True:
                yield self.recv()
        except ConnectionClosedOK:
            return

    def __enter__(self) -> SyncLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def dial_sync(uri: Any = "", *_: Any, **options: Any) -> SyncLink:
    """``websockets.sync.client.connect()``."""
    if not WORLD.is_channel():
        WORLD.scheduler.forever()
    does = WORLD.dial()
    if does["kind"] == "throw":
        WORLD.scheduler.sleep(does["after_s"])
        raise _refused()
    if does["kind"] == "silent":
        WORLD.scheduler.wait(WORLD.scheduler.park(), options.get("open_timeout", OPEN_TIMEOUT_S))
        raise TimeoutError("timed out while waiting for handshake response")
    WORLD.scheduler.sleep(HANDSHAKE_S if does["kind"] == "close" else does["after_s"])
    return SyncLink(does)


def _refused() -> OSError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 3001)")


ERRORS = {
    "WebSocketException": WebSocketException,
    "InvalidHandshake": InvalidHandshake,
    "InvalidStatus": InvalidStatus,
    "InvalidStatusCode": InvalidStatus,
    "InvalidURI": WebSocketException,
    "ConnectionClosed": ConnectionClosed,
    "ConnectionClosedOK": ConnectionClosedOK,
    "ConnectionClosedError": ConnectionClosedError,
}


def websockets(module: Any) -> None:
    module.connect = module.unix_connect = Dial
    module.exceptions = SimpleNamespace(**ERRORS)  # until the submodule is imported
    for name, error in ERRORS.items():
        setattr(module, name, error)
    module.ClientConnection = module.WebSocketClientProtocol = AsyncLink
    module.__version__ = "15.0.1"


def websockets_sync(module: Any) -> None:
    module.connect, module.ClientConnection = dial_sync, SyncLink


def aiohttp(module: Any) -> None:
    class ClientSession(StandIn):
        def ws_connect(self, url: Any, **options: Any) -> Dial:
            return FrameDial(url, **options)

        def __getattr__(self, name: str) -> Any:
            return Pliable(name)

    class Kinds:
        TEXT, BINARY, CLOSING, ERROR = 1, 2, 256, 258

    Kinds.CLOSE, Kinds.CLOSED = CLOSE, CLOSED  # type: ignore[attr-defined]

    module.ClientSession, module.WSMsgType = ClientSession, Kinds
    for name in ("ClientError", "ClientConnectionError", "WSServerHandshakeError"):
        setattr(module, name, type(name, (OSError,), {}))


MODULES = {
    "websockets": websockets,
    "websockets.client": websockets,
    "websockets.asyncio.client": websockets,
    "websockets.legacy.client": websockets,
    "websockets.exceptions": websockets,
    "websockets.sync.client": websockets_sync,
    "aiohttp": aiohttp,
}
