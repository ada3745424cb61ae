import asyncio
import json
import sys
import types

import pytest

from harbor.channels.whatsapp import WhatsAppChannel


class Link:
    """A connection that yields what it was given, then closes cleanly."""

    def __init__(self, messages, after):
        self.messages = list(messages)
        self.after = after

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.messages:
            return self.messages.pop(0)
        self.after()
        raise StopAsyncIteration

    async def close(self):
        pass


def with_connect(monkeypatch, connect):
    stub = types.ModuleType("websockets")
    stub.connect = connect
    monkeypatch.setitem(sys.modules, "websockets", stub)


def channel():
    return WhatsAppChannel({"bridge": "ws://localhost:1"}, [])


def test_messages_reach_the_inbox(monkeypatch):
    bot = channel()
    message = json.dumps({"type": "message", "sender": "a", "content": "Brest"})

    def stop():
        bot._running = False

    with_connect(monkeypatch, lambda url: Link([message], stop))
    asyncio.run(asyncio.wait_for(bot.start(), 2))
    assert bot.inbox == [("a", "Brest: high at noon")]


def test_a_refused_bridge_ends_with_the_flag(monkeypatch):
    bot = channel()

    def refuse(url):
        bot._running = False
        raise OSError("refused")

    with_connect(monkeypatch, refuse)
    asyncio.run(asyncio.wait_for(bot.start(), 2))
    assert not bot._connected


def test_a_channel_built_without_init_can_stop():
    bot = WhatsAppChannel.__new__(WhatsAppChannel)
    bot._ws = None
    asyncio.run(bot.stop())
    assert bot._running is False


@pytest.mark.parametrize("status, connected", [("connected", True), ("disconnected", False)])
def test_status(status, connected):
    bot = channel()
    asyncio.run(bot.on_bridge(json.dumps({"type": "status", "status": status})))
    assert bot._connected is connected
