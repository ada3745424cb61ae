"""``apply --verify``: the host's own checks, before and after the patch, and what to make of them.

Run only when the user asks for it by name, and after it was said what is run and what keeps it
in. Both sides of a check run side by side where a fence keeps their servers apart; where one seems
to have turned red it is run once more by itself, for a test that measures time may fail for want of
a processor. The first that has turned red ends it.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

from skill.errors import SkillgenError
from skill.host import Host
from skill.plan import Plan
from skill.source_paths import is_among_tests
from skill.storm import fence as fences
from skill.storm.child import stoppable
from skill.storm.folder import throw_away
from skill.storm.outcome import StormError
from skill.verify.checks import Check, Checks, Left, checks_of
from skill.verify.compare import Outcome, compare
from skill.verify.copies import (
    Contents,
    Sides,
    add_installed,
    contents_of,
    fill,
    leads_back,
    sides_in,
)
from skill.verify.fence import Fence
from skill.verify.run import Runner, Side, make_side, own_programs
from skill.verify.show import Verified, intended

WARNING = "--verify runs the bot's own checks, in copies of it, before and after the patch; "
PRIVATE = "a check that needs them is red on both sides"
Say = Callable[[str], None]


class TurnedRed(SkillgenError):
    """The patch turns something red that was green. verified: all that was found."""

    def __init__(self, root: Path, verified: Verified) -> None:
        self.verified = verified
        broken = verified.broken[0]
        what = broken.new[0] if broken.new else broken.note
        super().__init__(
            f"{root}: {broken.check.name} turned red with the patch ({what}), so nothing was "
            "written; please report it, or leave --verify out to apply it all the same"
        )


def verify(host: Host, plan: Plan, limit_s: float, say: Say) -> Verified:
    """Run the checks on both sides; writes nothing in the host.

    say: told in one line each what is run, and how it went. Raises TurnedRed, SkillgenError.
    """
    checks = checks_of(host, plan, os.environ)
    if not checks.run:
        return Verified(left=checks.left, limit_s=limit_s)
    contents = contents_of(host.root)
    with stoppable(), throw_away("skillgen-verify-") as folder:
        fence = Fence(fences.find(), folder, _reads(checks, contents.outside(host.root)))
        say(WARNING + fence.words)
        if contents.private:
            say(f"verify: credentials are not copied ({contents.private}): {PRIVATE}")
        for line in intended(checks.run, checks.left, limit_s, 2 if _together(fence) else 3):
            say(line)
        verified = _verify(host, plan, checks, contents, fence, limit_s, say)
    if verified.broken:
        raise TurnedRed(host.root, verified)
    return verified


def _verify(
    host: Host,
    plan: Plan,
    checks: Checks,
    contents: Contents,
    fence: Fence,
    limit_s: float,
    say: Say,
) -> Verified:
    copies = sides_in(fence.folder, host.root)
    fence = _layered(host.root, contents, copies, fence)
    fill(copies, host.root, contents, plan, fence.folder)
    before, after = make_side(copies.before), make_side(copies.after)
    runner = Runner(
        fence, dict(os.environ), limit_s, _import_roots(host, plan), own_programs(host.root)
    )
    outcomes: list[Outcome] = []
    left = list(checks.left)
    for number, check in enumerate(checks.run):
        outcome = _outcome(check, runner, before, after)
        outcomes.append(outcome)
        say(f"verify {number + 1}/{len(checks.run)}: {check.name}: {_said(outcome)}")
        if outcome.verdict == "red":
            why = f"{check.name} turned red before it"
            left += [Left(one.name, why) for one in checks.run[number + 1 :]]
            break
    return Verified(tuple(outcomes), tuple(left), fence.found.kind, limit_s)


def _layered(root: Path, contents: Contents, copies: Sides, fence: Fence) -> Fence:
    """The fence in which each ``node_modules`` is seen; those that cannot be are to be copied."""
    for number, folder in enumerate(contents.installed):
        layered: Fence | None = None
        if fence.has_namespaces and not leads_back(root, folder):
            layered = fence
            for name, side in (("before", copies.before), ("after", copies.after)):
                place = fence.folder / f"layer-{number}-{name}"
                layered = layered and layered.layered(root / folder, side, folder, place)
        if layered is None:
            add_installed(root, folder, contents)
        else:
            fence = layered
    return fence


def _said(outcome: Outcome) -> str:
    return {
        "green": "green, as before",
        "same": "red, as before",
        "mended": "green; red before",
        "red": "turned red",
        "unknown": f"not known: {outcome.note}",
        "not run": f"not run: {outcome.note}",
    }[outcome.verdict]


def _outcome(check: Check, runner: Runner, before: Side, after: Side) -> Outcome:
    try:
        if not _together(runner.fence):
            old, new = runner.run(check, before), runner.run(check, after)
        else:
            with ThreadPoolExecutor(2) as pool:
                first, second = (pool.submit(runner.run, check, side) for side in (before, after))
                old, new = first.result(), second.result()
        outcome = compare(check, old, new, runner.limit_s)
        if outcome.verdict != "red":
            return outcome
        alone = compare(check, old, runner.run(check, after), runner.limit_s)
    except StormError as error:
        raise SkillgenError(f"verify: {error}; nothing was written") from error
    if alone.verdict == "red":
        return alone
    return replace(alone, note="red beside the other copy, not alone: it depends on time")


def _together(fence: Fence) -> bool:
    """Whether both sides run at a time: without networks of their own, ports would collide."""
    return fence.has_namespaces and (os.cpu_count() or 1) > 1


def _reads(checks: Checks, outside: Iterable[Path]) -> tuple[Path, ...]:
    """What is not copied and has to be seen: Python environments, and where links lead to."""
    found = [check.python.parents[1] for check in checks.run if check.python is not None]
    return tuple(sorted({*found, *(path.resolve() for path in found), *outside}))


def _import_roots(host: Host, plan: Plan) -> tuple[str, ...]:
    """The folders of the host that hold the packages that change.

    They go before what is installed, where the host itself may be, as an editable package. Folders
    that are no packages are left out: a module in one may have the name of one of Python's.
    """
    roots: dict[str, None] = {}
    for change in plan.changes:
        if change.path.endswith(".py") and not is_among_tests(change.path):
            parents = list(PurePosixPath(change.path).parents)[:-1]
            packages = [str(one) for one in parents if host.exists(f"{one}/__init__.py")]
            if packages:  # the last one is the outermost
                roots[posixpath.dirname(packages[-1])] = None
    return tuple(roots)
