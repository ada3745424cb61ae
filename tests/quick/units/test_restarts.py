"""Pauses and start limit of a systemd unit: what never ends a bot, and what bounds it."""

from __future__ import annotations

from itertools import pairwise, takewhile
from pathlib import Path

import pytest

from modify.units import restarts
from modify.units.restarts import HOUR, Limit
from skill.host import Host
from tests.quick.rules.service_cases.harness import (
    SOUND,
    UNIT,
    check_noop,
    check_transformed,
    grown,
    look,
    unit,
)
from tests.quick.units.test_dependency import ASKS, WHERE

POLICY = Limit("300", "5")
WITHIN = 6 * 60
"""Seconds in which a bot has to run once what it waits for is there."""


def an_hour(pause: float, steps: int) -> list[float]:
    times = restarts.start_times(pause, steps, restarts.LONGEST)
    return list(takewhile(lambda time: time < HOUR, times))


def most_within(times: list[float], span: float) -> int:
    return max(sum(begin <= time < begin + span for time in times) for begin in times)


def test_pauses_grow_as_those_of_systemd() -> None:
    """tests/slow/supervisors/test_missing_dependency.py has measured the same."""
    times = an_hour(10, 4)
    pauses = [round(later - earlier) for earlier, later in pairwise(times)]
    assert pauses[:6] == [10, 23, 55, 128, 300, 300]
    assert len(times) == 16


@pytest.mark.parametrize(("pause", "steps"), [(10, 4), (61, 4), (30, 4), (5, 4), (61, 0)])
def test_they_never_reach_the_limit(pause: float, steps: int) -> None:
    times = an_hour(pause, steps)
    assert most_within(times, 300) <= 5
    assert len(times) <= (20 if steps else 60)
    assert max(later - earlier for earlier, later in pairwise(times)) <= WITHIN


@pytest.mark.parametrize(("pause", "steps"), [(10, 5), (10, 0), (59, 0)])
def test_others_would(pause: float, steps: int) -> None:
    assert most_within(an_hour(pause, steps), 300) > 5


@pytest.mark.parametrize(
    ("pause", "limit", "steps"),
    [
        (10, POLICY, 4),
        (10, Limit("300", "100"), 4),
        (10, Limit("300", "4"), 3),
        (10, Limit("300", "2"), 1),
        (10, Limit("300", "1"), 0),
        (10, Limit("10min", "5"), 3),
        (120, Limit("800", "5"), 4),
        (300, POLICY, 0),
        # What an owner means to be final.
        (10, Limit("infinity", "3"), 0),
        (10, Limit("1d", "3"), 0),
        (10, Limit("300", "9" * 30), 4),
    ],
)
def test_as_many_steps_as_the_limit_allows(pause: float, limit: Limit, steps: int) -> None:
    assert restarts.spread_of(pause, limit) == steps
    if steps:
        assert restarts.start_after(limit.starts, pause, steps) >= limit.interval_s


def test_a_start_that_fails_while_something_is_missing_gets_pauses_that_end_nothing(
    tmp_path: Path,
) -> None:
    text = unit("Restart=always\nRestartSec=5\n", "")
    others: dict[str, str | bytes] = {**ASKS}
    made = grown(unit("Restart=on-failure\nRestartSec=61\n", SOUND)).replace(
        "# Growing pauses stay below the limit while a dependency is missing (systemd >= 254)",
        "# 61 s and growing pauses stay below the limit while a dependency is missing",
    )
    check_transformed(tmp_path, UNIT, text, made, others=others)
    hand_offs, _ = check_noop(tmp_path, {UNIT: made, **others})
    assert not hand_offs


def test_a_unit_of_an_earlier_version_is_right_unless_it_ends_the_bot(tmp_path: Path) -> None:
    check_noop(tmp_path, {UNIT: unit()})
    patch = look(tmp_path, {UNIT: unit(), **ASKS})
    [finding] = patch.findings
    assert finding.rule == "systemd-start-limit"
    assert finding.message == f"the start limit ends the bot for good: {WHERE}"
    assert finding.line == unit()[: unit().index("StartLimitInterval")].count("\n") + 1


def test_pauses_of_a_bot_that_does_not_ask_any_more_stay_right(tmp_path: Path) -> None:
    slow = grown(unit("Restart=on-failure\nRestartSec=61\n", SOUND))
    hand_offs, _ = check_noop(tmp_path, {UNIT: slow})
    assert not hand_offs


@pytest.mark.parametrize("starts", [3, 5, 20])
def test_the_pause_fits_the_starts_that_are_allowed(tmp_path: Path, starts: int) -> None:
    patch = look(tmp_path, {UNIT: unit("Restart=always\n", ""), **ASKS}, start_limit=starts)
    edits = b"".join(edit.text for edit in patch.edits[UNIT])
    least = {3: 101, 5: 61, 20: 61}[starts]
    assert b"RestartSec=%d\n" % least in edits and b"RestartSteps=" in edits
    assert starts * least > 300 and HOUR / least <= 60


def test_a_pause_that_an_owner_has_made_longer_stays(tmp_path: Path) -> None:
    text = unit("Restart=always\nRestartSec=90\n", "")
    patch = look(tmp_path, {UNIT: text, **ASKS})
    edits = b"".join(edit.text for edit in patch.edits[UNIT])
    assert b"# 90 s and growing pauses" in edits and b"RestartSec=" not in edits
    assert b"StartLimitIntervalSec=300" in edits


@pytest.mark.parametrize(
    "numbers",
    ["RestartSec=infinity", "RestartSec=0", f"RestartSec={'9' * 400}", "RestartSec=1us"],
)
@pytest.mark.parametrize("burst", ["9" * 5000, "0", "\u00b2", "-1"])
def test_any_number_has_an_answer(tmp_path: Path, numbers: str, burst: str) -> None:
    limit = f"StartLimitIntervalSec=1000y\nStartLimitBurst={burst}\n"
    for others in ({}, ASKS):
        for restart in ("always", "on-failure"):
            text = unit(f"Restart={restart}\n{numbers}\n", limit)
            look(tmp_path, {UNIT: text, **others})


def test_computed_growth_is_left(tmp_path: Path) -> None:
    text = unit("Restart=always\n${steps ? `RestartSteps=${steps}` : ''}\n", "")
    path = "setup/service.ts"
    source = f"export const text = `{text}`;\n"
    patch = look(tmp_path, {path: source})
    assert b"RestartSteps" not in b"".join(edit.text for edit in patch.edits[path])
    assert Host(tmp_path).exists(path)
