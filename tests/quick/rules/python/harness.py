"""Small Python hosts from texts, examined and patched in memory."""

from __future__ import annotations

from pathlib import Path

from skill.edit import Patch, apply_edits
from tests import harness

LOOP = """import asyncio
import websockets


class WhatsApp:
    def __init__(self):
        self._running = True

    async def run(self):
        while {test}:
            try:
                async with websockets.connect("ws://x") as ws:
                    async for message in ws:
                        print(message)
            except Exception:
                {wait}
{after}
    async def stop(self):
        self._running = False
"""


def loop(test: str = "self._running", wait: str = "await asyncio.sleep(5)", after: str = "") -> str:
    return LOOP.format(test=test, wait=wait, after=after)


def look(folder: Path, files: dict[str, str | bytes]) -> Patch:
    return harness.patched(folder, files).patch


def after(folder: Path, patch: Patch, path: str) -> str:
    return apply_edits((folder / path).read_bytes(), patch.edits.get(path, [])).decode()


def rules(patch: Patch) -> set[str]:
    return {finding.rule for finding in patch.findings if not finding.is_hand_off}


def hand_offs(patch: Patch) -> set[str]:
    return {finding.rule for finding in patch.findings if finding.is_hand_off}


def additions(patch: Patch) -> dict[str, str | bytes]:
    """The files that a host gains, path to content."""
    return {path: addition.content for path, addition in patch.additions.items()}
