"""Runs a neonize bot with the real library up to the point where it would dial; prints what it saw.

Arguments: the bot's folder, the bot, the event to send. Classes, protobuf events, dispatch and
threads are neonize's own; only the calls into Go that dial or end a dial are replaced, so that
nothing leaves this machine.
"""

import asyncio
import ctypes
import os
import sqlite3
import sys
import threading
import time

folder, bot, what = sys.argv[1:4]
sys.path.insert(0, folder)
os.chdir(folder)

from neonize import events  # noqa: E402
from neonize.aioze import client as aioze_client  # noqa: E402
from neonize.client import NewClient  # noqa: E402

NewAClient = aioze_client.NewAClient
dialled = []
stops = []


def connect(self, proxy_settings=None):
    """As in Go: it comes back once the client is stopped."""
    self.over = threading.Event()
    dialled.append(self)
    self.over.wait(20)


async def connect_async(self, proxy_settings=None):
    dialled.append(self)
    self.loop = asyncio.get_running_loop()
    aioze_client._events_module.set_event_loop(self.loop)
    self.over = asyncio.Event()
    self.connect_task = self.loop.create_task(self.over.wait())
    return self.connect_task


def end(self):
    stops.append(self)
    self.over.set()


async def end_async(self):
    stops.append(self)
    self.over.set()


for name in ("connect", "connect_with_proxy"):
    setattr(NewClient, name, connect)
    setattr(NewAClient, name, connect_async)
for name in ("stop", "disconnect", "logout"):
    setattr(NewClient, name, end)
    setattr(NewAClient, name, end_async)


def send(client, message):
    """Into neonize where Go would: by number and bytes, on a thread that is not the bot's."""
    code = events.EVENT_TO_INT[type(message)]
    data = message.SerializeToString()
    buffer = ctypes.create_string_buffer(data, max(len(data), 1))
    uuid = ctypes.addressof(buffer)
    client.event.execute(uuid, ctypes.addressof(buffer), len(data), code)


MESSAGES = {
    "logout": events.LoggedOutEv(OnConnect=True, Reason=2),
    "ban": events.TemporaryBanEv(Code=1, Expire=7200),
    "replaced": events.StreamReplacedEv(),
    "disconnected": events.DisconnectedEv(status=True),
    "connected": events.ConnectedEv(status=True),
}


def wait_for(number, seconds=5.0):
    end = time.monotonic() + seconds
    while len(dialled) < number and time.monotonic() < end:
        time.sleep(0.01)
    return len(dialled) >= number


def later(*names, gap=0.3):
    def run():
        assert wait_for(1)
        time.sleep(gap)
        for name in names:
            send(dialled[-1], MESSAGES[name])
            time.sleep(gap)

    threading.Thread(target=run, daemon=True).start()


async def ends(coroutine, seconds=2.5):
    try:
        await asyncio.wait_for(coroutine, seconds)
    except TimeoutError:
        return "runs on"
    return "ended"


async def single():
    from lantern import app

    later(what)
    print("bot", await ends(app.main()))


async def manager():
    from quay.channels.whatsapp import WhatsApp
    from quay.manager import Manager

    class Other:
        async def start(self):
            await asyncio.sleep(1.5)
            print("other ended by itself")

    later(what)
    run = Manager({"whatsapp": WhatsApp("quay.db"), "other": Other()})
    print("bot", await ends(run.run()))
    print("errors", run.errors)


async def thread():
    from whatsapp_channel import WhatsAppChannel

    channel = WhatsAppChannel("robot.db")
    await channel.start()
    later(what)
    await asyncio.sleep(1.5)
    print("bot", "runs on" if channel._thread.is_alive() else "ended")


async def sessions():
    """A session that something ends ten times; its waits take no time."""
    import parlour.events
    import parlour.sessions

    os.makedirs("data", exist_ok=True)
    connection = sqlite3.connect("data/a.db")
    connection.execute("CREATE TABLE whatsmeow_device (jid TEXT, registration_id BIGINT)")
    connection.execute("INSERT INTO whatsmeow_device VALUES ('1:1@s', 7)")
    connection.commit()
    connection.close()
    real = asyncio.sleep

    async def sleep(seconds, result=None):
        await real(min(seconds, 0.01))
        return result

    asyncio.sleep = sleep
    task = asyncio.ensure_future(parlour.sessions.start_session("a"))
    for _ in range(10):
        for _ in range(100):
            await real(0.01)
            if dialled and not getattr(dialled[-1], "told", False):
                break
        else:
            break
        dialled[-1].told = True
        send(dialled[-1], MESSAGES[what])
        dialled[-1].over.set()
        await real(0.1)
    task.cancel()
    print("dials", len(dialled))


asyncio.run({"single": single, "manager": manager, "thread": thread, "sessions": sessions}[bot]())
print("stops", len(stops), flush=True)
os._exit(0)
