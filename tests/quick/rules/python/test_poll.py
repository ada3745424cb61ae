"""Loops that poll a bridge on the same machine: said, and left byte for byte."""

from __future__ import annotations

from pathlib import Path

from tests.quick.rules.python.harness import look

POLL = (
    "import asyncio\n\n\nclass WhatsAppAdapter:\n    async def poll(self):\n"
    "        while self.running:\n            try:\n"
    '                reply = await self.http.get(f"http://127.0.0.1:{self.port}/messages")\n'
    "                self.take(reply)\n            except Exception:\n"
    "                await asyncio.sleep(5)\n            await asyncio.sleep(1)\n"
)


def test_it_is_said_and_left(tmp_path: Path) -> None:
    patch = look(tmp_path, {"adapter.py": POLL})
    assert [note.kind for note in patch.notes] == ["poll-loop"]
    assert not patch.edits and not patch.additions and not patch.findings


def test_another_program_s_loop_is_not_even_read(tmp_path: Path) -> None:
    patch = look(tmp_path, {"adapter.py": POLL.replace("WhatsApp", "Weather")})
    assert not patch.notes and not patch.edits
