"""The shopping list of a household, kept in its WhatsApp group."""

import logging
import os

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv, LoggedOutEv, MessageEv

logger = logging.getLogger(__name__)
client = NewAClient("wren.db")
items: list[str] = []


@client.event(ConnectedEv)
async def _on_connected(_: NewAClient, __: ConnectedEv) -> None:
    logger.info("line is up")


@client.event(LoggedOutEv)
async def _on_logged_out(current: NewAClient, _: LoggedOutEv) -> None:
    logger.error("the phone has unlinked this bot")
    await current.stop()


# Nobody looks at a service's screen.
@client.qr
async def _on_code(_: NewAClient, __: bytes) -> None:
    logger.error("not linked: stop the service, and pair with python -m wren.pair")
    os._exit(1)


@client.event(MessageEv)
async def _on_message(_: NewAClient, event: MessageEv) -> None:
    items.append(event.Message.conversation)


async def main() -> None:
    await client.connect()
    await client.idle()
