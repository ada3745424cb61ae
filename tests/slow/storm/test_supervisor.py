"""The table of supervisors: both engines play it alike, and as the manuals say.

The real ones are compared with it in ``tests/slow/supervisors/test_table.py``.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.storm.node.run import RUNNER
from skill.storm.supervisor import MANAGERS, ON_FAILURE_GROWING, rules
from tests.slow.supervisors.played import End, played

HERE = Path(__file__).resolve().parent
Case = tuple[Supervisor, Sequence[End]]

ENDS = (0, 1, 2, 13, 75, "SIGTERM", "SIGKILL", "SIGSEGV")
LIVES = (0.0, 0.5, 0.999, 1.0, 3.25, 9.999, 10.0, 29.999, 30.0, 400.0)


def in_node(cases: Sequence[Case]) -> list[list[float]]:
    done = subprocess.run(
        ["node", str(HERE / "play_supervisor.cjs"), str(RUNNER / "supervisor.cjs")],
        input=json.dumps([{"rules": rules(own), "ends": ends} for own, ends in cases]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[float]] = json.loads(done.stdout)
    return found


def units() -> Iterator[Supervisor]:
    """Each kind with each of its words, bare and with all that a unit can set."""
    for kind, manager in MANAGERS.items():
        for word in (*manager.restarts, "${WORD}"):
            yield Supervisor(kind, word)
            for pause, most, backoff in product((0.0, 5.0), (0, 3), (0.0, 0.1, 60.0)):
                yield Supervisor(
                    kind,
                    word,
                    restart_s=pause,
                    limit_interval_s=most * 10.0,
                    limit_burst=5,
                    prevent_codes=(0, 75),
                    force_codes=(2, 75),
                    max_restarts=most,
                    min_uptime_s=1.0,
                    backoff_s=backoff,
                    steps=most,
                )


def cases() -> Iterator[Case]:
    chance = random.Random(13)
    for own in units():
        for end in (0, 1, "SIGKILL"):
            yield own, [(0.5, end)] * 12
        for _ in range(3):
            yield own, [(chance.choice(LIVES), chance.choice(ENDS)) for _ in range(40)]


def test_both_engines_start_at_the_same_times() -> None:
    every = list(cases())
    lengths = set()
    for (own, ends), node in zip(every, in_node(every), strict=True):
        python = played(own, ends)
        assert python == pytest.approx(node, abs=1e-6), (own, ends)
        lengths.add(len(node))
    assert {1, 2, 3, 4, 5, 12, 40} <= lengths, "sequences that end early, and that go on"


CRASHES: list[End] = [(0.0, 1)] * 8


@pytest.mark.parametrize(
    ("own", "ends", "starts"),
    [
        # systemd: a fixed pause from the end, and five starts in the window of the limit.
        (
            Supervisor("systemd", "on-failure", 10.0, limit_interval_s=300, limit_burst=5),
            [(2.0, 1)] * 8,
            [0, 12, 24, 36, 48],
        ),
        # RestartSteps=4, RestartMaxDelaySec=300: no fifth start within the pauses of the first.
        (ON_FAILURE_GROWING, [(0.0, 1)] * 8, [0, 10, 33.403, 88.174, 216.354, 516.35, 816.35,
         1116.35]),
        (Supervisor("systemd", "on-failure", 1.0), [(0.0, 1), (0.0, "SIGTERM"), (0.0, 1)], [0, 1]),
        # launchd: ThrottleInterval from start to start.
        (Supervisor("launchd", "always", 10.0), [(4.0, 0), (30.0, 0), (0.0, 0)], [0, 10, 40]),
        (Supervisor("launchd", "on-failure", 10.0), [(4.0, "SIGTERM"), (0.0, 0), (0, 0)], [0, 10]),
        # moby: 100 ms, doubled; 100 ms again after ten seconds of life.
        (Supervisor("compose", "always"), [*CRASHES[:4], (10.0, 1), *CRASHES[:1]],
         [0, 0.1, 0.3, 0.7, 1.5, 11.6]),
        (Supervisor("compose", "on-failure", max_restarts=2), CRASHES, [0, 0.1, 0.3]),
        # pm2: sixteen unstable restarts, or a delay that grows by half; a signal is a status of 0.
        (Supervisor("pm2", "always", max_restarts=3, min_uptime_s=1.0), CRASHES, [0, 0, 0]),
        (
            Supervisor("pm2", "always", prevent_codes=(0,), max_restarts=16, min_uptime_s=1.0,
                       backoff_s=5.0),
            [(2.0, 1), (2.0, 1), (31.0, 1), (2.0, "SIGKILL"), (2.0, 1)],
            [0, 7, 16.5, 52.5],
        ),
        # supervisord: three retries a second later each; from startsecs on at once, unless the
        # status is expected.
        (Supervisor("supervisord", "always", max_restarts=3, min_uptime_s=1.0), CRASHES,
         [0, 1, 3, 6]),
        (
            Supervisor("supervisord", "on-failure", prevent_codes=(0,), max_restarts=3,
                       min_uptime_s=1.0),
            [(0.0, 0), (2.0, 1), (0.0, 1), (2.0, 0), (0.0, 1)],
            [0, 1, 3, 4],
        ),
        # A loop of a script.
        (Supervisor("shell", "on-failure", 5.0), [(1.0, 1), (1.0, "SIGKILL"), (1.0, 0), (1.0, 1)],
         [0, 6, 12]),
        (Supervisor("shell", "always", 5.0, backoff_s=12.0), CRASHES[:5], [0, 5, 15, 27, 39]),
        (Supervisor("none"), CRASHES, [0]),
    ],
    ids=lambda value: value.kind if isinstance(value, Supervisor) else None,
)  # fmt: skip
def test_as_its_manual_says(own: Supervisor, ends: list[End], starts: list[float]) -> None:
    assert played(own, ends) == pytest.approx(starts, abs=0.01)
    assert in_node([(own, ends)])[0] == pytest.approx(starts, abs=0.01)
