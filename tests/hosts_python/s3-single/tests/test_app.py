import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lantern import app  # noqa: E402


def test_logout_is_noted():
    app.connected.set()
    asyncio.run(app.client.handlers["LoggedOutEv"](app.client, None))
    assert not app.connected.is_set()


def test_main_returns_when_the_client_is_done():
    asyncio.run(app.main())
    assert set(app.client.handlers) >= {"ConnectedEv", "LoggedOutEv", "MessageEv"}
