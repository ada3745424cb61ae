"""A proof refuses every wrong patch, and no right one.

The unpatched side of a host is the same for all its mutants, so it is run once.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

import pytest

from skill.host import Host
from skill.plan import Plan
from skill.proof.spread import SPREAD
from skill.proof.verdict import Proof, proof_of
from skill.storm.simulate import Simulation, simulate_host
from tests.slow.proof.mutants import MUTANTS, Mutant, right_plan, root_of

HOSTS = sorted({mutant.host for mutant in MUTANTS})


@cache
def right(host: str, tools: Path) -> tuple[Plan, tuple[Simulation, ...]]:
    """The right plan of a host, and each of its channels on both sides."""
    plan = right_plan(host)
    return plan, tuple(simulations(host, plan, tools, after_only=False))


def simulations(
    host: str, plan: Plan, tools: Path, wanted: Collection[str] = SPREAD, *, after_only: bool
) -> list[Simulation]:
    report = simulate_host(
        Host(root_of(host)),
        wanted,
        plan=plan,
        after_only=after_only,
        briefly=True,
        node_tools=lambda: ("node", tools),
    )
    return report.simulations


def proofs(plan: Plan, found: list[Simulation]) -> list[Proof]:
    changed = {change.path for change in plan.changes}
    return [proof_of(simulation, changed) for simulation in found]


@pytest.mark.parametrize("host", HOSTS)
def test_a_right_patch_is_proven(host: str, node_tools: Path) -> None:
    plan, found = right(host, node_tools)
    assert [proof.text for proof in proofs(plan, list(found)) if proof.verdict != "proven"] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_wrong_patch_is_refused(mutant: Mutant, node_tools: Path) -> None:
    """By the scenario that shows its mistake; in a proof that is one of those that all run."""
    plan, known = right(mutant.host, node_tools)
    wrong = mutant.plan(root_of(mutant.host), plan)
    assert mutant.scenario in SPREAD
    found = simulations(mutant.host, wrong, node_tools, [mutant.scenario], after_only=True)
    for simulation in found:
        simulation.before = next(
            one.before for one in known if one.channel.path == simulation.channel.path
        )
    judged = proofs(wrong, found)
    assert any(proof.verdict == "failed" for proof in judged), judged
    failed = next(proof for proof in judged if proof.verdict == "failed")
    assert failed.scenario == mutant.scenario
