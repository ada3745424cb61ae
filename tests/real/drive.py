"""Runs a real nanobot link channel under virtual time; prints the dials of one hour.

The channel's own module, with stubs for the rest of nanobot and for ``websockets`` (only
``connect``, as in hosts' tests). A dial costs 0.05 s, a clean close comes after 1 s.
"""

import asyncio
import importlib
import logging
import sys
import time
import types
from pathlib import Path
from typing import Any

host, mode = Path(sys.argv[1]), sys.argv[2]
HOUR = 3600.0
elapsed = 0.0
attempts = 0
real_sleep = asyncio.sleep
begun = time.time()


async def sleep(seconds: float, result: Any = None) -> Any:
    global elapsed
    elapsed += max(0.0, seconds)
    await real_sleep(0)
    return result


asyncio.sleep = sleep
time.monotonic = lambda: elapsed
time.time = lambda: begun + elapsed


class Quiet:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


class Base:
    def __init__(self, config: Any, bus: Any) -> None:
        self.config, self.bus, self.logger, self._running = config, bus, Quiet(), False


def stub(name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


class Link:
    async def __aenter__(self) -> "Link":
        global attempts
        attempts += 1
        await sleep(0.05)
        if elapsed >= HOUR:
            bot._running = False
        if mode == "refuse":
            raise OSError("refused")
        return self

    async def __aexit__(self, *error: object) -> bool:
        return False

    async def send(self, text: str) -> None:
        pass

    def __aiter__(self) -> "Link":
        self.told = False
        return self

    async def __anext__(self) -> str:
        if mode == "logout" and not self.told:
            self.told = True
            return '{"type": "status", "status": "logged_out"}'
        await sleep(90 if mode == "flap" else 1)
        raise StopAsyncIteration


logging.disable(logging.CRITICAL)
stub("websockets", connect=lambda url: Link())
stub("loguru", logger=Quiet())
stub("pydantic", Field=lambda **options: None)
for package in ("nanobot", "nanobot.channels"):
    stub(package, __path__=[str(host / package.replace(".", "/"))])
stub("nanobot.bus.events", OutboundMessage=object)
stub("nanobot.bus.queue", MessageBus=object)
stub("nanobot.channels.base", BaseChannel=Base)
stub("nanobot.config.schema", Base=object, WhatsAppConfig=object)
for package in ("nanobot.bus", "nanobot.config"):
    stub(package, __path__=[])

module = importlib.import_module("nanobot.channels.whatsapp")
config = types.SimpleNamespace(bridge_url="ws://bridge", bridge_token="t")
bot = module.WhatsAppChannel.__new__(module.WhatsAppChannel)
Base.__init__(bot, config, None)
bot._ws = None
bot._connected = False
bot._bridge_token = "t"


async def main() -> None:
    task = asyncio.ensure_future(bot.start())
    for _ in range(400_000):
        if task.done() or elapsed >= HOUR:
            break
        await real_sleep(0)
    task.cancel()
    print(f"attempts={attempts}")


asyncio.run(main())
