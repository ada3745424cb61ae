"""Random lives of a bot, crashes and restarts included, against the policy's promises."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from skill.policy import POLICY

HERE = Path(__file__).resolve().parent
LIVES = int(os.environ.get("SKILLGEN_RANDOM_LIVES", "1500"))
PARTS = 4  # that run side by side
SEED = int(os.environ.get("SKILLGEN_RANDOM_SEED", "748"))


@pytest.mark.parametrize("part", range(PARTS))
def test_random_lives_keep_every_promise(compiled_module: Path, part: int) -> None:
    """No 21 attempts in an hour, none without a wait, never dead, no wait beyond the longest,
    one wait, one outcome, none after a verdict."""
    lives = range(part, LIVES, PARTS)
    first = SEED + lives.start
    command = ["node", HERE / "run_random.mjs", compiled_module, first, len(lives), PARTS]
    ran = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["lives"] == len(lives)
    shown = "\n".join(json.dumps(one) for one in report["broken"][:5])
    assert not report["broken"], (
        f"{len(report['broken'])} of {len(lives)} lives broke a promise:\n{shown}"
    )


def test_two_processes_share_one_budget(compiled_module: Path) -> None:
    """Each counts what the other one wrote; each says so when the budget is what it waits for."""
    command = ["node", str(HERE / "run_shared.mjs"), str(compiled_module), "6"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    attempts, budget = report["attempts"], POLICY.budget
    pairs = zip(attempts, attempts[budget:], strict=False)
    assert all(late - early > POLICY.budget_window - 0.001 for early, late in pairs)
    assert len(attempts) > budget
    assert all(report["told"]), "it is the budget that they wait for"
