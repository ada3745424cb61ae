"""When this bot may connect, and when it must not.

Attempts that repeat too fast get a WhatsApp number blocked, then banned. So
every attempt passes a gate, which lets it wait longer after each failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any


class Gate:
    """One wait at a time, for asyncio and for threads.

    logger: has info(), warning() and error(), each for one string.
    """

    def __init__(self, logger: Any = None) -> None:
        self._logger = logger or logging.getLogger(__name__)
        self._lock = threading.RLock()
        self._base = time.time() - time.monotonic()
        self._state = "idle"  # or promised, running, open
        self._attempt = 0
        self._waiting = False
        self._announced = ""  # the reason of the wait that was logged last
        self._stopped = False
        self._wake: Callable[[], object] | None = None

    async def turn(self, going: Callable[[], object] | None = None) -> int:
        """Wait until an attempt may start: its number, or 0 if none may.

        A false ``going()`` ends the wait, like stop().
        """
        if not self._enter():
            return 0
        try:
            while left := self._left():
                nap = left if going is None else min(left, 1.0)
                until = self._now() + nap
                if await self._pause(nap):
                    self._pass(until)
                if going is not None and not going():
                    return 0
            return 0 if left is None else self._grant()
        finally:
            self._waiting = False

    def turn_sync(
        self,
        stop: threading.Event | None = None,
        going: Callable[[], object] | None = None,
    ) -> int:
        """The same in a thread; ``stop``, or a false ``going()``, ends it."""

        def over() -> bool:
            stopped = stop is not None and stop.is_set()
            return stopped or (going is not None and not going())

        if not self._enter():
            return 0
        try:
            while left := self._left():
                nap = min(left, 1.0)  # stop() is noticed within a second
                until = self._now() + nap
                if stop is None:
                    time.sleep(nap)
                else:
                    stop.wait(nap)
                if over():
                    return 0
                self._pass(until)
            return 0 if left is None or over() else self._grant()
        finally:
            self._waiting = False

    def start(self) -> None:
        """After a stop(): attempts are allowed again."""
        self._stopped = False

    def stop(self) -> None:
        """No attempt until start(); a wait ends now. From any thread."""
        self._stopped = True
        self._awake()

    def _enter(self) -> bool:
        with self._lock:
            # Two loops around one link: only one of them goes on.
            if self._waiting:
                return False
            self._waiting = True
            self._announced = ""
            if self._state in ("running", "open"):
                self.closed()
            return True

    async def _pause(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not woken.done():
                woken.set_result(None)

        # asyncio.sleep, so that tests can replace it; and no wait_for around
        # it, which in Python 3.10 and 3.11 can lose a cancellation.
        sleeping = asyncio.ensure_future(asyncio.sleep(seconds))
        self._wake = lambda: loop.call_soon_threadsafe(settle)
        try:
            if self._stopped:
                return False
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({sleeping, woken}, return_when=first)
            if sleeping.done():
                sleeping.result()
            return not woken.done()
        finally:
            self._wake = None
            with contextlib.suppress(RuntimeError):  # a loop that was closed
                sleeping.cancel()

    def _awake(self) -> None:
        wake = self._wake
        if wake is not None:
            with contextlib.suppress(RuntimeError):  # a loop that has ended
                wake()

    def _now(self) -> float:
        """Near time.time(), but a clock that is set changes no wait."""
        return self._base + time.monotonic()

    def _pass(self, until: float) -> None:
        # A sleep that returned says that its time is over, in tests too.
        self._base += max(0.0, until - self._now())

    def _say(self, level: str, line: str) -> None:
        # A logger that lacks a level, or raises, must not end the attempts.
        try:
            levels = (level, "warning", "info", "error")
            writes = (getattr(self._logger, each, None) for each in levels)
            next(write for write in writes if callable(write))(line)
        except Exception:
            logging.getLogger(__name__).warning(line)

    def closed(self) -> object:
        """The attempt has ended, and nobody said how."""
        raise NotImplementedError

    def _left(self) -> float | None:
        """Seconds to wait before looking again; 0: go; None: never."""
        raise NotImplementedError

    def _grant(self) -> int:
        raise NotImplementedError
