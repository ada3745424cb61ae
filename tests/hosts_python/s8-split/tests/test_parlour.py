import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from parlour import events, sessions  # noqa: E402


def test_connected_is_ready():
    asyncio.run(sessions.start_session("a"))
    client = sessions.clients["a"]
    client.handlers["ConnectedEv"](client, None)
    assert "a" in events.ready
