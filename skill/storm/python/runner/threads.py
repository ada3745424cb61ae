"""``threading`` on the scheduler: its locks, its threads, and who is running."""

from __future__ import annotations

import _thread
import queue
import sys
import threading
from typing import Any

from .scheduler import Ended, Lock, Scheduler, Thread


def install(scheduler: Scheduler) -> None:
    """To be called before anything of the host, asyncio or logging makes a lock."""
    Lock.scheduler = scheduler
    changed: Any = threading
    changed._allocate_lock = changed.Lock = Lock
    changed.RLock = changed._PyRLock
    changed._CRLock = None
    _thread.allocate_lock = _thread.allocate = Lock  # type: ignore[assignment]
    _thread.RLock = changed._PyRLock  # type: ignore[misc]
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined,misc]

    def owner() -> Any:
        return scheduler.current.owner

    def start(self: threading.Thread) -> None:
        if not self._initialized:  # type: ignore[attr-defined]
            raise RuntimeError("thread.__init__() not called")
        if hasattr(self, "_storm"):
            raise RuntimeError("threads can only be started once")

        def run() -> None:
            scheduler.current.object = self
            try:
                self.run()
            except (SystemExit, Ended):
                pass
            except BaseException:
                owner().complain(f"in thread {self.name}", sys.exc_info()[1])

        thread = scheduler.spawn(owner(), run, self.name, bool(self.daemon))
        thread.object = self
        self._storm = thread  # type: ignore[attr-defined]
        self._started.set()  # type: ignore[attr-defined]
        scheduler.pass_turn()

    def join(self: threading.Thread, timeout: float | None = None) -> None:
        thread = getattr(self, "_storm", None)
        if thread is None:
            raise RuntimeError("cannot join thread before it is started")
        if thread is scheduler.current:
            raise RuntimeError("cannot join current thread")
        scheduler.join(thread, timeout)

    def is_alive(self: threading.Thread) -> bool:
        thread = getattr(self, "_storm", None)
        return thread is not None and not thread.finished

    def object_of(thread: Thread) -> threading.Thread:
        if thread.object is None:
            thread.object = threading.Thread(name=thread.name, daemon=thread.daemon)
            thread.object._storm = thread
            thread.object._started.set()
        found: threading.Thread = thread.object
        return found

    def current_thread() -> threading.Thread:
        return object_of(scheduler.current)

    def living() -> list[threading.Thread]:
        process = owner()
        threads = [scheduler.current] if process is None else process.threads
        return [object_of(thread) for thread in threads]

    def main_thread() -> threading.Thread:
        process = owner()
        return object_of(scheduler.current if process is None else process.main)

    def start_new_thread(function: Any, args: Any, kwargs: Any = None) -> int:
        thread = threading.Thread(target=function, args=args, kwargs=kwargs or {}, daemon=True)
        thread.start()
        return id(thread._storm)  # type: ignore[attr-defined]

    changed.Thread.start, changed.Thread.join, changed.Thread.is_alive = start, join, is_alive
    changed.Thread.ident = changed.Thread.native_id = property(
        lambda self: id(self._storm) if hasattr(self, "_storm") else None
    )
    changed.current_thread = changed.currentThread = current_thread
    changed.main_thread, changed.enumerate = main_thread, living
    changed.active_count = lambda: len(living())
    changed._start_new_thread = _thread.start_new_thread = start_new_thread
    changed.get_ident = changed.get_native_id = lambda: id(scheduler.current)
