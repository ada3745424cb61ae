"""Prove a plan, or make one that holds: a rewrite that fails is held, a hold that fails is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from modify.rules import unit_rule_ids
from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from skill.proof import memory
from skill.proof.spread import SPREAD
from skill.proof.verdict import Proof, Proven, proof_of
from skill.storm.fence import Fence
from skill.storm.simulate import NothingToRun, Progress, Report, simulate_host

ROUNDS = 5
"""A channel falls three times at most, and its fall may change the plan for another one."""


def prove(
    host: Host,
    plan: Plan,
    *,
    node_tools: Callable[[], tuple[str, Path]],
    fence: Fence,
    progress: Progress = lambda _done, _of: None,
) -> Proven:
    """Run the planned host and the unpatched one through the spread of storms.

    Returns the plan without the patches that failed, made anew with the reasons in its options.
    node_tools, fence, progress: see ``skill.storm.simulate.simulate_host``. Raises SkillgenError
    where what runs a bot is missing.
    """
    if not plan.changes:
        return Proven(plan, ())
    key = memory.key_of(host, plan)
    known = memory.recall(host, key)
    if known is not None:
        options = known.plan.options
        plan = plan if options == plan.options else make_plan(host, options)
        return replace(known, plan=plan, remembered=True)
    failed: list[Proof] = []
    for _ in range(ROUNDS):
        try:
            proofs = _proofs(host, plan, node_tools, fence, progress)
        except NothingToRun as nothing:
            why = str(nothing)
            proofs = [Proof(plan.changes[-1].path, 1, "unchanged", "not run", why=why)]
        falling = [one for one in proofs if one.verdict == "failed"]
        options = _without(plan, falling)
        if options == plan.options:
            break
        failed += falling
        plan = make_plan(host, options)
    proven = Proven(plan, tuple(proofs), tuple(failed))
    if proven.holds:
        memory.remember(host, key, proven)
    return proven


def _without(plan: Plan, falling: Sequence[Proof]) -> Options:
    """The options with which what failed is not planned again, the least of it first.

    A rewrite becomes a hold. What is held, or was not changed at all, may have failed for its
    unit, as a start limit ends a bot that exits while the network is down; so the units are left
    first, then the dial.
    """
    options = plan.options
    for proof in falling:
        why = f"patched, it failed its proof: {proof.why}"
        if proof.change == "rewritten":
            rewritten = (*options.not_rewritten, (proof.path, why))
            options = replace(options, not_rewritten=rewritten)
        elif changes_units(plan):
            options = replace(options, units_left=f"{proof.path} {why}")
        elif proof.change == "held":
            options = replace(options, not_held=(*options.not_held, (proof.path, why)))
    return options


def changes_units(plan: Plan) -> bool:
    """Whether the plan changes what restarts the bot."""
    return bool(unit_rule_ids() & {rule for change in plan.changes for rule in change.rules})


def _proofs(
    host: Host,
    plan: Plan,
    node_tools: Callable[[], tuple[str, Path]],
    fence: Fence,
    progress: Progress,
) -> list[Proof]:
    """One for each channel of the host's program, and for each other one that the plan changes."""
    changed = {change.path for change in plan.changes}

    def run(only: tuple[str, ...] = ()) -> Report:
        return simulate_host(
            host,
            SPREAD,
            plan=plan,
            only=only,
            briefly=True,
            node_tools=node_tools,
            progress=progress,
            fence=fence,
        )

    report = run()
    seen = {simulation.channel.path for simulation in report.simulations}
    same = _contents(plan, seen)
    rest: list[str] = []
    for path, _ in report.left_out:
        content = _contents(plan, [path])
        if path in changed - seen and not content <= same:
            rest.append(path)
            same |= content
    simulations = [*report.simulations, *(run(tuple(rest)).simulations if rest else ())]
    return [proof_of(simulation, changed) for simulation in simulations]


def _contents(plan: Plan, paths: Collection[str]) -> set[tuple[bytes | None, bytes | None]]:
    """Before and after of these files: a skill's copy of a proven channel is proven with it."""
    return {(one.before, one.after) for one in plan.changes if one.path in paths}
