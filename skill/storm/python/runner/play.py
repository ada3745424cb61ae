"""Puts the parts together and plays one scenario."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
from collections.abc import Callable
from typing import Any

from . import bridge, drive, fences, loop, neonize, stubs, websocket_client, world
from .scheduler import Scheduler

ANSWERS = 3  # a file descriptor of its own, which what a host prints does not reach


def play(scheduler: Scheduler, request: dict[str, Any]) -> None:
    write = os.write
    # Its own to write in, for a bot keeps logs and the like beside its code.
    shutil.copytree(request["source"], request["host"])
    loop.install(scheduler)
    scene = world.World(scheduler, request)
    bridge.WORLD = neonize.WORLD = drive.Loader.world = scene
    stubs.WRITE.append(scene.log)
    import_paths(scene, request)
    scene.refresh = refresher(scene, request)
    scene.program = drive.program_of(scene, request["drive"])
    logging.raiseExceptions = False
    warm_up()
    world.install(scene)
    fences.install((request["work"],), scene.note)
    scene.run()
    left = memoryview(json.dumps(scene.outcome()).encode() + b"\n")
    while left:
        left = left[write(ANSWERS, left) :]


def warm_up() -> None:
    """What would otherwise be imported inside a host, behind the fences."""
    import asyncio
    import concurrent.futures.thread
    import ctypes
    import encodings.idna
    import mimetypes
    import sqlite3
    import ssl
    import subprocess
    import tempfile
    import uuid

    _ = (asyncio, concurrent, ctypes, encodings, sqlite3, ssl, subprocess, tempfile, uuid)
    mimetypes.init()


def import_paths(scene: world.World, request: dict[str, Any]) -> None:
    roots: list[str] = request["roots"]
    own = {
        name.partition(".")[0]
        for root in roots
        if os.path.isdir(root)
        for name in os.listdir(root)
        if name.endswith(".py") or os.path.isdir(os.path.join(root, name))
    }
    near: dict[str, Callable[[Any], None]] = {}
    for known in (bridge.MODULES, websocket_client.MODULES, neonize.MODULES):
        near.update(known)
    stubs.NEAR.update(near)
    made: set[str] = set()

    def make(name: str) -> None:
        if name not in made and name not in ("websockets", "neonize", "websocket", "aiohttp"):
            made.add(name)
            scene.log("storm", f"a stand-in for {name}")

    faked = frozenset(name.partition(".")[0] for name in near)
    sys.path[:] = [*roots, *(path for path in sys.path if path)]
    sys.path_hooks.insert(0, drive.hook([request["host"]]))
    sys.path_importer_cache.clear()
    sys.meta_path.append(stubs.Finder(lambda name: name in own and name not in faked, make))
    sys.dont_write_bytecode = True


def refresher(scene: world.World, request: dict[str, Any]) -> Callable[[], None]:
    """Makes the interpreter as new: modules, environment, folder, logging, chance."""
    work = request["work"]
    home = os.path.join(work, "home")
    os.makedirs(os.path.join(home, "tmp"), exist_ok=True)
    environment = {**request["environment"], "HOME": home, "TMPDIR": os.path.join(home, "tmp")}
    kept = frozenset(sys.stdlib_module_names)

    class ToLog(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                scene.log(record.levelname.lower(), record.getMessage())
            except Exception:
                scene.log(record.levelname.lower(), str(record.msg))

    starts = [0]

    def refresh() -> None:
        for name in list(sys.modules):
            first = name.partition(".")[0]
            if first not in kept and not first.startswith("_skillgen"):
                del sys.modules[name]
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(request["host"])
        root = logging.getLogger()
        root.handlers[:] = [ToLog()]
        root.setLevel(logging.INFO)
        logging.disable(logging.NOTSET)
        sys.argv = [request["channel_file"]]
        random.seed(request["seed"] * 100_003 + starts[0])
        starts[0] += 1

    return refresh
