"""A WhatsApp bot that answers pings."""

import logging
import threading
import time

from neonize.client import NewClient
from neonize.events import ConnectedEv, DisconnectedEv, LoggedOutEv, MessageEv

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("ping")
client = NewClient("ping.db")
online = threading.Event()


@client.event(ConnectedEv)
def on_connected(_, event):
    online.set()


@client.event(DisconnectedEv)
def on_disconnected(current: NewClient, event):
    online.clear()
    log.warning("lost the connection")
    time.sleep(2)
    current.connect()


@client.event(LoggedOutEv)
def on_logged_out(current: NewClient, event):
    """The phone has removed this device."""
    online.clear()
    log.error("logged out")


@client.event(MessageEv)
def on_message(current: NewClient, message):
    if message.Message.conversation == "ping":
        current.reply_message("pong", message)


if __name__ == "__main__":
    while True:
        try:
            log.info("connecting")
            client.connect()
            threading.Event().wait()
        except KeyboardInterrupt:
            break
        except Exception as error:
            log.error("no connection: %s", error)
            time.sleep(5)  # a moment for the network
    log.info("bye")
