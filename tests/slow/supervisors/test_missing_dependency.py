"""Bots that fail while something else is missing, under systemd 252 and 257 (Debian 12 and 13).

The units are what ``apply`` makes of a host's; only their program is another one. A dependency that
is missing for 90 s runs at true scale. For 10 minutes and 2 hours every time in the unit is divided
by 60, the pause, the longest one and the limit's interval, so their ratios stay; the time that a
start takes does not shrink, nor do the 250 ms by which systemd's timers may be late. Both lengthen
the pauses, so that 59 s could not be told from 61 s here. That is computed, by the tests of
``modify.units.restarts``, and was measured once at true scale, with a dependency missing for 10
minutes: 252 with 61 s made 11 starts and the bot ran 12 s after it came, 257 with 10 s made 7,
at 0, 10, 34, 89, 217, 517 and 817 s.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from modify.units.restarts import HOUR, LONGEST, STEPS, start_times
from tests.quick.rules.service_cases.harness import RESTARTS_WELL, SOUND, UNIT, patched, unit
from tests.quick.units.test_dependency import ASKS
from tests.quick.units.test_restarts import WITHIN
from tests.slow.baileys.harness import wait
from tests.slow.supervisors.systemd import Manager, manager

pytestmark = pytest.mark.system

NANOCLAW = unit("Restart=always\nRestartSec=5\n", "")
OLD = unit(RESTARTS_WELL, SOUND)
"""As skillgen made it before pauses grew."""
SCALE = 60
TIMES = re.compile(r"^(RestartSec|RestartMaxDelaySec|StartLimitIntervalSec)=(\d+)$", re.MULTILINE)
PROGRAM = """#!/bin/sh
date +%s.%N >> {folder}/starts
[ -e {folder}/revoked ] && exit 0
[ -e {folder}/there ] || exit 1
date +%s.%N > {folder}/runs
exec sleep 1000
"""
STARTING = 5.0
"""Seconds that a start may take on a busy machine, true ones, and systemd's timer with it."""


@dataclass(frozen=True)
class Case:
    """version: of systemd. host: whose unit it is. missing_s: for how long; 0: not, but revoked."""

    version: int
    host: str
    missing_s: float
    scale: int = 1

    @property
    def name(self) -> str:
        return f"{self.host}-{self.missing_s:.0f}"

    def label(self) -> str:
        return f"{self.version}-{self.name}"


CASES = [
    Case(257, "plain", 90),
    Case(257, "plain", 600, SCALE),
    Case(257, "plain", 7200, SCALE),
    Case(257, "waits", 90),
    Case(257, "waits", 7200, SCALE),
    Case(252, "waits", 90),
    Case(252, "waits", 600, SCALE),
    Case(252, "waits", 7200, SCALE),
]
ENDED = [Case(252, "plain", 90), Case(252, "old", 90), Case(257, "old", 90)]
REVOKED = [Case(version, host, 0) for version in (252, 257) for host in ("plain", "waits")]


@dataclass(frozen=True)
class Run:
    """A unit while it is tried. Times are seconds since its first start, unscaled."""

    case: Case
    folder: Path
    systemd: Manager

    @property
    def unit(self) -> str:
        return f"{self.case.name}.service"

    @property
    def starts(self) -> list[float]:
        file = self.folder / "starts"
        found = [float(line) for line in file.read_text().split()] if file.exists() else []
        return [(at - found[0]) * self.case.scale for at in found]

    @property
    def is_up(self) -> bool:
        return (self.folder / "runs").exists()

    @property
    def back_after(self) -> float:
        """Seconds from when the dependency was there until the bot ran."""
        there = (self.folder / "there").stat().st_mtime
        return (float((self.folder / "runs").read_text()) - there) * self.case.scale

    def go(self) -> None:
        """From its start until it runs, or has had the time to."""
        if not self.case.missing_s:
            (self.folder / "revoked").touch()
        self.systemd.systemctl("start", "--no-block", self.unit)
        time.sleep(self.case.missing_s / self.case.scale)
        (self.folder / "there").touch()
        wait((WITHIN if self.case not in ENDED else 60) / self.case.scale + STARTING, self.settled)

    def settled(self) -> bool:
        return self.is_up or self.systemd.state(self.unit) in ("failed", "inactive")


