"""Lines of a log get the times at which they were written, whatever zone the bot lives in."""

from __future__ import annotations

import time

import pytest

from skill.doctor.stamps import DAY, timed
from tests.quick.doctor.harness import NOW, iso


def clock(at: float, east: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at + east * 3600))


@pytest.mark.parametrize("east", [-11, -3.5, 0, 2, 5.75, 13])
@pytest.mark.parametrize("form", ["dated", "clock"])
def test_a_zone_that_is_not_named_is_told_by_when_the_file_was_written(
    east: float, form: str
) -> None:
    ages = [20 * 3600, 3 * 3600, 3000, 30, 2]
    lines = [
        f"[{clock(NOW - age, east)}.123] INFO: closed"
        if form == "clock"
        else time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(NOW - age + east * 3600)) + " closed"
        for age in ages
    ]
    assert [NOW - at for at, _ in timed(lines, NOW)] == ages


@pytest.mark.parametrize(
    "line",
    [
        f'{{"level":30,"time":{int(NOW * 1000) - 5000},"msg":"closed"}}',
        iso(NOW - 5) + "Z closed",
        iso(NOW - 5, 2) + "+02:00 closed",
        iso(NOW - 5, -8) + " -0800 closed",
    ],
)
def test_a_stamp_that_names_its_moment_is_taken_at_its_word(line: str) -> None:
    # Written long after: nothing is worked out from that.
    assert [at for at, _ in timed([line], NOW + 500_000)] == [NOW - 5]


def test_lines_of_two_streams_may_change_places() -> None:
    lines = [f"[{clock(NOW - age, 0)}] closed" for age in (300, 1, 2, 0)]
    assert [NOW - at for at, _ in timed(lines, NOW)] == [300, 1, 2, 0]


def test_times_of_day_go_back_over_midnight() -> None:
    ages = [DAY * 1.5, DAY, 11 * 3600, 13 * 3600 - DAY / 2]
    lines = [f"{clock(NOW - age, 0)} closed" for age in ages]
    assert [NOW - at for at, _ in timed(lines, NOW - ages[-1])] == ages


def test_a_line_without_a_stamp_belongs_to_the_one_before() -> None:
    lines = ["    at start (index.js:1)", iso(NOW - 9), "    err: {", iso(NOW - 1), "  }"]
    assert [NOW - at for at, _ in timed(lines, NOW)] == [9, 9, 1, 1]


@pytest.mark.parametrize(
    "line",
    [
        "9999-99-99 99:99:99 closed",
        "2026-02-31 10:00:00+99:99 closed",
        "Foo 31 10:00:00 closed",
        "\x00" * 300,
        '{"time":"9999999999999999999"}',
        "٢٠٢٦-١١-٣٠ ١٢:٠٠:٠٠ closed",
    ],
)
def test_a_stamp_that_is_none_stops_nothing(line: str) -> None:
    found = timed([line, iso(NOW - 1) + " closed"], NOW)
    assert found[-1] == (NOW - 1, iso(NOW - 1) + " closed")


def test_lines_without_a_stamp_that_came_later_move_no_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last stamp is of half an hour before the file was written: that is no zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    lines = [iso(NOW - 1800) + " closed", "a line of hours later"]
    assert [NOW - at for at, _ in timed(lines, NOW)] == [1800, 1800]
    # What would have been written in the future was not.
    lines = [iso(NOW + 7200) + " closed", "a line of right after"]
    assert [NOW - at for at, _ in timed(lines, NOW)] == [0, 0]
    monkeypatch.undo()
    time.tzset()
