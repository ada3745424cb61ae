"""Attempts over time as an SVG: a panel for each scenario, before and after in each hour.

The scale is logarithmic, since a storm makes 12,000 attempts an hour and a patched bot 20. A
picture has twelve panels at most: of more scenarios those whose promise is broken, then the
headline ones. It follows the reader's light or dark setting by itself.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path

from skill import __version__
from skill.errors import SkillgenError
from skill.host import Host
from skill.package_json import package_at
from skill.report.file import write_report
from skill.report.storms import cells
from skill.storm.catalogue import HEADLINE
from skill.storm.outcome import Outcome
from skill.storm.scenarios import DAY, HOUR, MOST_IN_AN_HOUR
from skill.storm.simulate import Report, Simulation

HOURS = int(DAY / HOUR)
COLUMNS = 3
MOST_PANELS = 12
# Pixels: a panel and what lies around it.
PANEL_WIDTH, PANEL_HEIGHT = 312, 96
GAP_X, GAP_Y = 64, 78
LEFT, TOP, MARGIN = 60, 140, 28
TITLE_LINE = 15
TICKS = (1, MOST_IN_AN_HOUR, 1000)
# Letters that fit: of a panel's title, two lines of it, and of the head.
TITLE_LETTERS, HEAD_LETTERS = 46, 72
# Where a dead side's word stands, from the top, and the room that it takes.
DEAD_AT = {"before": 40, "after": 56}
DEAD_WIDTH = 170


@dataclass(frozen=True, slots=True)
class Dead:
    """A side that never reconnects. x: when its last attempt was; y: of its word."""

    side: str
    x: float
    y: int

    @property
    def width(self) -> float:
        return round(PANEL_WIDTH - self.x, 1)

    @property
    def word_x(self) -> float:
        """In the middle of what is left of the day, or before its end."""
        return round(min(self.x + self.width / 2, PANEL_WIDTH - DEAD_WIDTH / 2), 1)


@dataclass(frozen=True, slots=True)
class Panel:
    """x, y: its upper left corner. title: its lines, each with its place. figures: what stands
    below it. before, after: paths, or empty where that side was not run. edge: the upper edge of
    before, which shows where after covers it."""

    x: int
    y: int
    title: list[tuple[int, str]]
    figures: str
    before: str
    after: str
    edge: str
    dead: list[Dead]


@dataclass(frozen=True, slots=True)
class Pair:
    """One scenario of one channel."""

    simulation: Simulation
    before: Outcome
    after: Outcome

    @property
    def rank(self) -> tuple[bool, bool]:
        """The lower, the sooner it is shown."""
        return not self.simulation.amiss(self.after), self.after.scenario not in HEADLINE


def write(report: Report, host: Host, file: Path) -> None:
    """Raises SkillgenError when there is nothing to draw or the file cannot be written."""
    write_report(file, draw(report.simulations, bot_name(host)))


def bot_name(host: Host) -> str:
    """The name in its package.json, or else its folder's."""
    name = package_at(host).get("name")
    return name if isinstance(name, str) and name.strip() else host.root.resolve().name


