from __future__ import annotations

import asyncio
import logging

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv, DisconnectedEv, MessageEv

logger = logging.getLogger(__name__)


class WhatsApp:
    """WhatsApp, with a new client after each end of the old one."""

    def __init__(self, database: str = "relay.db") -> None:
        self.database = database
        self.client: NewAClient | None = None
        self.running = False
        self.online = False

    async def run(self) -> None:
        self.running = True
        while self.running:
            try:
                self.client = NewAClient(self.database)
                self.register()
                await self.client.connect()
                await self.client.idle()
            except Exception as error:
                logger.warning("WhatsApp: %s", error)
            if self.running:
                await asyncio.sleep(3)

    async def stop(self) -> None:
        self.running = False
        if self.client is not None:
            await self.client.stop()

    def register(self) -> None:
        self.client.event(ConnectedEv)(self.on_connected)
        self.client.event(DisconnectedEv)(self.on_disconnected)
        self.client.event(MessageEv)(self.on_message)

    async def on_connected(self, client: NewAClient, event: ConnectedEv) -> None:
        self.online = True

    async def on_disconnected(self, client: NewAClient, event: DisconnectedEv) -> None:
        self.online = False

    async def on_message(self, client: NewAClient, event: MessageEv) -> None:
        logger.info("message %s", event)
