import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import sessions  # noqa: E402


def test_connected_is_ready():
    client = asyncio.run(sessions.start_session("a"))
    client.handlers["ConnectedEv"](client, None)
    assert "a" in sessions.ready
