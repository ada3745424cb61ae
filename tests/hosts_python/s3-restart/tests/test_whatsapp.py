import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from relay.whatsapp import WhatsApp  # noqa: E402


def test_ends_when_it_is_stopped():
    channel = WhatsApp()

    async def scenario():
        task = asyncio.ensure_future(channel.run())
        await asyncio.sleep(0.05)
        await channel.client.handlers["ConnectedEv"](channel.client, None)
        assert channel.online
        await channel.stop()
        task.cancel()

    asyncio.run(scenario())
    assert channel.client.stopped and not channel.running
