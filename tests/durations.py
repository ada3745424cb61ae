"""A pytest plugin: how long the parts took, at the end of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

FEWEST_S = 1.0


def part(nodeid: str) -> str:
    """The folder of a test, two deep at most: ``slow/e2e``."""
    parts = PurePosixPath(nodeid.partition("::")[0]).parent.parts
    return "/".join(parts[1:3] if parts[:1] == ("tests",) else parts[:2]) or "."


class Durations:
    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = part(report.nodeid)
        self.seconds[name] += report.duration
        self.tests[name] += report.when == "call"

    def lines(self) -> Iterator[str]:
        """The longest first; those of less than a second in one line."""
        rest = 0.0
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            if seconds < FEWEST_S:
                rest += seconds
                continue
            yield f"  {name:24} {seconds:7.0f} s {self.tests[name]:6} tests"
        yield f"  {'others':24} {rest:7.0f} s"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_sep("=", "how long the parts took, each test by itself")
        for line in self.lines():
            terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the processes of xdist report to the first
        config.pluginmanager.register(Durations())
