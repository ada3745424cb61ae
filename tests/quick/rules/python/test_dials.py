"""What connects a neonize client: the gate, in the host's own loop too, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import harness
from tests.quick.rules.python.harness import after, hand_offs, look, rules

PATH = "bot.py"
HEAD = (
    "import time\n\nfrom neonize.client import NewClient\nfrom neonize.events import *\n\n"
    "client = NewClient('x.db')\n\n\n"
)
HEARD = "@client.event(ConnectedEv)\ndef on(c, e):\n    print(e)\n\n\n"
LOOP = (
    "while True:\n    try:\n        client.connect()\n"
    "    except Exception:\n        time.sleep(5)\n"
)
ASYNC = (
    "from neonize.aioze.client import NewAClient\nfrom neonize.aioze.events import *\n\n"
    "client = NewAClient('x.db')\n\n\n@client.event(ConnectedEv)\nasync def on(c, e):\n"
    "    print(e)\n\n\nasync def main():\n{body}"
)


def patched(folder: Path, text: str) -> str:
    """A bot as it becomes; a second look finds nothing."""
    made = harness.patched(folder, {PATH: text})
    assert not made.left, made.left
    assert not made.again.findings and [note.kind for note in made.again.notes] == ["right"]
    return made.text(PATH)


def test_a_first_connection(tmp_path: Path) -> None:
    text = HEAD + HEARD + "client.connect()\n"
    assert rules(look(tmp_path, {PATH: text})) == {"channel-gives-up", "logout-unheard"}
    new = patched(tmp_path, text)
    assert "hear(client)\n" in new and "def on(c, e):\n    heard(c, e)\n" in new
    assert new.endswith("\ndial_sync(client)\n")


def test_settings_are_handed_on(tmp_path: Path) -> None:
    new = patched(tmp_path, HEAD + HEARD + "client.connect(proxy_settings=None)\n")
    assert new.endswith("\ndial_sync(client, proxy_settings=None)\n")


@pytest.mark.parametrize("given", ["Thread(target=client.connect)", "pool.submit(client.connect)"])
def test_a_connect_that_a_thread_is_given(tmp_path: Path, given: str) -> None:
    new = patched(tmp_path, HEAD + HEARD + given + "\n")
    wanted = given.replace("client.connect", "lambda: dial_sync(client)")
    assert new.endswith(f"\n{wanted}\n")


def test_an_asynchronous_client(tmp_path: Path) -> None:
    body = "    await client.connect()\n    await client.idle()\n"
    new = patched(tmp_path, ASYNC.format(body=body))
    assert new.endswith("    await dial(client)\n    await serve(client)\n")


WAY = (
    "    await link()\n    await client.idle()\n\n\nasync def link():\n"
    "    if proxy:\n        return await client.connect(proxy)\n    return await client.connect()\n"
    "\n\nasync def pair():\n    task = await link()\n    await done\n    task.cancel()\n"
)


def test_a_function_that_only_connects(tmp_path: Path) -> None:
    new = patched(tmp_path, ASYNC.format(body=WAY))
    way = "client, through=lambda: link()"
    assert f"    await dial({way})\n    await serve({way})\n" in new
    assert "return await client.connect(proxy)\n" in new and "    task = await link()\n" in new


LOGIN = (
    "    await client.connect()\n    await client.idle()\n\n\nasync def login():\n"
    "    try:\n        task = await client.connect()\n        await done\n"
    "    finally:\n        await client.stop()\n"
)


def test_a_login_beside_the_bot_is_no_first_connection(tmp_path: Path) -> None:
    """It connects for one purpose and stops: the bot beside it is gated all the same."""
    patch = look(tmp_path, {PATH: ASYNC.format(body=LOGIN)})
    assert not hand_offs(patch)
    assert len([one for one in patch.findings if one.rule == "channel-gives-up"]) == 1
    [note] = [note for note in patch.notes if note.kind == "not-a-daemon"]
    assert note.message == "login() connects once, and stops the client when it is through"
    new = after(tmp_path, patch, PATH)
    assert "    await dial(client)\n    await serve(client)\n" in new
    assert "        task = await client.connect()\n" in new


def test_a_loop_of_the_bot_s_own(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: HEAD + HEARD + LOOP})
    assert rules(patch) == {"flat-retry", "logout-unheard"}
    [flat] = [finding for finding in patch.findings if finding.rule == "flat-retry"]
    assert "a flat 5 s" in flat.message
    new = patched(tmp_path, HEAD + HEARD + LOOP)
    assert new.endswith(LOOP.replace("True", "next_turn_sync(client)"))


def test_a_flag_that_may_fall_during_the_wait_is_asked_again(tmp_path: Path) -> None:
    text = HEAD + HEARD + LOOP.replace("True", "running() or forced")
    new = patched(tmp_path, text)
    asked = "(running() or forced)"
    assert f"\nwhile {asked} and next_turn_sync(client) and {asked}:\n" in new


def test_what_follows_connect_in_a_loop_does_not_hold_it_up(tmp_path: Path) -> None:
    text = HEAD + HEARD + LOOP.replace("connect()\n", "connect()\n        event.wait()\n")
    new = patched(tmp_path, text)
    skip = "        if disconnected(client):\n            continue\n        event.wait()\n"
    assert "        client.connect()\n" + skip in new


def test_a_loop_around_the_function_that_connects(tmp_path: Path) -> None:
    text = (
        "import asyncio\nimport time\n\n"
        + ASYNC.format(body="    await client.connect()\n    await client.idle()\n")
        + "\n\nwhile True:\n    asyncio.run(main())\n    time.sleep(9)\n"
    )
    new = patched(tmp_path, text)
    assert "\nwhile next_turn_sync(client):\n    asyncio.run(main())\n" in new
    assert "    await client.connect()\n    await client.idle()\n" in new


RESTARTS = (
    "import time\n\nfrom neonize.client import NewClient\nfrom neonize.events import *\n\n\n"
    "def run():\n    while True:\n        client = NewClient({database})\n\n"
    "        @client.event(ConnectedEv)\n        def on(c, e):\n            print(e)\n\n"
    "        client.connect()\n        time.sleep(5)\n"
)


def test_a_loop_that_makes_its_client_asks_for_its_database(tmp_path: Path) -> None:
    new = patched(tmp_path, RESTARTS.format(database="'x.db'"))
    assert "    while next_turn_sync('x.db'):\n" in new
    assert "        hear(client)\n\n        @client.event(ConnectedEv)\n" in new


def test_a_database_that_is_made_in_place_is_handed_off(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: RESTARTS.format(database="make()")})
    assert hand_offs(patch) == {"flat-retry", "logout-unheard"} and not patch.edits
    assert any("computed in place" in finding.reason for finding in patch.findings)


SECOND = "@client.event(DisconnectedEv)\ndef off(c, e):\n    print('off')\n{redial}\n\n"


@pytest.mark.parametrize("redial", ["    c.connect()\n", "    time.sleep(5)\n    c.connect()\n"])
def test_a_handler_that_dials_beside_whatsmeow(tmp_path: Path, redial: str) -> None:
    text = HEAD + SECOND.format(redial=redial) + "client.connect()\n"
    patch = look(tmp_path, {PATH: text})
    assert any("connects beside whatsmeow" in finding.message for finding in patch.findings)
    new = patched(tmp_path, text)
    assert "def off(c, e):\n    heard(c, e)\n    print('off')\n\n" in new
    assert ("import time" in new) is ("sleep" not in redial), (
        "an import that nothing uses is taken away"
    )


def test_a_handler_that_leads_to_the_place_that_connects(tmp_path: Path) -> None:
    text = (
        HEAD
        + SECOND.format(redial="    if not closing:\n        again()\n")
        + "def run():\n    client.connect()\n\n\n"
        + "def again():\n    threading.Thread(target=run).start()\n\n\nrun()\n"
    )
    new = patched(tmp_path, text)
    assert "    if not closing:\n        pass  # dial_sync() connects again\n" in new
    assert "def run():\n    dial_sync(client)\n" in new


def test_a_stop_of_the_bot_s_own_ends_the_wait(tmp_path: Path) -> None:
    stop = "def close():\n    if client:\n        client.stop()\n\n\n"
    new = patched(tmp_path, HEAD + HEARD + stop + LOOP)
    assert "    if client:\n        hang_up(client)\n        client.stop()\n" in new
    assert "\nready(client)\nwhile next_turn_sync(client):\n" in new


@pytest.mark.parametrize(
    "other",
    [
        "def send():\n    client = mqtt.Client()\n    client.connect('host')\n    client.stop()\n",
        "def publish(client: mqtt.Client):\n    client.connect('host')\n    client.stop()\n",
        "def publish():\n    with Pool() as client:\n        client.connect('host')\n",
        "class Other:\n    def go(self):\n        self.client = Telegram()\n"
        "        self.client.connect()\n",
    ],
)
def test_another_library_s_client_of_that_name_is_left(tmp_path: Path, other: str) -> None:
    new = patched(tmp_path, HEAD + HEARD + other + "\n\nclient.connect()\n")
    assert other in new and new.endswith("\ndial_sync(client)\n")


NOT_AWAITED = "    task = asyncio.create_task(client.connect())\n    await task\n"
TAKEN = "def heard():\n    pass\n\n\nclient.connect()\n"
NARROW = "def on(c):\n    pass\n\n\nclient.event(ConnectedEv)(on)\nclient.connect()\n"
NO_IDLE = "    await client.connect()\n    await asyncio.Event().wait()\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ASYNC.format(body=NOT_AWAITED), "connect() is not awaited"),
        (ASYNC.format(body=NO_IDLE), "no idle()"),
        (HEAD + HEARD + "other = NewClient('y.db')\nclient.connect()\n", "several clients"),
        (HEAD + HEARD + "for _ in range(3):\n    client.connect()\n", "a number of times"),
        (
            HEAD + HEARD + TAKEN,
            "a name heard of its own",
        ),
        (
            HEAD + NARROW,
            "no place",
        ),
    ],
)
def test_what_cannot_be_gated_still_ends_with_its_session(
    tmp_path: Path, text: str, reason: str
) -> None:
    patch = look(tmp_path, {PATH: text})
    assert hand_offs(patch) == {"channel-gives-up"} and rules(patch) == {"logout-unheard"}
    assert any(reason in finding.reason for finding in patch.findings if finding.is_hand_off)
    assert "_stop_when_session_ends" in after(tmp_path, patch, PATH) and not patch.additions


def test_a_client_that_is_handed_to_the_method_that_registers(tmp_path: Path) -> None:
    """It has two names in the file, and is one client when looked at again."""
    text = (
        "from neonize.client import NewClient\nfrom neonize.events import MessageEv\n\n\n"
        "class Channel:\n    def run(self):\n        self._client = NewClient('x')\n"
        "        self.register(self._client)\n        self._client.connect()\n\n"
        "    def register(self, client):\n        @client.event(MessageEv)\n"
        "        def on(c, e):\n            print(e)\n"
    )
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert "hear(self._client)\n" in new and "dial_sync(self._client)\n" in new
    assert not look(tmp_path, {PATH: new}).edits
