"""neonize sessions that make a new client each time: gate, eye, handlers in other files."""

from __future__ import annotations

from pathlib import Path

from tests.quick.rules.python.harness import additions, after, hand_offs, look, rules

HEAD = "import asyncio\n\nfrom neonize.client import NewClient\nfrom neonize.events import *\n\n\n"
START = (
    "async def start(name):\n    path = f'{name}.db'\n    client = NewClient(path)\n"
    "    client.event(ConnectedEv)(on_open)\n    client.event(LoggedOutEv)(on_gone)\n"
    "    client.connect()\n\n\n"
)
HANDLERS = (
    "def on_open(c, event):\n    'Ready.'\n    print('open')\n\n\n"
    "def on_gone(c, event):\n    print('gone')\n    again(c)\n\n\n"
)
AGAIN = (
    "def again(c):\n    loop.call_soon_threadsafe(lambda: asyncio.create_task(later(c.name)))\n\n\n"
    "async def later(name):\n    await asyncio.sleep({wait})\n"
    "    asyncio.create_task(start(name))\n"
)
WHOLE = HEAD + START + HANDLERS + AGAIN.format(wait=5)


def test_gate_and_eye(tmp_path: Path) -> None:
    patch = look(tmp_path, {"bot.py": WHOLE})
    assert rules(patch) == {"flat-retry", "logout-unheard"}
    new = after(tmp_path, patch, "bot.py")
    gate = "    session = session_of(path)\n    if not await session.turn():\n        return\n"
    assert gate + "    client = NewClient(path)\n    hear(client)\n" in new
    assert "    'Ready.'\n    heard(c, event)\n    print('open')\n" in new
    assert "    if heard(c, event):\n        again(c)\n" in new
    assert "from whatsapp_reconnect import hear, heard, session_of\n" in new
    assert "class BridgeLink" not in patch.additions["whatsapp_reconnect.py"].content.decode()
    (tmp_path / "bot.py").write_text(new)
    again = look(tmp_path, additions(patch))
    assert not again.findings and [note.kind for note in again.notes] == ["right"]


def test_handlers_of_another_file(tmp_path: Path) -> None:
    first = HEAD + "from hands import on_gone, on_open\n\n\n" + START
    second = (
        "import asyncio\n\n\n"
        + HANDLERS
        + "def again(c):\n    from bot import start\n\n    run(lambda: later(start, c.name))\n\n\n"
        "async def later(start, name):\n    await asyncio.sleep(5)\n    await start(name)\n"
    )
    patch = look(tmp_path, {"bot.py": first, "hands.py": second})
    assert not hand_offs(patch)
    found = next(f for f in patch.findings if f.rule == "flat-retry")
    assert found.path == "hands.py" and "flat 5 s" in found.message
    hands = after(tmp_path, patch, "hands.py")
    assert "from whatsapp_reconnect import heard\n" in hands
    assert "    if heard(c, event):\n        again(c)\n" in hands
    bot = after(tmp_path, patch, "bot.py")
    assert "from whatsapp_reconnect import hear, session_of\n" in bot
    for path in patch.edits:
        (tmp_path / path).write_text(after(tmp_path, patch, path))
    assert not look(tmp_path, additions(patch)).findings


def test_a_restart_that_a_person_asks_for_is_none(tmp_path: Path) -> None:
    by_hand = "async def relink(name):\n    await asyncio.sleep(2)\n    await start(name)\n"
    text = HEAD + START + HANDLERS.replace("    again(c)\n", "    c.stop()\n") + by_hand
    patch = look(tmp_path, {"bot.py": text})
    assert "flat-retry" not in rules(patch) | hand_offs(patch)


def test_a_pause_that_grows_on_the_way_is_no_flat_one(tmp_path: Path) -> None:
    text = HEAD + START + HANDLERS + AGAIN.format(wait="min(5 * 2**tries, 300)")
    patch = look(tmp_path, {"bot.py": text})
    assert "flat-retry" not in rules(patch)


def test_a_database_that_is_made_in_place_is_handed_off(tmp_path: Path) -> None:
    text = WHOLE.replace("NewClient(path)", "NewClient(fresh_database())")
    patch = look(tmp_path, {"bot.py": text})
    assert "flat-retry" in hand_offs(patch) and not patch.edits and not patch.additions


def test_a_restart_inside_another_line_is_handed_off(tmp_path: Path) -> None:
    text = WHOLE.replace("    again(c)\n", "    done = again(c)\n")
    patch = look(tmp_path, {"bot.py": text})
    assert "flat-retry" in hand_offs(patch) and not patch.edits
    assert any("inside another line" in finding.reason for finding in patch.findings)


def test_a_lost_client_that_the_bot_ends_itself_is_handed_off(tmp_path: Path) -> None:
    """whatsmeow dials again in a client that is lost, not in one that was stopped."""
    lost = WHOLE.replace("LoggedOutEv", "DisconnectedEv")
    assert not hand_offs(look(tmp_path, {"bot.py": lost}))
    stopped = lost.replace("    print('gone')\n", "    c.stop()\n")
    patch = look(tmp_path, {"bot.py": stopped})
    assert any("ends the client by itself" in finding.reason for finding in patch.findings)
    assert not patch.edits
