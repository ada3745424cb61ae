"""WhatsApp, through the bridge process next door."""

import asyncio
import json
import logging

from harbor.channels.base import Channel
from harbor.tides import tide_table

logger = logging.getLogger(__name__)


class WhatsAppChannel(Channel):
    """Talks to the Node bridge over a local WebSocket."""

    name = "whatsapp"

    def __init__(self, settings, inbox):
        super().__init__(settings, inbox)
        self._ws = None
        self._connected = False

    async def start(self) -> None:
        """Serve until stopped."""
        import websockets

        url = self.settings["bridge"]
        self._running = True

        # One connection after the other.
        while self._running:
            try:
                async with websockets.connect(url) as ws:
                    self._ws = ws
                    self._connected = True
                    logger.info("bridge reached")
                    async for message in ws:
                        try:
                            await self.on_bridge(message)
                        except Exception as e:
                            logger.error(f"bad message: {e}")
            except asyncio.CancelledError:
                break
            except Exception as e:
                self._connected = False
                self._ws = None
                logger.warning(f"bridge lost: {e}")

                if self._running:
                    logger.info("Reconnecting in 5 seconds...")
                    await asyncio.sleep(5)  # give it time

    async def stop(self) -> None:
        self._running = False
        if self._ws:
            await self._ws.close()
            self._ws = None

    async def on_bridge(self, raw: str) -> None:
        data = json.loads(raw)
        kind = data.get("type")
        if kind == "message":
            self.inbox.append((data["sender"], tide_table(data["content"])))
        elif kind == "status":
            status = data.get("status")
            if status == "connected":
                self._connected = True
            elif status == "disconnected":
                self._connected = False
        elif kind == "qr":
            logger.info("scan the code in the bridge's terminal")
