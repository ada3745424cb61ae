"""A WhatsApp bot in one process."""

import asyncio
import logging

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv, LoggedOutEv, MessageEv

logger = logging.getLogger("lantern")
client = NewAClient("lantern.db")
connected = asyncio.Event()


@client.event(ConnectedEv)
async def _on_connected(_: NewAClient, __: ConnectedEv) -> None:
    connected.set()


@client.event(LoggedOutEv)
async def _on_logged_out(_: NewAClient, __: LoggedOutEv) -> None:
    connected.clear()
    logger.warning("logged out from WhatsApp")


# Small on purpose: it must return quickly.
@client.event(MessageEv)
async def _on_message(current: NewAClient, event: MessageEv) -> None:
    logger.info("message %s", event)


async def main() -> None:
    await client.connect()
    await client.idle()
    logger.info("bye")


if __name__ == "__main__":
    asyncio.run(main())
