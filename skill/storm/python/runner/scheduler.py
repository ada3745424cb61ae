"""Threads that take turns on a clock that jumps.

Every thread of the child is a real one, but only the one that holds the turn runs: it goes on
until it would block (a sleep, a lock, a join, an event loop without work). Then the next ready
thread runs; if none is ready, the clock jumps to the earliest deadline. So the same program
takes the same steps in every run, and a wait of an hour costs nothing.

Limits: a lock of the interpreter's own (import locks, those of C modules) that is held across a
sleep is not seen here; code that computes without end is only ended by the parent's time-out.
"""

from __future__ import annotations

import _thread
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

_allocate_lock, _start_new_thread = _thread.allocate_lock, _thread.start_new_thread

# Turns at one virtual instant above which the host spins without end.
MOST_TURNS_AT_ONCE = 100_000
# Threads of one process above which it grows without end.
MOST_THREADS = 1_000
# How often a thread of an ended process may ask for more before it is left where it stands.
MOST_CRIES = 200


class Ended(BaseException):
    """Unwinds a thread whose process has ended; never an error of the host."""


class Owner(Protocol):
    """The process that a thread belongs to."""

    dead: bool
    threads: list[Thread]


class Thread:
    """One thread, in turn or parked. owner: None for the world's own."""

    def __init__(self, owner: Owner | None, name: str, daemon: bool) -> None:
        self.owner, self.name, self.daemon = owner, name, daemon
        self.go = _allocate_lock()
        self.go.acquire()
        self.finished = False
        self.parking: Parking | None = None
        self.joiners: list[Parking] = []
        self.cries = 0
        self.object: Any = None  # its threading.Thread

    @property
    def condemned(self) -> bool:
        return self.owner is not None and self.owner.dead


class Parking:
    """One wait of one thread. woken: by wake(), not by its deadline."""

    __slots__ = ("over", "thread", "woken")

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self.woken = False
        self.over = False


class Scheduler:
    """now: virtual seconds since the world began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.main = Thread(None, "world", False)
        self.current = self.main
        self.ready: deque[Thread] = deque()
        self.timers: list[tuple[float, int, Parking]] = []
        self.order = 0
        self.turns = 0
        self.trouble = ""  # why the world is to end before its time

    # --- waiting ---

    def park(self) -> Parking:
        """The place where the running thread may wait; hand it to whoever is to wake it."""
        return Parking(self.current)

    def wait(self, parking: Parking, seconds: float | None) -> bool:
        """Until wake(parking), at most ``seconds``: whether it was woken."""
        me = parking.thread
        self.check(me)
        if parking.woken:
            parking.over = True
            return True
        if seconds is not None:
            self.order += 1
            deadline = self.now + max(0.0, seconds)
            heapq.heappush(self.timers, (deadline, self.order, parking))
        me.parking = parking
        self.switch(me)
        me.parking = None
        parking.over = True
        self.check(me)
        return parking.woken

    def wake(self, parking: Parking) -> None:
        if parking.over or parking.woken:
            return
        parking.woken = True
        if parking.thread.parking is parking:
            self.ready.append(parking.thread)

    def sleep(self, seconds: float) -> None:
        self.wait(self.park(), seconds)

    def pass_turn(self) -> None:
        """Lets every thread that is ready run first."""
        me = self.current
        self.check(me)
        self.count()
        if self.ready:
            self.ready.append(me)
            self.switch(me)
            self.check(me)

    def forever(self) -> None:
        self.wait(self.park(), None)

    def check(self, me: Thread) -> None:
        if not me.condemned:
            return
        me.cries += 1
        if me.cries > MOST_CRIES:
            self.leave(me)
        raise Ended

    # --- the turn ---

    def count(self) -> None:
        self.turns += 1
        if self.turns > MOST_TURNS_AT_ONCE:
            self.stop_for("spins")

    def stop_for(self, trouble: str) -> None:
        if not self.trouble:
            self.trouble = trouble
            self.ready.appendleft(self.main)

    def next(self) -> Thread:
        while True:
            self.count()
            if self.ready:
                thread = self.ready.popleft()
                if not thread.finished:
                    return thread
                continue
            if not self.timers:
                return self.main  # nothing will ever happen again
            when, _, parking = heapq.heappop(self.timers)
            if parking.over or parking.woken or parking.thread.finished:
                continue
            if when > self.now:
                self.now = when
                self.turns = 0
            parking.over = True
            return parking.thread

    def switch(self, me: Thread) -> None:
        thread = self.next()
        if thread is me:
            return
        self.current = thread
        thread.go.release()
        me.go.acquire()

    def leave(self, me: Thread) -> None:
        """The thread ends here, or never runs again; the turn goes on."""
        me.finished = True
        if me.owner is not None:
            me.owner.threads.remove(me)
        for parking in me.joiners:
            self.wake(parking)
        thread = self.next()
        self.current = thread
        thread.go.release()
        if me.cries > MOST_CRIES:
            me.go.acquire()

    # --- threads ---

    def spawn(
        self, owner: Owner | None, run: Callable[[], object], name: str, daemon: bool
    ) -> Thread:
        """A thread that is ready to run; ``run`` must not raise."""
        thread = Thread(owner, name, daemon)
        if owner is not None:
            owner.threads.append(thread)
            if len(owner.threads) > MOST_THREADS:
                self.stop_for(f"has more than {MOST_THREADS} threads")

        def begin() -> None:
            thread.go.acquire()
            try:
                if not thread.condemned:
                    run()
            except Ended:
                pass
            finally:
                self.leave(thread)

        self.ready.append(thread)
        _start_new_thread(begin, ())
        return thread

    def join(self, thread: Thread, seconds: float | None) -> bool:
        if not thread.finished:
            parking = self.park()
            thread.joiners.append(parking)
            self.wait(parking, seconds)
        return thread.finished

    def condemn(self, owner: Owner) -> None:
        """Every thread of a process that has ended unwinds."""
        for thread in list(owner.threads):
            parking = thread.parking
            if parking is not None and not parking.over and not parking.woken:
                parking.over = True
                self.ready.append(thread)


class Lock:
    """threading.Lock, on the scheduler's turns."""

    scheduler: Scheduler

    def __init__(self) -> None:
        self._held = False
        self._waiters: deque[Parking] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        scheduler = self.scheduler
        parking = scheduler.park()
        self._waiters.append(parking)
        try:
            taken = scheduler.wait(parking, None if timeout is None or timeout < 0 else timeout)
        except Ended:
            taken = parking.woken
            if taken:
                self.release()
            raise
        if not taken:
            self._waiters.remove(parking)
        return taken

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        while self._waiters:
            parking = self._waiters.popleft()
            if not parking.over and not parking.thread.condemned:
                self.scheduler.wake(parking)
                return
        self._held = False

    def locked(self) -> bool:
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    acquire_lock, release_lock, locked_lock = acquire, release, locked
