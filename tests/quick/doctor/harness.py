"""A bot of the fixtures, and a machine around it that is made up."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from modify.units.started import Started
from skill.doctor.answer import Answer, Unseen
from skill.doctor.running import Running
from skill.doctor.scene import Scene
from skill.host import Host
from skill.policy import MEMORY_VERSION
from skill.service.model import Policy, Service, Starts
from skill.service.tools import Tools
from tests.conftest import CHECKOUT

NOW = 1_796_040_000.0
"""2026-11-30 12:00:00 UTC."""
CLOSED = "Line dropped"
"""What the fixture logs when its connection closes."""


def make_scene(
    folder: Path,
    services: Sequence[Service] = (),
    running: Sequence[Running] = (),
    now: float = NOW,
) -> Scene:
    bot = folder / "bot"
    if not bot.exists():
        shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", bot)
    scene = Scene(Host(bot), Tools(bot), now=now)
    scene._looked = (list(services), [])
    scene.running = list(running)
    return scene


def service(name: str = "bot.service", **more: Any) -> Service:
    """One that pm2 runs: nothing of its manager is asked."""
    started = Started(
        more.pop("kind", "host"), more.pop("command", "node dist/index.js"), more.pop("why", "")
    )
    made = Service("pm2", "pm2", name, started, policy=Policy("always"))
    made.state = "active (online)"
    made.starts = Starts(0, 0)
    for key, value in more.items():
        setattr(made, key, value)
    return made


def write_log(
    folder: Path, lines: Sequence[str], written: float = NOW, name: str = "bot.log"
) -> Path:
    path = folder / "bot" / "logs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")
    os.utime(path, (written, written))
    return path


def write_memory(path: Path, **fields: Any) -> Path:
    fresh = {"version": MEMORY_VERSION, "attempts": {}, "notBefore": 0, "code": "started"}
    fresh |= {"identity": "", "downSince": 1, "verdict": None, "pid": 0}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**fresh, **fields}))
    return path


def answers(question: Callable[[Scene], Iterator[Answer | Unseen]], scene: Scene) -> list[Answer]:
    return [each for each in question(scene) if isinstance(each, Answer)]


def unseen(question: Callable[[Scene], Iterator[Answer | Unseen]], scene: Scene) -> list[Unseen]:
    return [each for each in question(scene) if isinstance(each, Unseen)]


def iso(at: float, east: int = 0) -> str:
    """A time of day with its date, in a zone so many hours east of Greenwich."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at + east * 3600))
