"""Loops that start a Node bridge again: found, handed off, and left when its exit is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import hand_offs, look

PATH = "whatsapp.py"
DIRECT = """import asyncio


class Channel:
    async def run_bridge(self):
        while self.running:
            proc = await asyncio.create_subprocess_exec("node", "bridge.js")
            code = await proc.wait()
            {seen}
            await asyncio.sleep({pause})
"""
HELPED = """import subprocess
import time


class Channel:
    def run_bridge(self):
        while self.running:
            self.proc = self.launch()
            while self.proc.poll() is None:
                time.sleep(1)
            time.sleep(5)

    def launch(self):
        return subprocess.Popen(["node", "bridge.js"])
"""


def direct(seen: str = "print(code)", pause: str = "5") -> str:
    return DIRECT.format(seen=seen, pause=pause)


@pytest.mark.parametrize("text", [direct(), HELPED])
def test_a_bridge_that_is_started_again_for_ever_is_handed_off(tmp_path: Path, text: str) -> None:
    patch = look(tmp_path, {PATH: text})
    assert hand_offs(patch) == {"logout-hidden-by-bridge"} and not patch.edits
    (finding,) = patch.findings
    assert "started again after each exit" in finding.message
    assert finding.line == text[: text.index("while self.running")].count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        direct(seen="if code == 77:\n                break"),
        direct(pause="min(2 ** self.n, 300)"),
        direct().replace("whatsapp", "x").replace("while self.running", "while clock.time() < 9"),
        direct().replace("bridge", "worker"),
        HELPED.replace("self.launch()", "self.found()"),
    ],
)
def test_other_loops_are_left(tmp_path: Path, text: str) -> None:
    patch = look(tmp_path, {PATH: text})
    assert not patch.edits and not patch.findings


def test_another_program_s_loop_is_left(tmp_path: Path) -> None:
    assert not look(tmp_path, {"camera.py": direct()}).findings
