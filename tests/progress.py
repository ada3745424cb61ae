"""A pytest plugin: one line a folder of ``tests/quick`` as it finishes, and failures at once.

rules            412 passed
cli              120 passed, 1 failed
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

import pytest

ROOM = "tests/quick/"


def room(nodeid: str) -> str:
    """The folder of a test: the first below ``tests/quick``, or else its own."""
    folder = PurePosixPath(nodeid.partition("::")[0]).parent.as_posix()
    return folder.removeprefix(ROOM).split("/")[0] if folder.startswith(ROOM) else folder


class Progress:
    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self.reporter = reporter
        self.waiting: Counter[str] = Counter()
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def expect(self, nodeids: Iterable[str]) -> None:
        self.waiting = Counter(map(room, nodeids))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Every process of xdist collects all of them."""
        self.expect(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count as pytest does, but leave out the letters."""
        if report.failed:
            return ("failed" if report.when == "call" else "error"), "", ""
        return (report.outcome, "", "") if report.skipped or report.when == "call" else None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = room(report.nodeid)
        if report.failed:
            self.outcomes[name]["failed"] += 1
            self.reporter.write_line("")
            self.reporter.write_sep("_", f"{report.nodeid} ({report.when})")
            report.toterminal(self.reporter._tw)
        elif report.skipped or report.when == "call":
            self.outcomes[name][report.outcome] += 1
        if report.when == "teardown":
            self.finish(name)

    def finish(self, name: str) -> None:
        self.waiting[name] -= 1
        if self.waiting[name] == 0:
            counts = self.outcomes[name]
            said = ", ".join(f"{counts[word]} {word}" for word in sorted(counts, reverse=True))
            self.reporter.write_line(f"{name:16} {said}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Failures were shown; the summary names them once more, without their tracebacks."""
        session.config.option.tbstyle = "no"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:  # the processes of xdist have none
        config.pluginmanager.register(Progress(reporter))
