import asyncio

import aiohttp

from beacon.whatsapp import WhatsAppBeacon


def test_frames_reach_the_inbox(monkeypatch):
    async def run():
        bot = WhatsAppBeacon("ws://localhost:1")
        monkeypatch.setattr(aiohttp.ClientSession, "script", ["dawn", "dusk"])
        monkeypatch.setattr(aiohttp.ClientSession, "after", staticmethod(bot._stopped.set))
        await asyncio.wait_for(bot.run(), 2)
        return bot.inbox

    assert asyncio.run(run()) == ["dawn", "dusk"]


def test_stop_ends_the_next_turn():
    async def run():
        bot = WhatsAppBeacon("ws://localhost:1")
        await bot.stop()
        await asyncio.wait_for(bot.run(), 2)

    asyncio.run(run())
