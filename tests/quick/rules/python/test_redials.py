"""Dials that come back without a loop of their own: told of with the reason, never rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import hand_offs, look

PATH = "whatsapp.py"
HEAD = """import asyncio
import threading
import time

import websocket
import websockets


class WhatsApp:
"""
SERVE = """    {decorator}
    async def connect(self):
        try:
            async with websockets.connect(self.url) as ws:
                async for message in ws:
                    await self.handle(message)
        {end}

    async def _again(self):
        await asyncio.sleep({pause})
        await self.connect()
"""
APP = """    def connect(self):
        self.app = websocket.WebSocketApp(self.url, on_message=self.on_message{handlers})
        {run}

    def on_message(self, app, text):
        if text == "restart":
            self.connect()

    def on_close(self, app, code, reason):
        {end}
"""
RUN = "self.app.run_forever()"


def serve(end: str = "finally:\n            pass", pause: str = "5", decorator: str = "") -> str:
    return HEAD + SERVE.format(end=end, pause=pause, decorator=decorator)


def app(
    end: str = "self.connect()", run: str = RUN, handlers: str = ", on_close=self.on_close"
) -> str:
    return HEAD + APP.format(end=end, run=run, handlers=handlers)


SLEEPS = "except OSError:\n            await asyncio.sleep(5)\n            await self.connect()"
LATER = (
    "except OSError:\n            loop = asyncio.get_event_loop()\n"
    "            loop.call_later(5, lambda: asyncio.ensure_future(self.connect()))"
)
THREAD = "threading.Thread(target=self.app.run_forever).start()"


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (serve(SLEEPS), "after a flat 5 s: connect() leads"),
        (serve("except OSError:\n            await self.connect()"), "at once: connect()"),
        (serve("finally:\n            await self._again()"), "5 s: connect() through _again()"),
        (serve("finally:\n            asyncio.create_task(self._again())"), "through _again()"),
        (serve(LATER), "after a flat 5 s: connect()"),
        (app(), "at once: connect() through on_close()"),
        (app("threading.Timer(5, self.connect).start()"), "5 s: connect() through on_close()"),
        (app("time.sleep(5)\n        self.connect()", THREAD), "5 s: connect() through on_close()"),
    ],
)
def test_a_function_that_leads_to_itself(tmp_path: Path, text: str, way: str) -> None:
    patch = look(tmp_path, {PATH: text})
    [finding] = patch.findings
    assert finding.rule == "flat-retry" and way in finding.message
    assert "without a loop" in finding.reason and finding.accept and not patch.edits


@pytest.mark.parametrize("text", [app(handlers=""), serve(), app("print(code)")])
def test_what_a_message_asks_for_is_no_way_back(tmp_path: Path, text: str) -> None:
    patch = look(tmp_path, {PATH: text})
    assert not patch.findings and not patch.edits


def test_another_program_s_is_left(tmp_path: Path) -> None:
    text = serve(SLEEPS).replace("WhatsApp", "Weather")
    assert not look(
        tmp_path, {"weather.py": text + "\n# WhatsApp has a file of its own\n"}
    ).findings


def test_a_pause_that_grows_is_right(tmp_path: Path) -> None:
    grown = serve("finally:\n            await self._again()", "min(2**self.tries, 60)")
    patch = look(tmp_path, {PATH: grown})
    assert not patch.findings
    assert [note.kind for note in patch.notes] == ["right"]
    opened = "as ws:\n                self.tries = 0\n"
    early = look(tmp_path, {PATH: grown.replace("as ws:\n", opened)})
    assert hand_offs(early) == {"premature-reset"}


def test_a_gate_in_the_function_is_accepted(tmp_path: Path) -> None:
    gate = "        if not await link_of(self).turn():\n            return\n        try:\n"
    patch = look(tmp_path, {PATH: serve(SLEEPS).replace("        try:\n", gate, 1)})
    assert not patch.findings


@pytest.mark.parametrize(
    ("decorator", "found"),
    [
        ("@retry(wait=wait_fixed(5))", True),
        ("@tenacity.retry", True),
        ("@backoff.on_exception(backoff.constant, OSError, interval=5)", True),
        ("@retry(wait=wait_exponential(min=5, max=60))", False),
        ("@backoff.on_exception(backoff.expo, OSError)", False),
        ("@functools.cache", False),
    ],
)
def test_a_decorator_that_calls_again(tmp_path: Path, decorator: str, found: bool) -> None:
    patch = look(tmp_path, {PATH: serve(decorator=decorator)})
    assert hand_offs(patch) == ({"flat-retry"} if found else set()) and not patch.edits
    if found:
        assert "a decorator" in patch.findings[0].reason


@pytest.mark.parametrize("options", ["reconnect=5", "dispatcher=rel, reconnect=5"])
def test_the_library_s_own_redial_outside_a_loop(tmp_path: Path, options: str) -> None:
    text = app("print(code)", RUN.replace("()", f"({options})"))
    patch = look(tmp_path, {PATH: text})
    assert "reconnects by itself" in patch.findings[0].message and not patch.edits
    assert not look(tmp_path, {PATH: text.replace("reconnect=5", "reconnect=0")}).findings


def test_a_loop_that_does_not_see_the_end(tmp_path: Path) -> None:
    run = f"while True:\n            {THREAD}\n            time.sleep(5)"
    patch = look(tmp_path, {PATH: app("print(code)", run)})
    assert "to a thread" in patch.findings[0].reason and not patch.edits
    asks = app("print(code)", "while self.app.run_forever():\n            time.sleep(5)")
    patch = look(tmp_path, {PATH: asks})
    assert "no line of its own" in patch.findings[0].reason and not patch.edits


def test_a_loop_at_the_top_level(tmp_path: Path) -> None:
    text = (
        "import time\n\nimport websocket\n\napp = websocket.WebSocketApp('ws://x')\n"
        "while True:\n    app.run_forever()\n    time.sleep(5)\n"
    )
    patch = look(tmp_path, {PATH: text})
    assert hand_offs(patch) == {"flat-retry"} and patch.findings[0].line == 6
    assert not look(tmp_path, {"bot.py": text, PATH: ""}).findings


@pytest.mark.parametrize(
    ("made", "found"),
    [("make_app(url)", True), ("self", True), ("asyncio.new_event_loop()", False)],
)
def test_an_app_that_is_made_out_of_sight(tmp_path: Path, made: str, found: bool) -> None:
    name = "loop" if "loop" in made else "app"
    text = (
        "import asyncio\nimport time\n\nimport websocket\n\n\n"
        f"def whatsapp(url):\n    {name} = {made}\n    while True:\n"
        f"        {name}.run_forever()\n        time.sleep(5)\n\n\nAPP = websocket.WebSocketApp\n"
    ).replace("APP = websocket.WebSocketApp", "websocket.WebSocketApp('ws://x')")
    patch = look(tmp_path, {PATH: text})
    assert [finding.line for finding in patch.findings] == ([9] if found else [])
    assert not patch.edits
