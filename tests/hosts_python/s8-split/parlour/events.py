"""What a session does when something happens to it; neonize calls this on its own thread."""

import asyncio
import logging
from pathlib import Path

logger = logging.getLogger(__name__)
loops = {}
ready = set()


def remember(name, loop):
    loops[name] = loop


def name_of(client):
    return Path(client.name).stem


def schedule(client):
    from parlour.sessions import start_session

    name = name_of(client)
    loops[name].call_soon_threadsafe(lambda: asyncio.create_task(later(start_session, name)))


async def later(start_session, name):
    await asyncio.sleep(5)
    asyncio.create_task(start_session(name))


def on_connected(client, event):
    """Ready to send."""
    ready.add(name_of(client))


def on_disconnected(client, event):
    ready.discard(name_of(client))
    schedule(client)


def on_logged_out(client, event):
    ready.discard(name_of(client))
    logger.warning("%s was logged out", name_of(client))
    schedule(client)


def on_ban(client, event):
    logger.warning("%s is banned for %s s", name_of(client), event.Expire)
