import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from whatsapp_channel import WhatsAppChannel  # noqa: E402


def test_logout():
    channel = WhatsAppChannel("x.db")
    asyncio.run(channel.start())
    channel._connected = True
    channel._client.handlers["LoggedOutEv"](channel._client, None)
    assert channel._connected is False
