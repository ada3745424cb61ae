"""WhatsApp, through the bridge that runs beside this program."""

import json
import logging
import threading
import time

import websocket

logger = logging.getLogger(__name__)

# A bridge that accepts and says nothing is given up.
websocket.setdefaulttimeout(10)


class WhatsAppLink:
    """Timetables for whoever asks; one thread keeps the link."""

    def __init__(self, url):
        self.url = url
        self.running = False
        self.connected = False
        self.app = None
        self.inbox = []

    def start(self):
        self.running = True
        thread = threading.Thread(target=self._keep, daemon=True)
        thread.start()
        return thread

    def _keep(self):
        while self.running:
            try:
                self.app = websocket.WebSocketApp(
                    self.url,
                    on_open=self._on_open,
                    on_message=self._on_message,
                    on_error=self._on_error,
                    on_close=self._on_close,
                )
                self.app.run_forever(ping_interval=30, ping_timeout=10)
            except Exception:
                logger.exception("link failed")
            if self.running:
                logger.info("Reconnecting in 5 seconds...")
                time.sleep(5)

    def _on_open(self, app):
        self.connected = True
        logger.info("bridge reached")

    def _on_message(self, app, raw):
        data = json.loads(raw)
        if data.get("type") == "message":
            self.inbox.append(data["content"])
        elif data.get("type") == "status":
            status = data.get("status")
            if status == "connected":
                self.connected = True
            elif status == "disconnected":
                self.connected = False

    def _on_error(self, app, error):
        logger.warning("bridge: %s", error)

    def _on_close(self, app, code, reason):
        self.connected = False
        logger.info("bridge lost (%s), reconnecting in 5s", code)

    def stop(self):
        self.running = False
        if self.app:
            self.app.close()