def draw(simulations: Sequence[Simulation], bot: str) -> str:
    """The picture's text; the same outcomes give the same bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pairs = [
        Pair(simulation, before, after)
        for simulation in simulations
        for before, after in zip(simulation.before.outcomes, simulation.after.outcomes, strict=True)
        if not (before.not_run and after.not_run)
    ]
    if not pairs:
        raise SkillgenError("nothing was run, so there is nothing to draw")
    order = sorted(range(len(pairs)), key=lambda at: pairs[at].rank)
    shown = [pairs[at] for at in sorted(order[:MOST_PANELS])]
    highest = max(
        max(hourly(one), default=1) for pair in shown for one in (pair.before, pair.after)
    )
    top = 10 ** ceil(log10(max(highest, 100)))
    channels = list(dict.fromkeys(pair.simulation.channel.path for pair in shown))
    kinds = {pair.simulation.channel.kind for pair in shown}
    panels = [_panel(at, pair, top, len(channels) > 1) for at, pair in enumerate(shown)]
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
        bot=_cut(bot, HEAD_LETTERS // 2),
        source=f"{_cut(', '.join(channels), HEAD_LETTERS)}; simulated by skillgen {__version__}"
        + (f"; {len(shown)} of {len(pairs)} scenarios" if len(shown) < len(pairs) else ""),
        after="under the guard" if shown[0].simulation.after.guard else "after the patch",
        panels=panels,
        width=max(LEFT + across * (PANEL_WIDTH + GAP_X) - GAP_X + MARGIN, 820),
        height=TOP + rows * (PANEL_HEIGHT + GAP_Y) - GAP_Y + 44,
        panel_width=PANEL_WIDTH,
        panel_height=PANEL_HEIGHT,
        left=LEFT,
        most=MOST_IN_AN_HOUR,
        ticks=[(f"{tick:,}", _y(tick, top)) for tick in (*TICKS, top) if tick <= top],
        # A bridge is dialled on the same machine, more often (skill.policy.BRIDGE).
        limit=None if kinds == {"bridge"} else _y(MOST_IN_AN_HOUR, top),
        hours=[(hour, round(hour / HOURS * PANEL_WIDTH, 1)) for hour in range(0, HOURS + 1, 6)],
    )


def _cut(text: str, letters: int) -> str:
    """A name of the host's in so many letters, without those that XML forbids."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= letters else f"{shown[: letters - 1]}…"


def hourly(outcome: Outcome) -> list[int]:
    """Attempts in each hour of the first day."""
    if outcome.not_run:
        return []
    dials = Counter(int(at // HOUR) for at in outcome.attempts_at)
    tries = Counter(int(at // HOUR) for at in outcome.runs_at)
    return [max(dials[hour], tries[hour]) for hour in range(HOURS)]


def _panel(number: int, pair: Pair, top: int, names_channel: bool) -> Panel:
    row, column = divmod(number, COLUMNS)
    busiest, *_, ready = cells(pair.before, pair.after)
    title = pair.after.scenario.title
    if names_channel:
        title = f"{_cut(pair.simulation.channel.path, TITLE_LETTERS)}: {title}"
    lines = textwrap.wrap(title, TITLE_LETTERS, max_lines=2, placeholder=" …")
    first = -22 - TITLE_LINE * (len(lines) - 1)
    sides = {"before": pair.before, "after": pair.after}
    return Panel(
        x=LEFT + column * (PANEL_WIDTH + GAP_X),
        y=TOP + row * (PANEL_HEIGHT + GAP_Y),
        title=[(first + TITLE_LINE * at, line) for at, line in enumerate(lines)],
        figures=f"busiest hour: {busiest}; ready: {ready}",
        before=_path(hourly(pair.before), top),
        after=_path(hourly(pair.after), top),
        edge="".join(_edge(hourly(pair.before), top)),
        dead=[_dead(name, one) for name, one in sides.items() if one.is_dead],
    )


def _dead(side: str, outcome: Outcome) -> Dead:
    last = max((*outcome.attempts_at, *outcome.runs_at), default=0.0)
    return Dead(side, round(min(last / DAY, 1.0) * PANEL_WIDTH, 1), DEAD_AT[side])


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


def _edge(counts: Sequence[int], top: int) -> Iterator[str]:
    """The upper edge of what ``_path`` draws, from the left to the right."""
    step = PANEL_WIDTH / HOURS
    last = 0
    for hour, count in enumerate(counts):
        if count and not last:
            yield f"M{round(hour * step, 1)} {_y(count, top)}"
        if count and last and count != last:
            yield f"V{_y(count, top)}"
        if count:
            yield f"H{round((hour + 1) * step, 1)}"
        last = count


def _y(count: int, top: int) -> float:
    """Where a count lies below the panel's upper edge; one attempt is seen, none is not."""
    return round(PANEL_HEIGHT * (1 - log10(count * 2) / log10(top * 2)), 1)
