"""Whatever way a bot comes to Baileys, the guard holds its dials, and no source is changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, wait
from tests.slow.guard.rig import SHORT, WAYS, Bot, bot

DIALS = 5
STORM = 12
PATIENCE = 40.0


@pytest.fixture(scope="module")
def pairs(tree: Path, server: Server) -> Iterator[dict[str, tuple[Bot, Bot]]]:
    """Each bot without and with the guard, refused at every attempt; all side by side."""
    found = {way: (bot(tree, server, way), bot(tree, server, way, guard=True)) for way in WAYS}
    with ThreadPoolExecutor(10) as pool:
        for unguarded, guarded in found.values():
            way = Path(guarded.command[-1]).stem
            dials = 2 * DIALS if way == "half" else DIALS
            pool.submit(run, guarded, dials)
            pool.submit(run, unguarded, DIALS if way in ("held", "rewritten") else STORM)
    yield found


def run(bot: Bot, dials: int) -> None:
    with bot.running() as process:
        wait(PATIENCE, lambda: len(bot.dials) >= dials, lambda: process.poll() is not None)


PATCHED = ("held-in-its-source", "rewritten", "half-rewritten")


@pytest.mark.parametrize("way", [way for way in WAYS if way not in PATCHED])
def test_every_way_to_baileys_is_held(pairs: dict[str, tuple[Bot, Bot]], way: str) -> None:
    unguarded, guarded = pairs[way]
    assert len(unguarded.dials) >= STORM, unguarded.log.read_text()
    assert len(guarded.dials) >= DIALS, guarded.log.read_text()
    attempts = guarded.attempts
    assert len(attempts) == (2 if way == "two-copies" else 1)
    # Nothing was dialled that the memory does not know.
    assert len(guarded.dials) <= sum(map(len, attempts))
    for account in attempts:
        gaps = [later - earlier for earlier, later in pairwise(account)]
        # Each wait is twice as long as the one before, and never shorter than the policy's.
        steps = [SHORT.transient.first * 2**step for step in range(len(gaps))]
        assert all(gap >= step for gap, step in zip(gaps, steps, strict=True)), gaps
    assert not unguarded.attempts


def test_a_bot_that_is_held_in_its_source_is_held_once(pairs: dict[str, tuple[Bot, Bot]]) -> None:
    for held in pairs["held-in-its-source"]:
        assert len(held.dials) >= DIALS, held.log.read_text()
        [attempts] = held.attempts
        assert len(held.dials) <= len(attempts) <= len(held.dials) + 1, "each is counted once"


def test_the_gate_of_a_rewritten_bot_is_left_alone(pairs: dict[str, tuple[Bot, Bot]]) -> None:
    for rewritten in pairs["rewritten"]:
        assert len(rewritten.dials) >= DIALS, rewritten.log.read_text()
        [attempts] = rewritten.own_attempts
        assert len(rewritten.dials) <= len(attempts) <= len(rewritten.dials) + 1
        assert not rewritten.attempts, "the guard counts none of them a second time"


def test_beside_a_rewritten_loop_all_else_is_held(pairs: dict[str, tuple[Bot, Bot]]) -> None:
    unguarded, guarded = pairs["half-rewritten"]
    assert len(unguarded.dials) >= STORM, unguarded.log.read_text()
    assert len(guarded.dials) >= 2 * DIALS, guarded.log.read_text()
    [own], [held] = guarded.own_attempts, guarded.attempts
    known = len(own) + len(held)
    assert len(guarded.dials) <= known <= len(guarded.dials) + 2, "each is counted once"
    for attempts in (own, held):
        gaps = [later - earlier for earlier, later in pairwise(attempts)]
        steps = [SHORT.transient.first * 2**step for step in range(len(gaps))]
        assert all(gap >= step for gap, step in zip(gaps, steps, strict=True)), gaps
