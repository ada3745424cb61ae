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

    # The attempt has ended, if there is one, and nobody said how.
    closed: Callable[[], object]
    # Seconds to wait before looking again; 0: go; None: never.
    _left: Callable[[], float | None]

    def __init__(self, logger: Any = None) -> None:
        self._logger = logger or logging.getLogger(__name__)
        self._base = time.time() - time.monotonic()
        self._waiting = threading.Lock()
        self._attempt = 0
        self._state = "idle"  # or running, open
        self._since = 0.0  # the start of the attempt
        self._announced = ""  # the reason of the wait that was logged last
        self._stopped = False
        self._wake: Callable[[], object] = lambda: None  # ends the wait

    async def turn(
        self,
        *,
        going: Callable[[], object] | None = None,
    ) -> int:
        """Wait until an attempt may start: its number, or 0 if none may.

        A false ``going()`` ends the wait, like stop().
        """
        if not self._enter():
            return 0
        try:
            while left := self._left():
                await self._pause(min(left, 1.0) if going else left)
                if going and not going():
                    return 0
            return 0 if left is None else self._grant()
        finally:
            self._waiting.release()

    def turn_sync(
        self,
        stop: threading.Event | None = None,
        *,
        going: Callable[[], object] | None = None,
    ) -> int:
        """The same in a thread; ``stop`` ends it, too.

        So does a false ``going()``.
        """

        def over() -> bool:
            if going and not going():
                return True
            return stop is not None and stop.is_set()

        if not self._enter():
            return 0
        try:
            while left := self._left():
                nap = min(left, 1.0)  # stop() is noticed within a second
                until = self._now() + nap
                (stop.wait if stop else time.sleep)(nap)
                if over():
                    return 0
                self._pass(until)
            return 0 if left is None or over() else self._grant()
        finally:
            self._waiting.release()

    def _grant(self) -> int:
        self._attempt += 1
        self._state = "running"
        self._since = self._now()
        return self._attempt

    def _enter(self) -> bool:
        # Two loops around one link: only one of them goes on.
        if not self._waiting.acquire(blocking=False):
            return False
        self._announced = ""
        self.closed()
        return True

    async def _pause(self, seconds: float) -> None:
        until = self._now() + seconds
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        self._wake = lambda: loop.call_soon_threadsafe(woken.cancel)
        # asyncio.sleep, so that tests can replace it; and no wait_for around
        # it, which in Python 3.10 and 3.11 can lose a cancellation.
        sleep = asyncio.ensure_future(asyncio.sleep(seconds))
        try:
            if self._stopped:
                return
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({sleep, woken}, return_when=first)
            if sleep.done():
                sleep.result()
                self._pass(until)
        finally:
            with contextlib.suppress(RuntimeError):  # a loop that was closed
                sleep.cancel()

    def _awake(self) -> None:
        with contextlib.suppress(RuntimeError):  # a loop that has ended
            self._wake()

    def _now(self) -> float:
        """Near time.time(), but a clock that is set changes no wait."""
        return self._base + time.monotonic()

    def _pass(self, until: float) -> None:
        # A sleep that returned says that its time is over, in tests too.
        self._base += max(0.0, until - self._now())

    def _say(self, level: str, line: str) -> None:
        # A logger that lacks a level, or raises, must not end the attempts.
        try:
            (getattr(self._logger, level, None) or self._logger.info)(line)
        except Exception:
            logging.getLogger(__name__).warning(line)
