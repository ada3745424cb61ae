"""Copies what the WhatsApp bridge says to a list."""

import time

from websocket import WebSocketApp, setdefaulttimeout

setdefaulttimeout(10)
heard = []


def on_message(app, raw):
    heard.append(raw)


def on_close(app, code, reason):
    print("WhatsApp bridge gone")


def relay(url):
    while True:
        app = WebSocketApp(url, on_message=on_message, on_close=on_close)
        app.run_forever(reconnect=5)
        time.sleep(1)
