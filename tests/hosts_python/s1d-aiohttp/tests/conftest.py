import sys
import types
from enum import IntEnum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


class WSMsgType(IntEnum):
    TEXT = 1
    CLOSE = 8
    CLOSING = 256
    CLOSED = 257
    ERROR = 258


class Frame:
    def __init__(self, data):
        self.type, self.data = WSMsgType.TEXT, data

    def json(self):
        return self.data


class Socket:
    def __init__(self, script):
        self.script = list(script)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.script:
            raise StopAsyncIteration
        return Frame(self.script.pop(0))


class ClientSession:
    script = ()
    after = staticmethod(lambda: None)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return False

    def ws_connect(self, url, **options):
        self.after()
        return Socket(self.script)


stub = types.ModuleType("aiohttp")
stub.ClientSession, stub.WSMsgType = ClientSession, WSMsgType
stub.ClientError = OSError
sys.modules.setdefault("aiohttp", stub)
