"""neonize's two client classes over ``whatsmeow.Client``, as neonize 0.5.2 has them.

Read in its ``client.py``, ``aioze/client.py``, ``events.py`` and ``aioze/events.py``: one handler
an event, the last one wins; the synchronous ``connect()`` blocks its thread, and handlers run on
the worker thread that it made; the asynchronous one returns a task that ``idle()`` waits for, and
handlers run on the event loop; an exception of a handler ends nothing.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from .scheduler import Ended
from .stubs import Pliable, StandIn
from .whatsmeow import Client
from .world import World

WORLD: World = None  # type: ignore[assignment]  # set by play()
# Those of neonize 0.5.2; their classes are called as here without "Ev".
_EVENTS = """
    BlocklistChangeEv BlocklistEv CallAcceptEv CallOfferEv CallOfferNoticeEv CallPreAcceptEv
    CallRelayLatencyEv CallTerminateEv CallTransportEv ChatPresenceEv ClientOutdatedEv
    ConnectFailureEv ConnectedEv DisconnectedEv GroupInfoEv HistorySyncEv IdentityChangeEv
    JoinedGroupEv KeepAliveRestoredEv KeepAliveTimeoutEv LoggedOutEv MessageEv
    NewsLetterMessageMetaEv NewsletterJoinEv NewsletterLeaveEv NewsletterLiveUpdateEv
    NewsletterMuteChangeEv OfflineSyncCompletedEv OfflineSyncPreviewEv PairStatusEv PictureEv
    PresenceEv PrivacySettingsEv QREv ReceiptEv RotateADVSecretEv StreamErrorEv
    StreamReplacedEv TemporaryBanEv UndecryptableMessageEv UnknownCallEventEv
"""
# Of the messages that are delivered here, the fields with protobuf's defaults: any other
# attribute is an AttributeError, as it is of the real ones.
_FIELDS: dict[str, dict[str, object]] = {
    "ConnectedEv": {"status": False},
    "DisconnectedEv": {"status": False},
    "LoggedOutEv": {"OnConnect": False, "Reason": 0},
    "StreamReplacedEv": {},
    "TemporaryBanEv": {"Code": 0, "Expire": 0},
    "ClientOutdatedEv": {},
    "ConnectFailureEv": {"Reason": 0, "Message": "", "Raw": None},
    "StreamErrorEv": {"Code": "", "Raw": None},
}


def _kind(name: str) -> type:
    fields = _FIELDS.get(name)
    bases = (StandIn,) if fields is None else ()
    return type(name.removesuffix("Ev"), bases, dict(fields or {}))


KINDS = {name: _kind(name) for name in _EVENTS.split()}


class NeonizeError(Exception):
    pass


class Event:
    """``client.event``: a decorator for each kind of event."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}
        self.on_qr: Any = None

    def __call__(self, kind: Any) -> Any:
        name = kind.__name__ + "Ev"
        if name not in KINDS:
            raise KeyError(kind)

        def keep(handler: Any) -> None:
            self.handlers[name] = handler

        return keep

    def qr(self, handler: Any) -> None:
        self.on_qr = handler

    def paircode(self, handler: Any) -> Any:
        return handler


class Base:
    asynchronous = False

    def __init__(self, name: Any = "", *_: Any, **__: Any) -> None:
        self.name = str(name)
        self.uuid = self.name.encode()
        self.event = Event()
        self.qr, self.paircode = self.event.qr, self.event.paircode
        self.me: Any = None
        self.connected = False
        self._go = Client(WORLD, self.name, self._deliver)

    @property
    def is_connected(self) -> bool:
        return bool(self._go.number)

    @property
    def is_logged_in(self) -> bool:
        return self._go.logged_in

    def _deliver(self, name: str) -> None:
        raise NotImplementedError

    def _block(self) -> str:
        """``Neonize()``, called by connect() once it has seen that it is WhatsApp's."""
        return self._go.neonize(frozenset(self.event.handlers), self._on_qr)

    def _on_qr(self, code: bytes) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Pliable(name)


class NewClient(Base):
    def _deliver(self, name: str) -> None:
        self.connected = self.connected or name == "ConnectedEv"
        self._call(self.event.handlers[name], KINDS[name]())

    def _on_qr(self, code: bytes) -> None:
        if self.event.on_qr is not None:
            self._call(self.event.on_qr, code)

    def _call(self, handler: Any, argument: Any) -> None:
        try:
            handler(self, argument)
        except Ended:
            raise
        except BaseException as error:
            # ctypes prints it, SystemExit too, and goes on.
            WORLD.log("err", f"exception ignored in a neonize callback: {error!r}")

    def connect(self, *_: Any) -> None:
        answer: list[str] = []
        done = threading.Event()

        def run() -> None:
            try:
                answer.append(self._block())
            finally:
                done.set()

        worker = threading.Thread(target=run, name=self.name, daemon=False)
        worker.start()
        # The real one looks five times a second, for the sake of Ctrl+C.
        done.wait()
        worker.join()
        if answer and answer[0]:
            raise NeonizeError(answer[0])

    connect_with_proxy = connect

    def stop(self) -> None:
        self._go.stop()

    def disconnect(self) -> None:
        self._go.disconnect()

    def idle(self) -> None:
        return None


class NewAClient(Base):
    connect_task: Any = None
    loop: Any = None

    def _deliver(self, name: str) -> None:
        self.connected = self.connected or name == "ConnectedEv"
        asyncio.run_coroutine_threadsafe(self.event.handlers[name](self, KINDS[name]()), self.loop)

    def _on_qr(self, code: bytes) -> None:
        if self.event.on_qr is not None:
            asyncio.run_coroutine_threadsafe(self.event.on_qr(self, code), self.loop)

    async def connect(self, *_: Any) -> Any:
        self.loop = asyncio.get_running_loop()

        async def run() -> None:
            try:
                answer = await asyncio.to_thread(self._block)
            except asyncio.CancelledError:
                self._go.stop()
                raise
            if answer:
                raise NeonizeError(answer)

        self.connect_task = self.loop.create_task(run())
        return self.connect_task

    connect_with_proxy = connect

    async def idle(self) -> None:
        await self.connect_task

    async def stop(self) -> None:
        self._go.stop()

    async def disconnect(self) -> None:
        self._go.disconnect()


def _events(module: Any) -> None:
    for name, kind in KINDS.items():
        setattr(module, name, kind)
    module.event = threading.Event() if "aioze" not in module.__name__ else asyncio.Event()
    module._only = r"Ev$"


def _client(module: Any) -> None:
    module.NewClient, module.NewAClient = NewClient, NewAClient


def _exceptions(module: Any) -> None:
    module.NeonizeError = NeonizeError


MODULES = {
    "neonize.client": _client,
    "neonize.aioze.client": _client,
    "neonize.events": _events,
    "neonize.aioze.events": _events,
    "neonize.exc": _exceptions,
}
