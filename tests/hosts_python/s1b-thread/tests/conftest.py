import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

client = types.ModuleType("websockets.sync.client")
client.connect = None
for name in ("websockets", "websockets.sync"):
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules.setdefault("websockets.sync.client", client)
