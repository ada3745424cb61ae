import json

import websocket

from ferry.whatsapp import WhatsAppLink


def run(link, *messages):
    """One connection that brings these, and after which the link is stopped."""

    class Once(websocket.WebSocketApp):
        def run_forever(self, **options):
            self.script = [json.dumps(message) for message in messages]
            super().run_forever(**options)
            link.stop()

    made, websocket.WebSocketApp = websocket.WebSocketApp, Once
    try:
        link.start().join(5)
    finally:
        websocket.WebSocketApp = made


def test_messages_reach_the_inbox():
    link = WhatsAppLink("ws://localhost:1")
    run(link, {"type": "message", "content": "When does it sail?"})
    assert link.inbox == ["When does it sail?"]
    assert link.running is False and link.connected is False


def test_it_is_connected_once_it_is_open():
    link = WhatsAppLink("ws://localhost:1")
    link._on_open(None)
    assert link.connected
    link._on_message(None, json.dumps({"type": "status", "status": "disconnected"}))
    assert not link.connected
