"""How a simulation is shown: the table, a row for each scenario, and the JSON of it.

*Ready* is a bot whose start has come to an end with the link open; *dead* one that stopped
connecting for good although its link should have come back.

JSON of ``simulate``, HOST (see ``skill.report.data``):
    {"host", "exit", "error", "recovered",
     "fence": "bubblewrap", "unshare", "sandbox-exec", or null without a fence,
     "left_out": [{"path", "why"}],
     "channels": [{"path", "line", "way": how it was started, "held": bool, "guarded": bool,
                   "stood_in": [what a stand-in answered for: packages, NAME=value],
                   "units": {"before": UNIT, "after": UNIT},
                   "scenarios": [{"id", "title", "before": OUTCOME, "after": OUTCOME,
                                  "broken": [text]}]}]}
UNIT: {"path", "line", "kind", "restart", "restart_s", …} (``skill.storm.supervisor``).
OUTCOME: {"not_run": why, or "", "attempts", "busiest_hour", "starts", "exits": {code: count},
    "next_s": seconds or null, "first_up_s", "ready_s", "up_at_end", "is_dead", "broken": [text], …}
    (``skill.storm.outcome.Outcome``); times are virtual seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict
from math import inf
from textwrap import wrap
from typing import Any

from skill.report.columns import ARROW, Row, fitted, table
from skill.storm.outcome import Outcome
from skill.storm.scenarios import Scenario
from skill.storm.simulate import Report, Side, Simulation

HEAD = Row("what happens", ("busiest hour", "24 hours", "next attempt", "ready"))
NOT_RUN = "not run"
NO_FIGURE = "-"


def text(simulation: Simulation, width: int | None = None) -> Iterator[str]:
    """The table of one channel, then what is broken and what was not run.

    No line is wider than ``width``; what is too long for five of them is cut, and whole in JSON.
    """
    for line in _head(simulation):
        yield from fitted(line, width)
    yield ""
    if simulation.before.why and simulation.after.why:
        return
    pairs = zip(simulation.before.outcomes, simulation.after.outcomes, strict=True)
    yield from table(HEAD, [_row(before, after) for before, after in pairs], width)
    yield ""
    for line in _verdict(simulation):
        yield from fitted(line, width)


def _head(simulation: Simulation) -> Iterator[str]:
    channel = simulation.channel
    yield f"{channel.path}:{channel.line}" + (f", {simulation.way}" if simulation.way else "")
    yield f"before: {_under(simulation.before)}"
    yield f"after:  {_under(simulation.after)}"


def _under(side: Side) -> str:
    if side.why:
        return f"{NOT_RUN}: {side.why}"
    return f"under {side.unit.text}" + (", and the guard" if side.guard else "")


def _row(before: Outcome, after: Outcome) -> Row:
    ends = _pair(_exits, before, after) if before.exits or after.exits else ""
    below = f"exits: {ends}" if ends else ""
    return Row(after.scenario.title, cells(before, after), below)


def cells(before: Outcome, after: Outcome) -> tuple[str, ...]:
    """The figures of one scenario, each as ``before → after``; ``-`` where neither has one."""
    return tuple(_pair(figure, before, after) for figure in (_hour, _day, _next, _ready))


def _pair(figure: Callable[[Outcome], str], before: Outcome, after: Outcome) -> str:
    both = [NOT_RUN if one.not_run else figure(one) for one in (before, after)]
    return NO_FIGURE if set(both) == {NO_FIGURE} else ARROW.join(both)


def _hour(outcome: Outcome) -> str:
    return f"{outcome.busiest_hour:,}"


def _day(outcome: Outcome) -> str:
    return f"{max(outcome.attempts, outcome.runs):,}"


def _exits(outcome: Outcome) -> str:
    """``0 (16,302 times)``: so often with this status, or by this signal."""
    counts = outcome.exits.items()
    return ", ".join(f"{code} ({_times(count)})" for code, count in counts) or "none"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _next(outcome: Outcome) -> str:
    if outcome.scenario.fault_ends_s == inf:
        return NO_FIGURE
    return "never" if outcome.next_s is None else duration(outcome.next_s)


def _ready(outcome: Outcome) -> str:
    if outcome.is_dead:
        return "dead"
    return "no" if outcome.ready_s is None else "yes"


def duration(seconds: float) -> str:
    """``0 s``, ``45 s``, ``2 min 16 s``, ``1 h 2 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _verdict(simulation: Simulation) -> Iterator[str]:
    if simulation.stood_in:
        words = f"stood in for: {', '.join(simulation.stood_in)}"
        yield from wrap(words, 100, break_on_hyphens=False)
    for one in simulation.after.outcomes:
        for what in simulation.amiss(one):
            yield f"broken: {one.scenario.title} [{one.scenario.id}]: {what}"
    if simulation.held:
        yield "held: each attempt waits for its turn; what follows a close is the bot's own code"
    if not simulation.promised:
        yield "apply leaves this channel as it is: no rule finds anything in it"
    for name, side in (("before", simulation.before), ("after", simulation.after)):
        for one in side.outcomes:
            if one.not_run and not side.why:
                yield f"{NOT_RUN} ({name}): {one.scenario.title} [{one.scenario.id}]: {one.not_run}"
    yield summary(simulation)


def summary(simulation: Simulation) -> str:
    ran = [one for one in simulation.after.outcomes if not one.not_run]
    short = {scenario for scenario, _ in simulation.broken}
    every = len(simulation.after.outcomes)
    kept = sum(one.scenario.id not in short for one in ran)
    held = f"{kept} of {every} scenarios keep the promise"
    hours = [
        max((one.busiest_hour for one in side.outcomes if not one.not_run), default=None)
        for side in (simulation.before, simulation.after)
    ]
    if None in hours:
        return held
    return f"{held}; attempts in the busiest hour of all: {hours[0]:,}{ARROW}{hours[1]:,}"


def scenario_list(scenarios: Sequence[Scenario], headline: Collection[str]) -> Iterator[str]:
    """Ids and titles, first those that are run by default."""
    width = max(len(scenario.id) for scenario in scenarios)
    for head, is_default in (("run by default:", True), ("run with --all:", False)):
        yield head
        for one in scenarios:
            if (one.id in headline) is is_default:
                yield f"  {one.id.ljust(width)}  {one.title}"


def as_data(report: Report) -> dict[str, Any]:
    return {
        "left_out": [{"path": path, "why": why} for path, why in report.left_out],
        "channels": [_channel(simulation) for simulation in report.simulations],
    }


def _channel(simulation: Simulation) -> dict[str, Any]:
    pairs = zip(simulation.before.outcomes, simulation.after.outcomes, strict=True)
    return {
        "path": simulation.channel.path,
        "line": simulation.channel.line,
        "way": simulation.way,
        "held": simulation.held,
        "guarded": simulation.after.guard,
        "stood_in": simulation.stood_in,
        "units": {
            "before": _unit(simulation.before),
            "after": _unit(simulation.after),
        },
        "scenarios": [
            {
                "id": after.scenario.id,
                "title": after.scenario.title,
                "before": before.as_json(),
                "after": after.as_json(),
                "broken": simulation.amiss(after),
            }
            for before, after in pairs
        ],
    }


def _unit(side: Side) -> dict[str, Any]:
    return {"path": side.unit.path, "line": side.unit.line, **asdict(side.unit.rules)}
