"""``make test`` says at its end how long each part took."""

from __future__ import annotations

import pytest

from tests.durations import Durations


def test_the_longest_part_comes_first() -> None:
    durations = Durations()
    for path, when, seconds in (
        ("tests/quick/cli/test_a.py", "call", 2.0),
        ("tests/slow/e2e/deep/test_b.py", "setup", 3.0),
        ("tests/slow/e2e/test_b.py", "call", 4.0),
        ("tests/slow/cli/test_c.py", "call", 0.4),
    ):
        report = pytest.TestReport(
            f"{path}::test", ("", 0, ""), {}, "passed", None, when, (), seconds
        )  # type: ignore[arg-type]
        durations.pytest_runtest_logreport(report)
    assert [line.split() for line in durations.lines()] == [
        ["slow/e2e", "7", "s", "1", "tests"],
        ["quick/cli", "2", "s", "1", "tests"],
        ["others", "0", "s"],
    ]
