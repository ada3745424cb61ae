"""websocket-client's ``WebSocketApp``: run_forever() in a loop, its handlers, its own redial."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import additions, after, hand_offs, look, rules

PATH = "whatsapp.py"
CLASS = """import threading
import time

import websocket


class WhatsApp:
    def __init__(self, url):
        self.running = False
        self.app = {made}

    def run(self):
        self.running = True
        while {test}:
            {making}
            self.app.run_forever({options})
            {wait}

    def on_open(self, app):
        print("open")

    def on_message(self, app, raw):
        status = raw["status"]
        if status == "connected":
            self.up = True
        elif status == "disconnected":
            self.up = False

    def on_close(self, app, code, reason):
        print("closed, again in 5s")

    def stop(self):
        self.running = False
        self.app.close()
"""
MADE = "websocket.WebSocketApp(url, on_open=self.on_open)"


def host(
    *,
    made: str = "None",
    test: str = "self.running",
    making: str = "self.app = websocket.WebSocketApp(self.url, on_message=self.on_message)",
    options: str = "ping_interval=30",
    wait: str = "time.sleep(5)",
) -> str:
    return CLASS.format(made=made, test=test, making=making, options=options, wait=wait)


def test_a_flat_wait_becomes_the_turn(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: host()})
    assert {"flat-retry", "logout-hidden-by-bridge"} == rules(patch) | hand_offs(patch)
    text = after(tmp_path, patch, PATH)
    assert "        while self.running and link.turn_sync():\n" in text
    assert "time.sleep" not in text and "import time" not in text
    assert "        self.running = False\n        link_of(self).stop()\n" in text
    born = text[text.index("def __init__") : text.index("def run")]
    assert "link" not in born, "where the flag is born, nothing is stopped"
    (tmp_path / PATH).write_text(text)
    again = look(tmp_path, additions(patch))
    assert not again.edits and not rules(again)


def test_no_wait_at_all_is_silent(tmp_path: Path) -> None:
    """run_forever() raises nothing: what only an except waits for is no wait."""
    patch = look(tmp_path, {PATH: host(wait="pass")})
    assert "silent-redial" in rules(patch)


def test_an_app_without_on_open_gets_one(tmp_path: Path) -> None:
    text = after(tmp_path, look(tmp_path, {PATH: host()}), PATH)
    assert (
        "            self.app = websocket.WebSocketApp(\n"
        "                self.url,\n"
        "                on_message=self.on_message,\n"
        "                on_open=link.on_open(),\n"
        "            )\n"
    ) in text


@pytest.mark.parametrize(
    ("making", "told"),
    [
        (
            "self.app = websocket.WebSocketApp(self.url, on_open=self.on_open)",
            "(\n                self.url,\n                on_open=link.on_open(self.on_open),\n",
        ),
        ("self.app = websocket.WebSocketApp(u, on_open=f)", "(u, on_open=link.on_open(f))"),
        ("self.app = websocket.WebSocketApp(u, [], f)", "(u, [], link.on_open(f))"),
        ("self.app = websocket.WebSocketApp(u, on_open=None)", "(u, on_open=link.on_open())"),
        (
            "self.app = websocket.WebSocketApp(u)\n            self.app.on_open = lambda _: 0",
            "self.app.on_open = link.on_open(lambda _: 0)",
        ),
        (
            "self.app = websocket.WebSocketApp(\n                u,\n            )",
            "(\n                u,\n                on_open=link.on_open(),\n            )",
        ),
        (
            "self.app = websocket.WebSocketApp(\n                u\n            )",
            "(\n                u,\n                on_open=link.on_open()\n            )",
        ),
    ],
)
def test_the_host_s_own_handler_is_called_too(tmp_path: Path, making: str, told: str) -> None:
    assert told in after(tmp_path, look(tmp_path, {PATH: host(making=making)}), PATH)


def test_an_app_made_in_another_method(tmp_path: Path) -> None:
    text = after(tmp_path, look(tmp_path, {PATH: host(made=MADE, making="pass")}), PATH)
    assert "on_open=link_of(self).on_open(self.on_open)" in text


def test_handlers_that_are_set_from_a_dict_are_handed_off(tmp_path: Path) -> None:
    making = "self.app = websocket.WebSocketApp(self.url, **self.handlers)"
    patch = look(tmp_path, {PATH: host(making=making)})
    assert "flat-retry" in hand_offs(patch) and not patch.edits


def test_a_logout_ends_run_forever(tmp_path: Path) -> None:
    text = after(tmp_path, look(tmp_path, {PATH: host()}), PATH)
    word = '        elif status == "logged_out":\n            self.up = False\n'
    assert word + "            link_of(self).logout()\n            self.app.close()\n" in text
    local = host().replace("self.app.run_forever", "app.run_forever")
    local = local.replace("self.app = websocket", "app = websocket")
    text = after(tmp_path, look(tmp_path, {PATH: local}), PATH)
    assert word + "            link_of(self).logout()\n            app.close()\n" in text


def test_what_a_handler_says_of_the_wait_stays_true(tmp_path: Path) -> None:
    making = "self.app = websocket.WebSocketApp(self.url, on_close=self.on_close)"
    text = after(tmp_path, look(tmp_path, {PATH: host(making=making)}), PATH)
    assert 'print("closed, again in a while")' in text


@pytest.mark.parametrize("options", ["reconnect=5", "reconnect=5, ping_interval=30"])
def test_the_library_s_redial_gives_way_to_the_loop(tmp_path: Path, options: str) -> None:
    patch = look(tmp_path, {PATH: host(options=options)})
    assert any("reconnects by itself" in finding.message for finding in patch.findings)
    left = options.partition(", ")[2]
    assert f"self.app.run_forever({left})" in after(tmp_path, patch, PATH)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("on_reconnect=self.on_open", "calls on_reconnect"),
        ("on_close=lambda *_: self.give_up()", "does more than to say so"),
        ("on_close=self.stop", "does more than to say so"),
    ],
)
def test_a_redial_whose_events_would_differ_is_handed_off(
    tmp_path: Path, more: str, said: str
) -> None:
    making = f"self.app = websocket.WebSocketApp(self.url, {more})"
    patch = look(tmp_path, {PATH: host(making=making, options="reconnect=5")})
    reasons = [f.reason for f in patch.findings if f.rule == "flat-retry"]
    assert reasons and all(said in reason for reason in reasons) and not patch.edits


def test_a_dispatcher_that_redials_is_handed_off(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: host(options="dispatcher=rel, reconnect=5")})
    assert "flat-retry" in hand_offs(patch) and not patch.edits


def test_in_a_thread_of_an_event_loop(tmp_path: Path) -> None:
    text = (
        host(wait="await asyncio.sleep(5)")
        .replace("import threading", "import asyncio")
        .replace("def run(", "async def run(")
        .replace("self.app.run_forever(ping", "await asyncio.to_thread(self.app.run_forever, ping")
    )
    said = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert "while self.running and await link.turn():" in said
    assert "await asyncio.to_thread(self.app.run_forever, ping_interval=30)" in said


def test_functions_of_a_module(tmp_path: Path) -> None:
    text = (
        "import time\n\nfrom websocket import WebSocketApp\n\n\ndef on_open(app):\n"
        "    print('WhatsApp')\n\n\ndef main():\n"
        "    app = WebSocketApp('ws://x', on_open=on_open)\n    while True:\n"
        "        app.run_forever()\n        time.sleep(5)\n"
    )
    said = after(tmp_path, look(tmp_path, {"bot.py": text}), "bot.py")
    assert (
        "    link = BridgeLink()\n    link.start()\n"
        "    app = WebSocketApp('ws://x', on_open=link.on_open(on_open))\n"
        "    while link.turn_sync():\n        app.run_forever()\n"
    ) in said
    other = look(tmp_path, {"bot.py": text.replace("WhatsApp", "Telegram")})
    assert not other.edits and not other.findings


def test_an_event_loop_s_run_forever_is_no_dial(tmp_path: Path) -> None:
    text = (
        "import asyncio\nimport time\n\nfrom websocket import WebSocketApp\n\n\n"
        "def whatsapp():\n    loop = asyncio.new_event_loop()\n    while True:\n"
        "        loop.run_forever()\n        time.sleep(5)\n"
    )
    patch = look(tmp_path, {PATH: text + "\n\nAPP = WebSocketApp\n"})
    assert not patch.edits and not patch.findings


def test_tabs_and_carriage_returns_stay(tmp_path: Path) -> None:
    url = "ws://a-very-long-name-of-a-host.example.invalid:3000/socket"
    text = (
        "import time\nimport websocket\n\n\ndef whatsapp(url):\n\twhile True:\n"
        f"\t\tapp = websocket.WebSocketApp('{url}', on_message=print)\n"
        "\t\tapp.run_forever()\n\t\ttime.sleep(5)\n"
    ).replace("\n", "\r\n")
    patch = look(tmp_path, {PATH: text.encode()})
    new = after(tmp_path, patch, PATH)
    assert new.count("\n") == new.count("\r\n") and "    " not in new
    assert f"WebSocketApp(\r\n\t\t\t'{url}',\r\n\t\t\ton_message=print,\r\n" in new
    assert "\t\t\ton_open=link.on_open(),\r\n\t\t)\r\n" in new
