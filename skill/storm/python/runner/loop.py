"""The event loop of asyncio, whose waiting is the scheduler's."""

from __future__ import annotations

import asyncio
import errno
from asyncio import base_events, events
from typing import Any

from .scheduler import Parking, Scheduler

ONE_WORLD: Scheduler


class Selector:
    """What BaseEventLoop asks for work: none ever comes, but time passes."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.parking: Parking | None = None
        self.called = False

    def select(self, timeout: float | None = None) -> list[Any]:
        if self.called or (timeout is not None and timeout <= 0):
            self.called = False
            self.scheduler.pass_turn()
            return []
        self.parking = self.scheduler.park()
        try:
            self.scheduler.wait(self.parking, timeout)
        finally:
            self.parking = None
            self.called = False
        return []

    def call(self) -> None:
        self.called = True
        if self.parking is not None:
            self.scheduler.wake(self.parking)

    def get_map(self) -> dict[int, Any]:
        return {}

    def close(self) -> None:
        pass


class Loop(base_events.BaseEventLoop):
    """No sockets, no children, no pipes; timers, threads and signals as ever."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = Selector(ONE_WORLD)

    def _process_events(self, _: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        self._selector.call()

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Any, *args: Any
    ) -> None:
        process: Any = ONE_WORLD.current.owner
        process.signals[int(sig)] = lambda *_: self.call_soon_threadsafe(callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        process: Any = ONE_WORLD.current.owner
        return process.signals.pop(int(sig), None) is not None

    async def sock_connect(self, *_: Any) -> None:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "no network here")

    async def create_server(self, *_: Any, **__: Any) -> Any:
        raise OSError(errno.EADDRNOTAVAIL, "no network here")

    create_unix_server = create_server

    async def create_unix_connection(self, *_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "no network here")

    async def subprocess_exec(self, *_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EPERM, "no child processes here")

    subprocess_shell = subprocess_exec


_Policy: Any = getattr(events, "BaseDefaultEventLoopPolicy", None) or getattr(
    events, "_BaseDefaultEventLoopPolicy", None
)


class Policy(_Policy):  # type: ignore[misc]
    _loop_factory = Loop


def install(scheduler: Scheduler) -> None:
    global ONE_WORLD
    ONE_WORLD = scheduler
    asyncio.set_event_loop_policy(Policy())
    changed: Any = asyncio
    # What a host would put in its place (uvloop and the like) knows no virtual time.
    changed.set_event_loop_policy = lambda _: None
    changed.SelectorEventLoop = changed.DefaultEventLoopPolicy = Loop
