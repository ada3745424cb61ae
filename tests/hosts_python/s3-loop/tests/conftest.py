"""neonize as far as this bot uses it: one handler an event, no network."""

import sys
import types


class NewClient:
    def __init__(self, name):
        self.name = name
        self.handlers = {}
        self.stopped = False

    def event(self, kind):
        def keep(handler):
            self.handlers[kind.__name__] = handler

        return keep

    def connect(self):
        return None

    def stop(self):
        self.stopped = True

neonize = types.ModuleType("neonize")
client = types.ModuleType("neonize.client")
client.NewClient = NewClient
events = types.ModuleType("neonize.events")
for name in ("ConnectedEv", "DisconnectedEv", "LoggedOutEv", "MessageEv"):
    setattr(events, name, type(name, (), {}))
sys.modules["neonize"] = neonize
sys.modules["neonize"] = sys.modules.get("neonize", types.ModuleType("neonize"))
sys.modules["neonize.client"] = client
sys.modules["neonize.events"] = events
