"""Pairs once, and ends."""

import asyncio

from neonize.aioze.client import NewAClient
from neonize.aioze.events import ConnectedEv


async def pair(client: NewAClient) -> None:
    ready = asyncio.Event()

    @client.event(ConnectedEv)
    async def _on_connected(_: NewAClient, __: ConnectedEv) -> None:
        ready.set()

    await client.connect()
    await ready.wait()
    await client.stop()


if __name__ == "__main__":
    asyncio.run(pair(NewAClient("wren.db")))
