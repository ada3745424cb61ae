from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)


def load() -> Any:
    from neonize.aioze import client, events

    return client.NewAClient, events


class WhatsApp:
    """WhatsApp among other channels."""

    def __init__(self, database: str) -> None:
        self.database = database
        self._running = False

    async def start(self) -> None:
        self._running = True
        make, _ = load()
        client = make(self.database)
        self.register(client, messages=True)
        try:
            await client.connect()
            await client.idle()
        finally:
            self._running = False
            await client.stop()

    def register(self, client: Any, *, messages: bool) -> None:
        _, events = load()

        @client.event(events.ConnectedEv)
        async def _on_connected(_: Any, __: Any) -> None:
            logger.info("connected")

        if not messages:
            return

        @client.event(events.MessageEv)
        async def _on_message(_: Any, event: Any) -> None:
            logger.info("message %s", event)
