"""A small WhatsApp bot: one thread that listens to the bridge."""

import threading
import time

from websockets.sync.client import connect

running = threading.Event()
seen = []


def listen(url):
    while running.is_set():
        try:
            with connect(url) as ws:
                for message in ws:
                    seen.append(message)
        except Exception as error:
            print(f"WhatsApp bridge: {error}, again in 5s")
            time.sleep(5)


class WhatsAppListener(threading.Thread):
    def __init__(self, url):
        super().__init__(daemon=True)
        self.url = url
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            try:
                with connect(self.url) as ws:
                    for message in ws:
                        seen.append(message)
            except OSError:
                pass
            time.sleep(5)

    def close(self):
        self.stopped.set()
