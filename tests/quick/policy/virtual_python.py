"""A Python process under virtual time: clocks, an event loop, a bot, and its restarts."""

from __future__ import annotations

import asyncio
import json
import os
import random
import selectors
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from skill.render.python import render_python_module

START = 1_700_000_000.0
module: Any = ModuleType("whatsapp_reconnect")
"""The module as a host gets it, one file."""
sys.modules[module.__name__] = module
exec(compile(render_python_module("0", "all"), "whatsapp_reconnect.py", "exec"), vars(module))


class Clock:
    """Wall and monotonic time; only ``pass_`` moves both."""

    def __init__(self) -> None:
        self.wall = START
        self.mono = 0.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds


class _Selector(selectors.SelectSelector):
    """Passes the time that the loop would wait; but not beyond ``until``."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.until = 0.0
        self.reached: Callable[[], object] = lambda: None

    def select(self, timeout: float | None = None) -> list[Any]:
        left = self.until - self.clock.mono
        if timeout is None or timeout > left:
            self.clock.pass_(max(0.0, left))
            self.reached()
        elif timeout > 0:
            self.clock.pass_(timeout + 1e-9)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.virtual = _Selector(clock)
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.clock.mono

    def advance(self, seconds: float, done: Callable[[], bool] = lambda: False) -> float:
        """Runs what falls due; stops early once ``done()``. Returns the time that passed."""
        begin = self.clock.mono
        self.virtual.until = begin + seconds
        self.virtual.reached = self.stop
        self.done, self.over = done, False
        self.call_soon(self._look)
        self.run_forever()
        self.over = True
        return self.clock.mono - begin

    def _look(self) -> None:
        if self.done():
            self.stop()

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if not self.over and self.done():
            self.stop()


class _Os:
    """os, with a process id of its own."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def getpid(self) -> int:
        return self._bot.pid


class _Tempfile:
    """tempfile, in a folder with rights of its own."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def mkstemp(self, *arguments: Any) -> tuple[int, str]:
        if self._bot.locked:
            raise PermissionError(13, "Permission denied")
        return tempfile.mkstemp(*arguments)


class Bot:
    """A bot patched as skillgen patches one, over any number of processes."""

    def __init__(self, root: Path, options: dict[str, Any] | None = None) -> None:
        self.options = {"pairing": True, "noFolder": False} | (options or {})
        self.root = root
        self.auth = root / "store" / "auth"
        self.file = root / "store" / "auth-reconnect.json"
        if not self.options["noFolder"]:
            self.auth.mkdir(parents=True)
        self.clock = Clock()
        self.pid = 1000
        self.locked = False
        self.random: Callable[[], float] = random.Random(748).random
        self.logs: list[dict[str, str]] = []
        self.grants: list[float] = []  # true time of every attempt: never jumps
        self.outcomes: dict[tuple[int, int], int] = {}
        self.elapsed = 0.0  # true time before this process
        self.stopped = 0
        self.failing = 0
        self.hanging = 0
        self.generation = 0
        self.kept = 0
        self.loop: VirtualLoop | None = None
        self.boot()

    @contextmanager
    def world(self) -> Iterator[None]:
        """The module sees this bot's clock, chance and process."""
        clock = self.clock
        fake = SimpleNamespace(
            time=lambda: clock.wall,
            monotonic=lambda: clock.mono,
            strftime=time.strftime,
            localtime=time.localtime,
        )
        chance = SimpleNamespace(random=lambda: self.random())
        with (
            mock.patch.object(module, "time", fake),
            mock.patch.object(module, "random", chance),
            mock.patch.object(module, "os", _Os(self)),
            mock.patch.object(module, "tempfile", _Tempfile(self)),
        ):
            yield

    def boot(self) -> None:
        """A crash: a new process, which knows what is on disk."""
        self.end()
        self.elapsed += self.clock.mono
        self.clock.mono = 0.0
        self.pid += 1
        self.generation += 1
        self.loop = VirtualLoop(self.clock)
        self.down = False
        self.sock = 0  # the attempt of the current socket
        self.seen: bool | None = None
        self.answers: list[asyncio.Future[None]] = []  # that never come
        log = {"info": "info", "warning": "warn", "error": "error"}
        logger: Any = SimpleNamespace(
            **{
                name: lambda message, level=level: self.logs.append(
                    {"level": level, "message": message}
                )
                for name, level in log.items()
            }
        )
        with self.world():
            self.reconnect = module.Reconnect(
                self.auth,
                hung=self.hung,
                pairing=self.options["pairing"],
                logger=logger,
            )

    def end(self) -> None:
        """The process dies: nothing of it runs any more."""
        if self.loop is None:
            return
        self.generation += 1
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.loop.close()
        self.loop = None

    def spawn(self, coroutine: Any) -> None:
        assert self.loop is not None
        task = self.loop.create_task(coroutine)
        self.tasks = [task, *getattr(self, "tasks", [])[:20]]

    def start(self) -> None:
        self.down = False
        self.reconnect.start()
        self.spawn(self.connect())

    async def connect(self) -> None:
        generation = self.generation
        attempt = await self.reconnect.turn()
        if not attempt:
            if self.reconnect.terminal:
                self.stopped += 1
                self.down = True
            return
        self.grants.append(self.elapsed + self.clock.mono)
        self.outcomes[generation, attempt] = 0
        if self.hanging > 0:
            self.hanging -= 1
            answer = asyncio.get_running_loop().create_future()
            self.answers.append(answer)
            await answer
        if self.failing > 0:
            self.failing -= 1
            error = OSError("getaddrinfo ENOTFOUND web.whatsapp.com")
            self.close("dial", attempt, error=error)
            return
        self.sock = attempt

    def hung(self) -> None:
        self.again()

    def again(self) -> None:
        """The host's way on after a close."""
        self.spawn(self.connect())

    def close(self, code: Any, attempt: int | None = None, **more: Any) -> None:
        number = self.sock if attempt is None else attempt
        self.seen = self.reconnect.closed(code, number, **more)
        if self.seen:
            self.outcomes[self.generation, number] += 1
            if self.reconnect.terminal:
                self.down = True
            else:
                self.again()

    def link(self, name: str) -> None:
        me = {"id": f"{name}:1@s.whatsapp.net"}
        creds = {"noiseKey": {"public": name}, "registrationId": 7, "me": me, "account": {}}
        (self.auth / "creds.json").write_text(json.dumps(creds))

    def unlink(self) -> None:
        (self.auth / "creds.json").unlink(missing_ok=True)

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found

    def edit(self, **changes: Any) -> None:
        self.file.write_text(json.dumps(self.read() | changes))

    def advance(self, seconds: float, done: Callable[[], bool] = lambda: False) -> float:
        assert self.loop is not None
        return self.loop.advance(seconds, done)

    def inside(self, call: Callable[[], object]) -> None:
        """As a handler on the loop."""
        assert self.loop is not None
        self.loop.call_soon(call)
        self.flush()

    def flush(self) -> None:
        for _ in range(3):
            self.advance(0)

    def dispose(self) -> None:
        self.end()
        shutil.rmtree(self.root, ignore_errors=True)
