import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import bot  # noqa: E402


def test_online_until_logged_out():
    bot.client.handlers["ConnectedEv"](bot.client, None)
    assert bot.online.is_set()
    bot.client.handlers["LoggedOutEv"](bot.client, None)
    assert not bot.online.is_set()