def text_of(host: str, folder: Path) -> str:
    """The unit of a host as ``apply`` leaves it."""
    if host == "old":
        return OLD
    others: dict[str, str | bytes] = {**ASKS} if host == "waits" else {}
    return patched(folder, {UNIT: NANOCLAW, **others}).text(UNIT)


def shorter(text: str, scale: int) -> str:
    return TIMES.sub(lambda found: f"{found[1]}={int(found[2]) * 1000 // scale}ms", text)


@pytest.fixture(scope="module")
def runs(
    debians: dict[int, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, Run]]:
    """All of them at once: most of their time they wait."""
    work = tmp_path_factory.mktemp("missing")
    found: dict[Case, Run] = {}
    with ExitStack() as stack:
        for version, tree in debians.items():
            systemd = stack.enter_context(manager(work / str(version), tree=tree))
            said = systemd.run("systemctl", "--version")
            assert said.startswith(f"systemd {version} "), said
            for case in (*CASES, *ENDED, *REVOKED):
                if case.version == version:
                    found[case] = placed(case, work / case.label(), systemd)
            systemd.systemctl("daemon-reload")
        threads = [threading.Thread(target=run.go) for run in found.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        yield found


def placed(case: Case, folder: Path, systemd: Manager) -> Run:
    run = Run(case, folder, systemd)
    folder.mkdir()
    text = text_of(case.host, folder / "host")
    program = folder / "bot.sh"
    program.write_text(PROGRAM.format(folder=folder))
    program.chmod(0o755)
    text = re.sub(r"^ExecStart=.*$", f"ExecStart={program}", text, flags=re.MULTILINE)
    place = systemd.home / ".config" / "systemd" / "user"
    (place / run.unit).write_text(shorter(text, case.scale))
    return run


@pytest.mark.parametrize("case", CASES, ids=Case.label)
def test_it_runs_within_six_minutes_of_what_it_waited_for(
    runs: dict[Case, Run], case: Case
) -> None:
    run = runs[case]
    assert run.systemd.state(run.unit) == "active", run.starts
    assert run.back_after <= WITHIN + STARTING * case.scale
    most = 20 if case.version >= 254 else 60
    assert max(sum(at <= other < at + HOUR for other in run.starts) for at in run.starts) <= most


@pytest.mark.parametrize("case", [case for case in CASES if case.version == 257], ids=Case.label)
def test_pauses_grow_as_computed(runs: dict[Case, Run], case: Case) -> None:
    run = runs[case]
    pauses = [later - sooner for sooner, later in pairwise(run.starts)]
    computed = start_times(61 if case.host == "waits" else 10, STEPS, LONGEST)
    least = [later - sooner for _, (sooner, later) in zip(pauses, pairwise(computed), strict=False)]
    assert len(pauses) >= 2
    for pause, expected in zip(pauses, least, strict=True):
        assert expected * 0.99 <= pause <= expected + STARTING * case.scale, (pauses, least)


@pytest.mark.parametrize("case", ENDED, ids=Case.label)
def test_without_growth_and_with_ten_seconds_it_is_ended(runs: dict[Case, Run], case: Case) -> None:
    """What an older systemd makes of such a unit, and any of one from before."""
    run = runs[case]
    assert (run.systemd.state(run.unit), len(run.starts)) == ("failed", 5)


@pytest.mark.parametrize("case", REVOKED, ids=Case.label)
def test_a_revoked_bot_is_started_once(runs: dict[Case, Run], case: Case) -> None:
    run = runs[case]
    assert (run.systemd.state(run.unit), len(run.starts)) == ("inactive", 1)
