"""Attempts over time as an SVG: a panel for each scenario, before and after in each hour.

The scale is logarithmic, since a storm makes 12,000 attempts an hour and a patched bot 20.
The picture follows the reader's light or dark setting by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path

from skill.errors import SkillgenError
from skill.report.file import write_report
from skill.report.storms import cells
from skill.storm.outcome import Outcome
from skill.storm.scenarios import DAY, HOUR, MOST_IN_AN_HOUR
from skill.storm.simulate import Report, Simulation

HOURS = int(DAY / HOUR)
COLUMNS = 3
# Pixels: a panel and what lies around it.
PANEL_WIDTH, PANEL_HEIGHT = 312, 96
GAP_X, GAP_Y = 64, 62
LEFT, TOP, MARGIN = 60, 106, 28
TICKS = (1, MOST_IN_AN_HOUR, 1000)


@dataclass(frozen=True, slots=True)
class Panel:
    """x, y: its upper left corner. figures: what stands below it. before, after: paths, or empty
    where that side was not run."""

    x: int
    y: int
    title: str
    figures: str
    before: str
    after: str


def write(report: Report, file: Path) -> None:
    """Raises SkillgenError when there is nothing to draw or the file cannot be written."""
    write_report(file, draw(report.simulations))


def draw(simulations: Sequence[Simulation]) -> str:
    """The picture's text; the same outcomes give the same bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pairs = [
        (simulation, before, after)
        for simulation in simulations
        for before, after in zip(simulation.before.outcomes, simulation.after.outcomes, strict=True)
        if not (before.not_run and after.not_run)
    ]
    if not pairs:
        raise SkillgenError("nothing was run, so there is nothing to draw")
    highest = max(max(hourly(one), default=1) for _, *both in pairs for one in both)
    top = 10 ** ceil(log10(max(highest, 100)))
    panels = [
        _panel(number, simulation, before, after, top)
        for number, (simulation, before, after) in enumerate(pairs)
    ]
    rows = ceil(len(panels) / COLUMNS)
    across = min(COLUMNS, len(panels))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("chart.svg.j2").render(
        panels=panels,
        width=max(LEFT + across * (PANEL_WIDTH + GAP_X) - GAP_X + MARGIN, 660),
        height=TOP + rows * (PANEL_HEIGHT + GAP_Y) - GAP_Y + 44,
        panel_width=PANEL_WIDTH,
        panel_height=PANEL_HEIGHT,
        left=LEFT,
        most=MOST_IN_AN_HOUR,
        ticks=[(f"{tick:,}", _y(tick, top)) for tick in (*TICKS, top) if tick <= top],
        limit=_y(MOST_IN_AN_HOUR, top),
        hours=[(hour, round(hour / HOURS * PANEL_WIDTH, 1)) for hour in range(0, HOURS + 1, 6)],
    )


def hourly(outcome: Outcome) -> list[int]:
    """Attempts in each hour of the first day."""
    if outcome.not_run:
        return []
    dials = Counter(int(at // HOUR) for at in outcome.attempts_at)
    tries = Counter(int(at // HOUR) for at in outcome.runs_at)
    return [max(dials[hour], tries[hour]) for hour in range(HOURS)]


def _panel(number: int, simulation: Simulation, before: Outcome, after: Outcome, top: int) -> Panel:
    row, column = divmod(number, COLUMNS)
    busiest, *_, ready = cells(before, after)
    return Panel(
        x=LEFT + column * (PANEL_WIDTH + GAP_X),
        y=TOP + row * (PANEL_HEIGHT + GAP_Y),
        title=after.scenario.title,
        figures=f"busiest hour: {busiest}; ready: {ready}",
        before=_path(hourly(before), top),
        after=_path(hourly(after), top),
    )


def _path(counts: Sequence[int], top: int) -> str:
    return "".join(_bars(counts, top))


def _bars(counts: Sequence[int], top: int) -> Iterator[str]:
    """One rectangle for each run of hours with the same count."""
    step = PANEL_WIDTH / HOURS
    begin = 0
    for hour in range(1, len(counts) + 1):
        if hour < len(counts) and counts[hour] == counts[begin]:
            continue
        if counts[begin]:
            y = _y(counts[begin], top)
            left, width = round(begin * step, 1), round((hour - begin) * step, 1)
            yield f"M{left} {PANEL_HEIGHT}V{y}h{width}V{PANEL_HEIGHT}z"
        begin = hour


def _y(count: int, top: int) -> float:
    """Where a count lies below the panel's upper edge; one attempt is seen, none is not."""
    return round(PANEL_HEIGHT * (1 - log10(count * 2) / log10(top * 2)), 1)
