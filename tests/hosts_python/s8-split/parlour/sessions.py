"""WhatsApp sessions of a parlour's API, one client each."""

import asyncio
import logging
from pathlib import Path

from neonize.client import NewClient
from neonize.events import ConnectedEv, DisconnectedEv, LoggedOutEv, TemporaryBanEv

from parlour.events import on_ban, on_connected, on_disconnected, on_logged_out, remember

logger = logging.getLogger(__name__)
folder = Path("data")
clients = {}


async def start_session(name: str) -> None:
    """Makes a new client for a session and connects it."""
    remember(name, asyncio.get_running_loop())
    try:
        database = str(folder / f"{name}.db")
        client = NewClient(database)
        clients[name] = client
        register(client)
        await asyncio.get_running_loop().run_in_executor(None, client.connect)
    except Exception as error:
        logger.error("session %s did not start: %s", name, error)


def register(client: NewClient) -> None:
    client.event(ConnectedEv)(on_connected)
    client.event(DisconnectedEv)(on_disconnected)
    client.event(LoggedOutEv)(on_logged_out)
    client.event(TemporaryBanEv)(on_ban)


async def relink(name: str) -> None:
    """A person asks for a new code."""
    clients.pop(name).logout()
    await asyncio.sleep(2)
    asyncio.create_task(start_session(name))
