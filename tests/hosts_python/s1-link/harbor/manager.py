import asyncio
import logging

from harbor.channels.discord import DiscordChannel
from harbor.channels.whatsapp import WhatsAppChannel

logger = logging.getLogger(__name__)


class Manager:
    def __init__(self, settings):
        self.channels = [WhatsAppChannel(settings, []), DiscordChannel(settings, [])]

    async def start_one(self, channel) -> None:
        try:
            await channel.start()
        except Exception as e:
            logger.error(f"{channel.name} failed: {e}")

    async def run(self) -> None:
        await asyncio.gather(*(self.start_one(channel) for channel in self.channels))
