import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from wren import whatsapp  # noqa: E402


def test_main_returns_when_the_client_is_done():
    asyncio.run(whatsapp.main())
    assert set(whatsapp.client.handlers) >= {"ConnectedEv", "LoggedOutEv", "MessageEv"}


def test_a_logout_stops_the_client():
    asyncio.run(whatsapp.client.handlers["LoggedOutEv"](whatsapp.client, None))
    assert whatsapp.client.stopped
