"""Drives one link of a fixture against a loopback server; prints what was counted.

Arguments: the host, ``module:function or class``, the mode, the seconds. The server has a thread
and an event loop of its own, so that links with threads and links with tasks are driven alike.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import websockets

HOST, PLACE, MODE, SPAN = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
sys.path.insert(0, HOST)
ATTEMPTS: list[float] = []
MESSAGE = json.dumps({"type": "message", "content": "Brest"})


BACK = threading.Event()


async def serve(ws: Any) -> None:
    ATTEMPTS.append(time.monotonic())
    if MODE in ("lost", "stop") or (MODE == "comeback" and not BACK.is_set()):
        ws.transport.abort()
        return
    if MODE == "logout":
        await ws.send(json.dumps({"type": "status", "status": "logged_out"}))
        await asyncio.sleep(60)
    if MODE == "comeback":
        await ws.send(MESSAGE)
        await asyncio.sleep(60)


class Server(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.loop = asyncio.new_event_loop()
        self.running: Any = None
        self.start()

    def run(self) -> None:
        self.loop.run_forever()

    def listen(self) -> int:
        async def begin() -> int:
            self.running = await websockets.serve(serve, "127.0.0.1", 0)
            found: int = next(iter(self.running.sockets)).getsockname()[1]
            return found

        work = asyncio.run_coroutine_threadsafe(begin(), self.loop)
        return work.result(10)


class Driven:
    """The link, started; ``stop`` waits for the end of what was started."""

    def __init__(self, url: str) -> None:
        module, _, name = PLACE.partition(":")
        thing: Any = getattr(importlib.import_module(module), name)
        self.bot: Any = None
        self.ended = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        work: Callable[[], Any]
        if inspect.isclass(thing):
            self.made = lambda: thing(url)
            work = self.of_class
        else:
            work = lambda: self.finish(thing(url))  # noqa: E731
        threading.Thread(target=lambda: (work(), self.ended.set()), daemon=True).start()

    def of_class(self) -> None:
        self.bot = self.made()
        begin = getattr(self.bot, "run", None) or self.bot.start
        self.finish(begin())

    def finish(self, result: Any) -> None:
        if inspect.iscoroutine(result):
            self.loop = asyncio.new_event_loop()
            self.loop.run_until_complete(result)
        elif isinstance(result, threading.Thread):
            result.join()

    def stop(self) -> float:
        begun = time.monotonic()
        result = self.bot.stop()
        if inspect.iscoroutine(result):
            assert self.loop is not None
            asyncio.run_coroutine_threadsafe(result, self.loop).result(5)
        assert self.ended.wait(5), "still running"
        return time.monotonic() - begun


def main() -> None:
    link = Driven(f"ws://127.0.0.1:{Server().listen()}")
    if MODE == "comeback":
        time.sleep(SPAN / 2)
        before = len(ATTEMPTS)
        BACK.set()
        time.sleep(SPAN / 2)
        heard = (
            link.bot.inbox if link.bot is not None else sys.modules[PLACE.partition(":")[0]].heard
        )
        print(f"attempts={before}\nmessages={len(heard)}")
        return
    time.sleep(SPAN)
    print(f"attempts={len(ATTEMPTS)}")
    if MODE == "logout":
        print(f"over={int(link.ended.is_set())}")
    if MODE == "stop":
        print(f"ended={link.stop():.3f}")


main()
