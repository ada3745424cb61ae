from __future__ import annotations

import asyncio
import logging

RETRY_SECONDS = 5.0
log = logging.getLogger("gauge")


class WhatsApp:
    """WhatsApp over the local bridge."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._running = True
        self._stop_event = asyncio.Event()
        self._ws = None

    async def run(self) -> None:
        from websockets import connect

        while self._running:
            try:
                async with connect(self.url) as ws:
                    self._ws = ws
                    async for raw in ws:
                        await self.handle(raw)
            except asyncio.CancelledError:
                break
            except Exception as exc:
                log.warning("link lost: %s, again in %ss", exc, RETRY_SECONDS)
                if self._running:
                    try:
                        await asyncio.wait_for(self._stop_event.wait(), timeout=RETRY_SECONDS)
                    except asyncio.TimeoutError:
                        pass
            finally:
                self._ws = None

    async def handle(self, raw: str) -> None:
        log.info("got %s", raw)

    async def stop(self) -> None:
        self._running = False
        self._stop_event.set()
