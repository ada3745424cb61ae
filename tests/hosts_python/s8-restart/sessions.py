"""WhatsApp sessions of an API server."""

import asyncio
import logging

from neonize.client import NewClient
from neonize.events import ConnectedEv, DisconnectedEv, LoggedOutEv

logger = logging.getLogger("api")
ready = set()
loop = None


def schedule(session):
    asyncio.run_coroutine_threadsafe(again(session), loop)


async def again(session):
    await asyncio.sleep(5)
    asyncio.create_task(start_session(session))


async def start_session(session):
    client = NewClient(f"{session}.db")

    @client.event(ConnectedEv)
    def on_connected(_, event):
        ready.add(session)

    @client.event(DisconnectedEv)
    def on_disconnected(_, event):
        ready.discard(session)
        schedule(session)

    @client.event(LoggedOutEv)
    def on_logged_out(_, event):
        ready.discard(session)
        logger.warning("logged out")
        reconnect_later(session)

    client.connect()
    return client


def reconnect_later(session):
    schedule(session)
