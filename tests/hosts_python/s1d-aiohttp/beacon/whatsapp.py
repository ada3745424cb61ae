"""WhatsApp, through the bridge's WebSocket."""

import asyncio
import logging

import aiohttp

logger = logging.getLogger(__name__)

FIRST_DELAY = 2
LONGEST_DELAY = 120


class WhatsAppBeacon:
    def __init__(self, url):
        self.url = url
        self.inbox = []
        self._stopped = asyncio.Event()

    async def run(self):
        delay = FIRST_DELAY
        async with aiohttp.ClientSession() as session:
            while not self._stopped.is_set():
                try:
                    async with session.ws_connect(self.url, heartbeat=30) as ws:
                        delay = FIRST_DELAY
                        logger.info("bridge reached")
                        async for frame in ws:
                            if frame.type == aiohttp.WSMsgType.TEXT:
                                self.inbox.append(frame.json())
                            elif frame.type == aiohttp.WSMsgType.ERROR:
                                break
                except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                    logger.warning("bridge lost: %s", error)
                if self._stopped.is_set():
                    break
                logger.info("next try in %s s", delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)

    async def stop(self):
        self._stopped.set()
