"""``except OSError`` around a dial: a lost connection is none, and ends the loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import additions, after, look, loop

PATH = "whatsapp.py"
RULE = "channel-gives-up"


def told(folder: Path, text: str, added: dict[str, str | bytes] | None = None) -> list[str]:
    patch = look(folder, {PATH: text, **(added or {})})
    return [finding.message for finding in patch.findings if finding.rule == RULE]


def caught(errors: str) -> str:
    return loop().replace("except Exception:", f"except {errors}:")


@pytest.mark.parametrize(
    "errors", ["OSError", "(OSError, TimeoutError)", "ConnectionRefusedError as error"]
)
def test_it_is_told_of_and_the_loop_is_patched_all_the_same(tmp_path: Path, errors: str) -> None:
    text = caught(errors)
    [message] = told(tmp_path, text)
    assert f"except {errors} does not catch it" in message
    patch = look(tmp_path, {PATH: text})
    [finding] = [finding for finding in patch.findings if finding.rule == RULE]
    assert finding.is_hand_off and finding.contained and finding.accept
    new = after(tmp_path, patch, PATH)
    assert f"except {errors}:" in new and "await link.turn()" in new
    # The gate does not settle it, so check goes on to say it.
    assert told(tmp_path, new, additions(patch))


@pytest.mark.parametrize(
    "errors",
    [
        "Exception",
        "(OSError, websockets.exceptions.ConnectionClosed)",
        "(OSError, ConnectionClosedError)",
        "(OSError, websockets.WebSocketException)",
        "ValueError",
    ],
)
def test_what_catches_it_or_means_something_else(tmp_path: Path, errors: str) -> None:
    assert not told(tmp_path, caught(errors))


def test_one_of_several_handlers_is_enough(tmp_path: Path) -> None:
    text = caught("OSError")
    wait = "                await asyncio.sleep(5)\n"
    more = wait + "            except Exception:\n                print('lost')\n"
    assert told(tmp_path, text)
    assert not told(tmp_path, text.replace(wait, more, 1))


def test_aiohttp_raises_none_for_a_lost_link(tmp_path: Path) -> None:
    text = caught("OSError").replace('websockets.connect("ws://x")', "session.ws_connect(url)")
    assert not told(tmp_path, text)


def test_nor_does_run_forever(tmp_path: Path) -> None:
    text = (
        "import time\n\nimport websocket\n\n\ndef whatsapp(url):\n    while True:\n"
        "        try:\n            app = websocket.WebSocketApp(url)\n"
        "            app.run_forever()\n        except OSError:\n            pass\n"
        "        time.sleep(5)\n"
    )
    assert not told(tmp_path, text)
    dialled = text.replace("app = websocket.WebSocketApp(url)", "pass")
    dialled = dialled.replace("app.run_forever()", "app = websocket.create_connection(url)")
    assert told(tmp_path, dialled)
