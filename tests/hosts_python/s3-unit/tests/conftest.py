"""neonize as far as this bot uses it: one handler an event, no network."""

import sys
import types


class NewAClient:
    def __init__(self, name):
        self.name = name
        self.handlers = {}
        self.stopped = False

    def event(self, kind):
        def keep(handler):
            self.handlers[kind.__name__] = handler

        return keep

    def qr(self, handler):
        self.handlers["qr"] = handler
        return handler

    async def connect(self):
        return None

    async def idle(self):
        return None

    async def stop(self):
        self.stopped = True

neonize = types.ModuleType("neonize")
client = types.ModuleType("neonize.aioze.client")
client.NewAClient = NewAClient
events = types.ModuleType("neonize.aioze.events")
for name in ("ConnectedEv", "LoggedOutEv", "MessageEv"):
    setattr(events, name, type(name, (), {}))
sys.modules["neonize"] = neonize
sys.modules["neonize.aioze"] = sys.modules.get("neonize.aioze", types.ModuleType("neonize.aioze"))
sys.modules["neonize.aioze.client"] = client
sys.modules["neonize.aioze.events"] = events
