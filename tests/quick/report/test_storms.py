"""The report of ``skillgen simulate``: readable in any width, and whole in JSON."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import takewhile

import pytest

from skill.report import storms
from skill.report.printer import Printer
from skill.storm.catalogue import EVERY, HEADLINE
from skill.storm.outcome import Outcome
from skill.storm.scenarios import DAY, HOUR, Scenario
from skill.storm.simulate import Report, Simulation
from tests.quick.report.harness import outcome, simulation


def stormy(scenario: Scenario) -> tuple[Outcome, Outcome]:
    """The longest figures that there are: attempts without end, and one that settles it."""
    often = {"attempts": 72_001, "busiest_hour": 12_001, "exits": {"SIGKILL": 72_001}}
    before = outcome(scenario.id, (0.0, DAY + 7.0))
    after = outcome(scenario.id, (0.0, DAY + 7.0), exits=((1.0, 0),), ready_s=1.0, up_at_end=True)
    return replace(before, **often), after


@pytest.fixture(scope="module")
def eleven() -> Simulation:
    return simulation(*map(stormy, HEADLINE))


def squeezed(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize("width", [40, 56, 57, 79, 80, 106, 120, 200])
def test_no_line_is_wider_than_the_terminal(eleven: Simulation, width: int) -> None:
    lines = list(storms.text(eleven, width))
    assert max(map(len, lines)) <= width
    text = squeezed(lines)
    assert "…" not in text
    for scenario in HEADLINE:
        assert scenario.title in text
    for figure in (
        "12,001 → 1",
        "72,001 → 1",
        "no → yes",
        "exits: SIGKILL (72,001 times) → 0 (once)",
    ):
        assert text.count(figure) >= 11, figure


def test_the_scenario_comes_first(eleven: Simulation) -> None:
    for width in (None, 120):
        rows = [line for line in storms.text(eleven, width) if "12,001 → 1" in line][:-1]
        assert [row.partition("  ")[0] for row in rows] == [one.title for one in HEADLINE]
        assert len({row.index("→") for row in rows}) == 1, "arrows are below each other"


def test_eighty_columns_have_the_figures_below_the_scenario(eleven: Simulation) -> None:
    lines = list(storms.text(eleven, 80))
    for scenario in HEADLINE:
        figures = lines[lines.index(scenario.title) + 1]
        assert figures.split()[:6] == ["12,001", "→", "1", "72,001", "→", "1"]


def test_every_scenario_fits_a_terminal() -> None:
    lines = list(storms.text(simulation(*map(stormy, EVERY)), 80))
    assert max(map(len, lines)) <= 80


def test_what_is_no_terminal_has_one_line_for_each(eleven: Simulation) -> None:
    lines = list(storms.text(eleven))
    assert [line for line in lines if line.startswith("exits")] == []
    assert sum(line.startswith("broken: ") for line in lines) == len(eleven.broken)


def test_a_long_text_is_cut_on_a_terminal_and_nowhere_else() -> None:
    fault = {"kind": "uncaughtException", "text": "no " * 300 + "end", "count": 1, "first_s": 1.0}
    after = outcome("refused", (0.0, 6 * HOUR), ready_s=1.0, up_at_end=True, faults=(fault,))
    one = simulation((after, after))
    lines = list(storms.text(one, 80))
    begin = next(at for at, line in enumerate(lines) if line.startswith("broken:"))
    narrow = [lines[begin], *takewhile(lambda line: line.startswith(" "), lines[begin + 1 :])]
    assert max(map(len, narrow)) <= 80
    assert len(narrow) == 5 and narrow[-1].endswith(" …")
    [broken] = [line for line in storms.text(one) if line.startswith("broken:")]
    assert broken.startswith(
        "broken: close 408 at once for 6 h, then well [refused]: uncaughtException"
    )
    assert broken.endswith("no end")
    [channel] = storms.as_data(Report([one]))["channels"]
    assert channel["scenarios"][0]["broken"][0].endswith("no end")


def test_a_bot_that_does_not_come_back_is_dead() -> None:
    dead = outcome("silent", (0.0,))
    alive = outcome("silent", (0.0, 6 * HOUR + 20), ready_s=6 * HOUR + 21, up_at_end=True)
    down = outcome("refused", (0.0, 6 * HOUR + 20))
    over = outcome("revoked", (0.0,))
    one = simulation((dead, alive), (down, down), (over, over))
    rows = [line for line in storms.text(one, 120) if " → " in line and not line.startswith("b")]
    assert rows[0].endswith("dead → yes")
    assert rows[1].endswith("no → no"), "it dialled again"
    assert rows[2].endswith("no → no"), "its session is over, it is not to come back"
    [channel] = storms.as_data(Report([one]))["channels"]
    assert [row["before"]["is_dead"] for row in channel["scenarios"]] == [True, False, False]
    assert not channel["scenarios"][0]["after"]["is_dead"]


def test_what_was_not_run_is_not_dead() -> None:
    assert not outcome("silent", (0.0,), not_run="it takes too long").is_dead


def test_the_width_is_the_terminal_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert Printer().width is None
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert Printer().width == 72
