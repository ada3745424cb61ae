"""Discord's gateway. Unlike whatsapp.py it needs no bridge."""

import asyncio

import websockets

from harbor.channels.base import Channel


class DiscordChannel(Channel):
    name = "discord"

    async def start(self) -> None:
        self._running = True
        while self._running:
            try:
                async with websockets.connect("wss://gateway.discord.gg") as ws:
                    async for _message in ws:
                        pass
            except Exception:
                await asyncio.sleep(5)
