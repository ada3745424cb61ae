"""What was verified, as lines for a person and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skill.report.text import count
from skill.verify.checks import Check, Left
from skill.verify.compare import Outcome
from skill.verify.run import Ran

MOST_NAMED = 10  # faults that are named for one check
NOTHING = "there is nothing to run (no type check, build or tests that --verify knows)"


@dataclass(frozen=True, slots=True)
class Verified:
    """The outcome of each check that was run, in their order, and what was not run.

    fence: the kind, "" for none. broken: whether the patch has turned something red.
    """

    outcomes: tuple[Outcome, ...] = ()
    left: tuple[Left, ...] = ()
    fence: str = ""
    limit_s: float = 0.0

    @property
    def broken(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.verdict == "red")

    @property
    def summary(self) -> str:
        """One line."""
        told = [one for one in self.outcomes if one.verdict in ("green", "same", "mended", "red")]
        if not told:
            why = "; ".join(f"{name}: {why}" for name, why in self._untold())
            return f"not verified: {why or NOTHING}"
        if self.broken:
            return f"verified: {', '.join(one.check.name for one in self.broken)} turned red"
        parts = [f"{count(len(told), 'check')} as before the patch"]
        tests = [_tests(one.after) for one in told if one.check.name.endswith("all tests")]
        if any(tests):
            parts.append(f"{count(sum(tests), 'test')} run")
        # A test of what changes is among all tests, too.
        red = {fault for one in told for fault in one.old or (one.check.name,) if one.is_red}
        if red:
            parts.append(f"{len(red)} red before, too")
        untold = list(self._untold())
        if untold:
            parts.append(f"not known: {', '.join(name for name, _ in untold)}")
        return f"verified: {', '.join(parts)}"

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Name, command and result of each check, for a table."""
        return tuple((one.check.name, one.check.shown, _change(one)) for one in self.outcomes)

    def _untold(self) -> Iterator[tuple[str, str]]:
        for one in self.outcomes:
            if one.verdict == "unknown" or (one.verdict == "not run" and not one.check.is_of_files):
                yield one.check.name, one.note
        for left in self.left:
            yield left.name, left.why


def _tests(ran: Ran | None) -> int:
    return (ran.report.tests or 0) if ran is not None and ran.report is not None else 0


def intended(
    checks: Sequence[Check], left: Sequence[Left], limit_s: float, runs: int
) -> Iterator[str]:
    """What will be run, first thing first, before anything is.

    runs: how many runs of a command can follow each other, at most.
    """
    for number, check in enumerate(checks, 1):
        where = f" in {check.folder}/" if check.folder else ""
        yield f"verify {number}/{len(checks)}: {check.name}: {check.shown}{where}"
    for one in left:
        yield f"verify: {one.name} not run: {one.why}"
    if checks:
        yield (
            f"verify: each command is given {limit_s:.0f} s (--verify-limit), so this takes at "
            f"most {_minutes(runs * limit_s * len(checks))}; the first that turns red ends it"
        )


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{-(-seconds // 60):.0f} min"


def lines(verified: Verified) -> Iterator[str]:
    """A short table: name, before → after; below it what is red."""
    rows = verified.rows
    names = [*(name for name, *_ in rows), *(left.name for left in verified.left)]
    width = max(map(len, names), default=0)
    wide = max((len(change) for *_, change in rows), default=0)
    if rows:
        yield "before → after the patch, in copies:"
    for one, (name, shown, change) in zip(verified.outcomes, rows, strict=True):
        yield f"  {name.ljust(width)}  {change.ljust(wide)}  {shown}".rstrip()
        if one.note:
            yield f"    {one.note}"
        yield from _named("turned red: ", one.new)
        yield from _named("red before, too: ", one.old)
    for left in verified.left:
        yield f"  {left.name.ljust(width)}  not run: {left.why}"


def _named(what: str, faults: tuple[str, ...]) -> Iterator[str]:
    for fault in faults[:MOST_NAMED]:
        yield f"    {what}{fault}"
    if len(faults) > MOST_NAMED:
        yield f"    … and {len(faults) - MOST_NAMED} more"


def _change(one: Outcome) -> str:
    if one.verdict == "not run":
        return "not run"
    return f"{_state(one.before)} → {_state(one.after)}"


def _state(ran: Ran | None) -> str:
    if ran is None:
        return "none"
    if ran.status is None:
        return f"no end, {ran.seconds:.0f} s"
    took = f"{ran.seconds:.0f} s"
    report = ran.report
    if report is None:
        return f"{'green' if ran.status == 0 else 'red'}, {took}"
    red = sum(report.faults.values())
    if report.tests is None:
        return f"{count(red, 'fault') if red or ran.status else 'green'}, {took}"
    if red:
        return f"{red} of {count(report.tests, 'test')} red, {took}"
    return f"{count(report.tests, 'test')} {'green' if ran.status == 0 else 'red'}, {took}"


def as_data(verified: Verified) -> dict[str, Any]:
    """For ``--format json`` (``skill.report.data``)."""
    return {
        "summary": verified.summary,
        "broken": bool(verified.broken),
        "fence": verified.fence or None,
        "limit": verified.limit_s,
        "checks": [_row(one) for one in verified.outcomes],
        "not_run": [{"name": left.name, "why": left.why} for left in verified.left],
    }


def _row(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.check.name,
        "folder": one.check.folder,
        "command": one.check.shown,
        "verdict": one.verdict,
        "before": _ran(one.before),
        "after": _ran(one.after),
        "turned_red": list(one.new),
        "red_before": list(one.old),
        "note": one.note,
    }


def _ran(ran: Ran | None) -> dict[str, Any] | None:
    if ran is None or ran.why:
        return None
    report = ran.report
    return {
        "status": ran.status,
        "seconds": round(ran.seconds, 1),
        "tests": report.tests if report else None,
        "red": sum(report.faults.values()) if report else None,
    }
