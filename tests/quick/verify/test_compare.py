"""What a check says of the patch, by its two sides."""

from __future__ import annotations

from collections import Counter

import pytest

from skill.verify.checks import Check
from skill.verify.compare import Outcome, compare
from skill.verify.reports import Report
from skill.verify.run import Ran
from skill.verify.scripts import Script
from skill.verify.show import Verified, lines

CHECK = Check("all tests", "", "npm test", Script("npm test"))
OF_FILES = Check("tests of what changes", "", "vitest", Script("vitest"), files=("a.ts",))
GREEN, RED = Ran(0, 1), Ran(1, 1, "boom")


def ran_tests(status: int, *faults: str, of: int = 9) -> Ran:
    return Ran(status, 1, "", Report(Counter(faults), of))


def compared(before: Ran | None, after: Ran | None, check: Check = CHECK) -> Outcome:
    return compare(check, before, after, 60)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (GREEN, GREEN, "green"),
        (GREEN, RED, "red"),
        (RED, RED, "same"),
        (RED, GREEN, "mended"),
        (ran_tests(0), ran_tests(0), "green"),
        (ran_tests(1, "a"), ran_tests(1, "a"), "same"),
        (ran_tests(1, "a", "b"), ran_tests(1, "a"), "same"),
        (ran_tests(1, "a"), ran_tests(1, "b"), "red"),
        (ran_tests(1, "a"), ran_tests(1, "a", "a"), "red"),
        (ran_tests(1, "a"), ran_tests(0), "mended"),
        (ran_tests(0), ran_tests(0, "a"), "red"),
        # It ended before it wrote its report.
        (ran_tests(1, "a"), RED, "red"),
        (ran_tests(0), Ran(139, 1), "red"),
        (GREEN, Ran(None, 60), "red"),
        (Ran(0, 59), Ran(None, 60), "unknown"),
        (Ran(None, 60), Ran(None, 60), "unknown"),
        (Ran(None, 60), GREEN, "unknown"),
        (Ran(127, 0, why="jest: not found"), Ran(127, 0, why="jest: not found"), "not run"),
        (GREEN, Ran(127, 0, why="jest: not found"), "red"),
        (None, GREEN, "green"),
        (None, RED, "red"),
        (GREEN, None, "not run"),
    ],
)
def test_verdict(before: Ran | None, after: Ran | None, verdict: str) -> None:
    outcome = compared(before, after)
    assert outcome.verdict == verdict
    assert verdict != "unknown" or "--verify-limit 240" in outcome.note
    verified = Verified((outcome,))
    assert bool(verified.broken) is (verdict == "red")
    assert list(lines(verified)) and verified.summary


def test_faults_are_named() -> None:
    outcome = compared(ran_tests(1, "old"), ran_tests(1, "old", "new"))
    assert (outcome.new, outcome.old) == (("new",), ("old",))
    text = "\n".join(lines(Verified((outcome,))))
    assert "turned red: new" in text and "red before, too: old" in text
    assert "1 of 9 tests red, 1 s → 2 of 9 tests red, 1 s" in text


def test_no_test_is_about_what_changes() -> None:
    outcome = compared(ran_tests(0, of=0), ran_tests(0, of=0), OF_FILES)
    assert outcome.verdict == "not run"
    assert compared(ran_tests(0, of=0), ran_tests(0, of=1), OF_FILES).verdict == "green"
    assert compared(None, None, OF_FILES).verdict == "not run"


def test_many_faults_are_not_all_listed() -> None:
    names = [f"test {number}" for number in range(300)]
    text = list(lines(Verified((compared(ran_tests(1, *names), ran_tests(1, *names)),))))
    assert len(text) == 13 and text[-1].strip() == "… and 290 more"


def test_the_summary_counts_a_test_once() -> None:
    again = compared(ran_tests(1, "a"), ran_tests(1, "a"), OF_FILES)
    verified = Verified((again, compared(ran_tests(1, "a", "b"), ran_tests(1, "a", "b"))))
    assert verified.summary == (
        "verified: 2 checks as before the patch, 9 tests run, 2 red before, too"
    )
