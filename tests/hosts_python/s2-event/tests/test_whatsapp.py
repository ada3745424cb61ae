import asyncio
import sys
import time
import types

from gauge.whatsapp import WhatsApp


def test_stop_interrupts_the_wait(monkeypatch):
    stub = types.ModuleType("websockets")

    def connect(url):
        raise OSError("refused")

    stub.connect = connect
    monkeypatch.setitem(sys.modules, "websockets", stub)

    async def main():
        bot = WhatsApp("ws://x")
        task = asyncio.create_task(bot.run())
        await asyncio.sleep(0.05)
        await bot.stop()
        await asyncio.wait_for(task, 1)

    begun = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - begun < 2
