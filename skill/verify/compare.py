"""Whether the patch has turned something red, by what was run before it and after it.

What was red before and stays so bars nothing; it is named. Tests are compared by their names and
a compiler's faults by file, code and text, so that one red test hides no other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from skill.verify.checks import Check
from skill.verify.run import Ran

Verdict = Literal["green", "same", "mended", "red", "unknown", "not run"]
# A command that ended in so small a part of the limit and does not end any more was changed.
HANGS_FROM = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check. new: faults that were not there before; old: that were.

    note: what a person should know of it, one line.
    """

    check: Check
    verdict: Verdict
    before: Ran | None = None
    after: Ran | None = None
    new: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_red(self) -> bool:
        return self.verdict in ("same", "red")


def compare(check: Check, before: Ran | None, after: Ran | None, limit_s: float) -> Outcome:
    """before: None where the files that it is for did not exist yet."""
    if after is None:
        return Outcome(check, "not run", before, after, note="none of its files is there")
    if check.is_of_files and _tests(before) == _tests(after) == 0:
        return Outcome(check, "not run", before, after, note="no test is about what changes")
    if after.why or (before is not None and before.why):
        return _not_run(check, before, after)
    if before is None:
        before = Ran(0, 0.0)
        outcome = compare(check, before, after, limit_s)
        return replace(outcome, before=None)
    if before.status is None or after.status is None:
        return _late(check, before, after, limit_s)
    old, new = _faults(before), _faults(after)
    more = tuple(sorted((new - old).elements()))
    stayed = tuple(sorted((new & old).elements()))
    lost = before.report is not None and after.report is None
    if after.is_red and (before.is_green or more or lost):
        note = "" if more else f"status {after.status}: {after.last}"
        return Outcome(check, "red", before, after, more, stayed, note)
    if more:  # red in its report, though its status says otherwise
        return Outcome(check, "red", before, after, more, stayed)
    if after.is_green:
        verdict: Verdict = "green" if before.is_green else "mended"
        return Outcome(check, verdict, before, after, (), stayed)
    note = "" if stayed else f"status {after.status}: {after.last}; which of it is red is not known"
    return Outcome(check, "same", before, after, (), stayed, note)


def _not_run(check: Check, before: Ran | None, after: Ran) -> Outcome:
    before_why = before.why if before is not None else ""
    if after.why and before is not None and before.is_green:
        return Outcome(check, "red", before, after, note=after.why)
    return Outcome(check, "not run", before, after, note=before_why or after.why)


def _late(check: Check, before: Ran, after: Ran, limit_s: float) -> Outcome:
    quick = before.status is not None and before.seconds * HANGS_FROM <= limit_s
    if quick and before.is_green:
        note = f"it does not end within {limit_s:.0f} s; before, it took {before.seconds:.0f} s"
        return Outcome(check, "red", before, after, note=note)
    which = "before the patch" if before.status is None else "after it"
    more = f"--verify-limit {max(1, round(limit_s * 4))}"
    note = f"it did not end within {limit_s:.0f} s {which}; for longer: {more}"
    return Outcome(check, "unknown", before, after, note=note)


def _tests(ran: Ran | None) -> int | None:
    return ran.report.tests if ran is not None and ran.report is not None else None


def _faults(ran: Ran) -> Counter[str]:
    return ran.report.faults if ran.report is not None else Counter()
