"""neonize clients: one handler an event, merged; registered before connect(); left when right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, hand_offs, look, rules

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


OF_A_CLASS = (
    "from neonize.client import NewClient\nfrom neonize.events import *\n\n\n"
    "class Channel:\n    def listen(self, client):\n{last}"
)


@pytest.mark.parametrize(
    "last",
    [
        "        client.event(MessageEv)(self.on)\n",
        "        try:\n            client.event(MessageEv)(self.on)\n"
        "        except NameError:\n            pass\n",
        "        @client.event(MessageEv)\n        def on(c, e):\n            print(e)\n",
        "        @client.event(LoggedOutEv)\n        def gone(c, e):\n            print(e)\n",
    ],
)
def test_what_is_added_below_the_last_line_of_a_method_comes_in_order(
    tmp_path: Path, last: str
) -> None:
    new = after(tmp_path, look(tmp_path, {PATH: OF_A_CLASS.format(last=last)}), PATH)
    listen, helper = new.split("    def _stop_when_session_ends(self, client):\n")
    assert "        self._stop_when_session_ends(client)\n" in listen
    assert "_stop_when_session_ends" not in helper, "a helper that calls itself never ends"
    if "gone" in last:
        assert "            print(e)\n            c.stop()\n\n        self._stop" in listen
    compile(new, PATH, "exec")


def test_a_handler_of_its_end_that_comes_last_in_a_script(tmp_path: Path) -> None:
    text = HEAD + "@client.event(LoggedOutEv)\ndef gone(c, e):\n    print(e)\n"
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert "    print(e)\n    c.stop()\n\n\ndef _stop_when_session_ends(client):\n" in new
    assert new.endswith("\n\n\n_stop_when_session_ends(client)\n")


def test_a_comment_at_the_end_of_a_handler_stays_in_it(tmp_path: Path) -> None:
    text = (
        HEAD + "@client.event(MessageEv)\ndef on(c, e):\n    print(e)\n\n    # reply(e)\n\n"
        "# now dial\nrun(client)\n"
    )
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert "    # reply(e)\n\n\ndef _stop_when_session_ends(client):\n" in new
    assert "_stop_when_session_ends(client)\n\n# now dial\nrun(client)\n" in new


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
    assert any("connects again" in finding.message for finding in patch.findings)
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


CHANNEL = (
    "import threading\nimport time\n\nfrom neonize.client import NewClient\n"
    "from neonize.events import *\n\n\nclass Channel:\n    def start(self):\n"
    "        self.client = NewClient('x')\n        self.client.event(MessageEv)(self.on)\n"
    "        self.thread = threading.Thread(target=self.client.connect)\n"
    "        self.thread.start()\n\n"
)
KEEPERS = {
    "ensure()": "    def ensure(self):\n        if not self.thread.is_alive():\n"
    "            self.start()\n",
    "watch()": "    def watch(self):\n        while True:\n            time.sleep(30)\n"
    "            self.again()\n\n    def again(self):\n        self.start()\n",
    "the script's own loop": "\n\nchannel = Channel()\nwhile True:\n    channel.start()\n",
}


@pytest.mark.parametrize("keeper", KEEPERS)
def test_a_client_that_is_started_again_once_it_has_ended_is_handed_off(
    tmp_path: Path, keeper: str
) -> None:
    """A stop would make a bot dial that stays quiet without one."""
    patch = look(tmp_path, {PATH: CHANNEL + KEEPERS[keeper]})
    assert "logout-unheard" in hand_offs(patch) and not patch.edits
    for finding in patch.findings:
        assert finding.reason.startswith(f"{keeper} starts it again")


@pytest.mark.parametrize(
    "other",
    [
        "    def ensure(self):\n        if not self.other.is_alive():\n            self.on()\n",
        "    def watch(self):\n        while True:\n            time.sleep(30)\n",
        "    def run(self):\n        self.start()\n        while self.on:\n            self.on()\n",
    ],
)
def test_a_client_that_is_started_once_is_patched(tmp_path: Path, other: str) -> None:
    assert rules(look(tmp_path, {PATH: CHANNEL + other})) == {"channel-gives-up", "logout-unheard"}


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


def test_a_script_that_links_in_a_thread_and_waits_in_a_condition_is_left(tmp_path: Path) -> None:
    text = (
        "import threading\n\nfrom neonize.client import NewClient\n"
        "from neonize.events import ConnectedEv\n\n\ndef run_auth():\n"
        "    client = NewClient('x')\n    done = threading.Event()\n\n"
        "    @client.event(ConnectedEv)\n    def on_connected(_, event):\n        done.set()\n\n"
        "    threading.Thread(target=client.connect, daemon=True).start()\n"
        "    if not done.wait(timeout=120):\n        raise SystemExit(1)\n"
        "    client.disconnect()\n"
    )
    patch = look(tmp_path, {"auth.py": text})
    assert not patch.edits and [note.kind for note in patch.notes] == ["not-a-daemon"]


LINKING = HEAD + "@client.event({event})\ndef linked(c, e):\n    {body}\n\n\nclient.connect()\n"


@pytest.mark.parametrize("event", ["PairStatusEv", "ConnectedEv"])
def test_a_script_that_exits_once_linked_is_left(tmp_path: Path, event: str) -> None:
    text = LINKING.format(event=event, body="sys.exit(0)")
    patch = look(tmp_path, {"gen.py": text})
    assert not patch.edits and [note.kind for note in patch.notes] == ["not-a-daemon"]
    text = LINKING.format(event=event, body="print(e)")
    assert rules(look(tmp_path, {"gen.py": text})) == {"channel-gives-up", "logout-unheard"}


def test_what_is_registered_after_connect_is_heard_before_it(tmp_path: Path) -> None:
    late = "@client.event(MessageEv)\ndef on(c, e):\n    print(e)\n"
    patch = look(tmp_path, {PATH: HEAD + "client.connect()\n\n\n" + late})
    assert not hand_offs(patch)
    new = after(tmp_path, patch, PATH)
    assert new.index("hear(client)") < new.index("dial_sync(client)") < new.index("@client.event")


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
