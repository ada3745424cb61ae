import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


class App:
    """Refused once, then open until closed."""

    made = []

    def __init__(self, url, on_open=None, on_message=None, on_error=None, on_close=None):
        self.on_open, self.on_message = on_open, on_message
        self.on_error, self.on_close = on_error, on_close
        self.script = []
        App.made.append(self)

    def run_forever(self, **options):
        self.options = options
        if self.on_open:
            self.on_open(self)
        while self.script:
            self.on_message(self, self.script.pop(0))
        if self.on_close:
            self.on_close(self, 1000, None)
        return False

    def close(self):
        self.script.clear()


stub = types.ModuleType("websocket")
stub.WebSocketApp = App
stub.setdefaulttimeout = lambda seconds: None
sys.modules.setdefault("websocket", stub)
