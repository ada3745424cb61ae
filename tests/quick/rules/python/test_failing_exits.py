"""Exits of a neonize bot: 0 where only linking anew helps, and every other one as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, look, rules
from tests.quick.rules.python.test_logout_unheard import HEAD, OTHERS, PATH

ENDS = "@client.event(LoggedOutEv)\ndef gone(c, e):\n    c.stop()\n\n\n"
WHY = "  # 0, so that no supervisor starts it again"


@pytest.mark.parametrize(
    "handler",
    [
        "@client.qr\ndef on_code(_, code):\n    {exit}\n",
        "@client.event.qr\ndef on_code(_, code):\n    if code:\n        {exit}\n",
        "def on_code(_, code):\n    {exit}\n\n\nclient.qr(on_code)\n",
        "def on_code(_, code):\n    def end():\n        {exit}\n    end()\n\n\n"
        "client.event.qr(on_code)\n",
    ],
)
@pytest.mark.parametrize("program", ["os._exit", "sys.exit", "exit"])
def test_a_qr_code_ends_the_process_with_0(tmp_path: Path, handler: str, program: str) -> None:
    text = HEAD + OTHERS + ENDS + handler
    patch = look(tmp_path, {PATH: text.format(exit=f"{program}(1)")})
    assert rules(patch) == {"qr-exit"}
    new = after(tmp_path, patch, PATH)
    assert new == text.format(exit=f"{program}(0){WHY}")
    (tmp_path / PATH).write_text(new)
    assert not look(tmp_path, {}).findings


def test_a_logout_ends_the_process_with_0(tmp_path: Path) -> None:
    gone = "@client.event(LoggedOutEv)\ndef gone(_, event):\n    os._exit({})\n"
    patch = look(tmp_path, {PATH: HEAD + OTHERS + gone.format(2)})
    assert rules(patch) == {"auth-failure-exit"}
    assert after(tmp_path, patch, PATH) == HEAD + OTHERS + gone.format(0).rstrip() + WHY + "\n"


def test_also_in_a_handler_of_another_file(tmp_path: Path) -> None:
    handlers = "import os\n\n\ndef gone(client, event):\n    os._exit(1)\n"
    text = HEAD.replace("client =", "from handlers import gone\n\nclient =")
    text += OTHERS + "client.event(LoggedOutEv)(gone)\n"
    patch = look(tmp_path, {PATH: text, "handlers.py": handlers})
    assert rules(patch) == {"auth-failure-exit"}
    assert f"    os._exit(0){WHY}\n" in after(tmp_path, patch, "handlers.py")


CHANNEL = """\
import sys

from neonize.aioze.client import NewAClient
from neonize.aioze.events import LoggedOutEv, StreamReplacedEv, TemporaryBanEv


class Channel:
    def __init__(self):
        self._client = NewAClient("x")
        for kind in (StreamReplacedEv, TemporaryBanEv):
            self._client.event(kind)(self.over)

        @self._client.event(LoggedOutEv)
        async def gone(client, event):
            await client.stop()

    async def over(self, client, event):
        await client.stop()

    async def prepare(self):
        @self._client.event.qr
        async def on_code(client, code):
            print("link the bot first")
            sys.exit({status})
"""


def test_a_handler_that_another_method_registers(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: CHANNEL.format(status=1)})
    assert "qr-exit" in rules(patch)
    assert f"            sys.exit(0){WHY}\n" in after(tmp_path, patch, PATH)


def test_what_follows_on_the_line_stays(tmp_path: Path) -> None:
    handler = "@client.qr\ndef on_code(_, code):\n    print(code); os._exit(1)  # not here\n"
    patch = look(tmp_path, {PATH: HEAD + OTHERS + ENDS + handler})
    assert handler.replace("(1)", "(0)") in after(tmp_path, patch, PATH)


def test_beside_what_the_gate_adds(tmp_path: Path) -> None:
    """The handler is told first, and the client is connected in this file."""
    gone = "@client.event(LoggedOutEv)\ndef gone(client, event):\n    os._exit(1)\n\n\n"
    patch = look(tmp_path, {PATH: HEAD + OTHERS + gone + "client.connect()\n"})
    new = after(tmp_path, patch, PATH)
    assert f"    heard(client, event)\n    os._exit(0){WHY}\n" in new
    assert "dial_sync(client)" in new


@pytest.mark.parametrize(
    "handler",
    [
        "@client.qr\ndef on_code(_, code):\n    os._exit(0)\n",
        "@client.qr\ndef on_code(_, code):\n    sys.exit()\n",
        "@client.qr\ndef on_code(_, code):\n    print(code)\n",
        "@other.qr\ndef on_code(_, code):\n    os._exit(1)\n",
        "@client.event(MessageEv)\ndef on(_, event):\n    os._exit(1)\n",
        "def fatal():\n    os._exit(1)\n",
    ],
)
def test_other_exits_stay(tmp_path: Path, handler: str) -> None:
    assert not look(tmp_path, {PATH: HEAD + OTHERS + ENDS + handler}).findings


def test_a_script_that_pairs_may_fail(tmp_path: Path) -> None:
    text = HEAD + "@client.event(PairStatusEv)\ndef paired(_, event):\n    os._exit(0)\n\n\n"
    text += "@client.qr\ndef on_code(_, code):\n    os._exit(1)\n\n\nclient.connect()\n"
    patch = look(tmp_path, {PATH: text})
    assert not patch.findings and [note.kind for note in patch.notes] == ["not-a-daemon"]
