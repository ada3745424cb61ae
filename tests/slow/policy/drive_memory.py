"""One process of a Python bot, which does what the lines of its standard input say.

usage: python drive_memory.py OPTIONS, beside whatsapp_reconnect.py. Each line is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

OPTIONS: dict[str, Any] = json.loads(sys.argv[1])
REAL_PID = os.getpid()
if OPTIONS.get("pid"):
    os.getpid = lambda: OPTIONS["pid"]
if OPTIONS.get("dies"):
    os.replace = lambda *_: os.kill(REAL_PID, signal.SIGKILL)

from whatsapp_reconnect import Reconnect  # type: ignore[import-not-found]  # noqa: E402

logs: list[str] = []


def said(line: str) -> None:
    logs.append(line)
    if OPTIONS.get("logger") == "throws":
        raise RuntimeError("no logger")


LEVELS = {"bare": ["info"], "none": []}.get(OPTIONS.get("logger", ""), ["info", "warning", "error"])
logger = type("Logger", (), {level: staticmethod(said) for level in LEVELS})()
reconnect = Reconnect(OPTIONS["auth"], logger=logger, pairing=OPTIONS.get("pairing", True))


async def answer(step: dict[str, Any], turns: list[asyncio.Task[int]]) -> Any:
    if step["do"] == "turn":
        if not turns or turns[-1].done():
            turns.append(asyncio.ensure_future(reconnect.turn()))
        await asyncio.wait({turns[-1]}, timeout=step["s"])
        if not turns[-1].done():
            return "waiting"
        return "granted" if turns[-1].result() else "refused"
    if step["do"] == "open":
        return reconnect.opened()
    if step["do"] == "close":
        return reconnect.closed(step["code"], error=step.get("message"))
    if step["do"] == "stop":
        return reconnect.stop()
    return logs


async def main() -> None:
    turns: list[asyncio.Task[int]] = []
    read = asyncio.get_running_loop().run_in_executor
    while line := await read(None, sys.stdin.readline):
        print(json.dumps(await answer(json.loads(line), turns)), flush=True)
    os._exit(0)


asyncio.run(main())
