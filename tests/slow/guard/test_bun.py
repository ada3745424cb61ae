"""Bots under Bun, which loads the guard by an option of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.guard.values import bun_option
from tests.slow.baileys.harness import Server, wait
from tests.slow.guard.rig import Bot, bot

DIALS = 4
STORM = 12
PATIENCE = 40.0
WAYS = ("es-module", "required-es-module", "in-a-package", "rewritten", "bundle-of-es-modules")


@pytest.fixture(scope="module")
def bun(node_tools: Path) -> Path:
    """The program; its package's own name is a script that npm is not let run."""
    return next((node_tools / "node_modules/@oven").glob("bun-*/bin/bun"))


def run(bun: Path, tree: Path, server: Server, way: str, dials: int, guard: bool) -> Bot:
    made = bot(tree, server, way)
    made.command = [str(bun), *made.command[1:]]
    if guard:
        made.environment["BUN_OPTIONS"] = bun_option(str(tree / "guard.cjs"))
    with made.running() as process:
        wait(PATIENCE, lambda: len(made.dials) >= dials, lambda: process.poll() is not None)
    return made


@pytest.mark.parametrize("way", WAYS)
def test_bun_holds_the_dials_as_well(bun: Path, tree: Path, server: Server, way: str) -> None:
    guarded = run(bun, tree, server, way, DIALS, guard=True)
    assert len(guarded.dials) >= DIALS, guarded.log.read_text()
    [attempts] = guarded.own_attempts if way == "rewritten" else guarded.attempts
    assert len(guarded.dials) <= len(attempts) <= len(guarded.dials) + 1
    assert way != "rewritten" or not guarded.attempts
    unguarded = run(bun, tree, server, way, DIALS if way == "rewritten" else STORM, guard=False)
    assert not unguarded.attempts
