"""neonize clients: one handler an event, merged; registered before connect(); left when right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.python.harness import after, hand_offs, look, rules

PATH = "bot.py"
HEAD = (
    "from neonize.client import NewClient\nfrom neonize.events import *\n\n"
    "client = NewClient('x')\n\n\n"
)
# Another file connects it.
BODY = "@client.event(LoggedOutEv)\ndef gone(_, event):\n    {body}\n"
OTHERS = (
    "def over(c, e):\n    c.stop()\n\n\nclient.event(TemporaryBanEv)(over)\n"
    "client.event(StreamReplacedEv)(over)\n\n\n"
)


def test_a_bot_without_handlers_of_its_end(tmp_path: Path) -> None:
    text = HEAD + "@client.event(MessageEv)\ndef on(c, e):\n    print(e)\n\n\nready = True\n"
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"logout-unheard"}
    new = after(tmp_path, patch, PATH)
    assert new.index("_stop_when_session_ends(client)\n") < new.index("ready = True")
    assert "for kind in (LoggedOutEv, StreamReplacedEv, TemporaryBanEv):" in new
    (tmp_path / PATH).write_text(new)
    assert not look(tmp_path, {}).findings


@pytest.mark.parametrize("body", ["print('bye')", "import sys; sys.exit(0)"])
def test_a_handler_that_ends_nothing_gets_the_stop(tmp_path: Path, body: str) -> None:
    patch = look(tmp_path, {PATH: HEAD + OTHERS + BODY.format(body=body)})
    new = after(tmp_path, patch, PATH)
    assert f"    {body}\n    client.stop()\n" in new
    assert new.count("LoggedOutEv") == 1, "a second handler would take the place of the first"


def test_a_handler_that_stops_is_right(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: HEAD + OTHERS + BODY.format(body="client.stop()")})
    assert not patch.edits and [note.kind for note in patch.notes] == ["right"]


def test_a_handler_with_a_return_stops_first(tmp_path: Path) -> None:
    text = HEAD + OTHERS + BODY.format(body="if event:\n        return\n    print('bye')")
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert "def gone(_, event):\n    client.stop()\n    if event:" in new


def test_a_handler_that_dials_again_stops_instead(tmp_path: Path) -> None:
    text = HEAD + OTHERS + BODY.format(body="reconnect()")
    patch = look(tmp_path, {PATH: text})
    assert any("dials again" in finding.message for finding in patch.findings)
    assert "    client.stop()\n" in after(tmp_path, patch, PATH)


def test_a_handler_elsewhere_is_handed_off(tmp_path: Path) -> None:
    text = HEAD + "from events import gone\n\nclient.event(LoggedOutEv)(gone)\n"
    patch = look(tmp_path, {PATH: text})
    assert hand_offs(patch) == {"logout-unheard"} and not patch.edits


def test_a_handler_in_another_file_of_the_host_is_merged_there(tmp_path: Path) -> None:
    text = HEAD + OTHERS + "from hands import gone\n\nclient.event(LoggedOutEv)(gone)\n"
    hands = "def gone(_, event):\n    print('gone')\n"
    patch = look(tmp_path, {PATH: text, "hands.py": hands})
    assert not hand_offs(patch) and PATH not in patch.edits
    assert after(tmp_path, patch, "hands.py") == hands + "    _.stop()\n"
    (tmp_path / "hands.py").write_text(hands + "    _.stop()\n")
    assert not look(tmp_path, {}).findings


PAIR = (
    "import asyncio\nimport sys\n\nfrom neonize.aioze.client import NewAClient\n"
    "from neonize.aioze.events import ConnectedEv{more}\n\n\nasync def authenticate():\n"
    "    client = NewAClient('x')\n    done = asyncio.Event()\n\n"
    "    @client.event(ConnectedEv)\n    async def on_connected(_, event):\n        done.set()\n\n"
    "{handler}    await client.connect()\n    idle = asyncio.ensure_future(client.idle())\n"
    "    await done.wait()\n    idle.cancel()\n    sys.exit(0)\n"
)


def test_a_script_that_links_the_account_is_left(tmp_path: Path) -> None:
    patch = look(tmp_path, {"auth.py": PAIR.format(more="", handler="")})
    assert not patch.edits and [note.kind for note in patch.notes] == ["not-a-daemon"]


def test_what_answers_messages_is_a_bot(tmp_path: Path) -> None:
    handler = "    @client.event(MessageEv)\n    async def on(c, e):\n        print(e)\n\n"
    text = PAIR.format(more=", MessageEv", handler=handler)
    assert rules(look(tmp_path, {"auth.py": text})) == {"logout-unheard"}


def test_the_host_s_own_mark_of_a_lost_link_is_set_too(tmp_path: Path) -> None:
    text = (
        "import threading\n\nfrom neonize.client import NewClient\n"
        "from neonize.events import *\n\n\n"
        "class Channel:\n    def start(self):\n        self.client = NewClient('x')\n\n"
        "        @self.client.event(DisconnectedEv)\n        def down(client, event):\n"
        "            self.connected = False\n            print('down')\n\n"
        "        threading.Thread(target=self.client.connect).start()\n"
    )
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    ended = "            ended = type(event).__name__\n            self.connected = False\n"
    assert ended in new
