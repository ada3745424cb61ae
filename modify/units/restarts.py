"""The pauses between two starts of a systemd unit, and the start limit beside them.

A start limit ends a bot for good that fails for as long as something else is missing, Docker at
boot for one: five starts with pauses of 10 s take 40 s. So the pauses grow. With ``RestartSteps=4``
and ``RestartMaxDelaySec=300`` they are 10, 23, 55, 128 and 300 s: at most five starts in any five
minutes, and 16 in any hour; five steps would be a sixth start at 298 s. systemd knows the two keys
since 254, only together, and does not take the growth back before ``reset-failed`` or a start by
hand (issue 43813); an older one warns of each key and reads on.

There 10 s stays, so that a crash loop has an end, but for a bot that is known to end with a failure
while something else is missing: its pause is one that cannot reach the limit by itself, 61 s for 5
in 300 s, at most 60 starts in an hour.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from modify.effects import RestartPause
from modify.units.managers.systemd import (
    DEFAULT_BURST,
    DEFAULT_PAUSE,
    PAUSE,
    RESTARTS_ON_SUCCESS,
    Directive,
    SystemdUnit,
    seconds,
)
from skill.edit import Edit
from skill.options import Options

INTERVAL = 300
INTERVAL_NAMES = ("StartLimitIntervalSec", "StartLimitInterval")
BURST_NAMES = ("StartLimitBurst",)
SPREADS_SINCE = 254
"""The first version with RestartSteps= and RestartMaxDelaySec=."""
GROWTH_NAMES = ("RestartSteps", "RestartMaxDelaySec")
STEPS = 4
LONGEST = 300
MINUTE = 60
HOUR = 3600
SHORTEST = 0.05
"""Seconds that a start takes at least, whatever the pause."""
WHY = "# Growing pauses stay below the limit while a dependency is missing (systemd >= 254)"
WHY_LONG = "# {pause} s and growing pauses stay below the limit while a dependency is missing"
GROWTH = f"{WHY}\nRestartSteps={STEPS}\nRestartMaxDelaySec={LONGEST}\n"
"""What a unit gains beside its pause."""


@dataclass(frozen=True)
class Limit:
    """The values that [Unit] is to hold, as they are written there."""

    interval: str
    burst: str

    @property
    def interval_s(self) -> float:
        return seconds(self.interval) or 0.0

    @property
    def starts(self) -> int:
        return number(self.burst) if self.burst else DEFAULT_BURST


def number(text: str) -> int:
    """A whole number, of nine digits at most; 0 for anything else."""
    return int(text[:9]) if text.isascii() and text.isdigit() else 0


def pause_before(restart: int, pause: float, steps: int, longest: float) -> float:
    """Seconds before the first, second … restart of a unit.

    As service_restart_usec_next() in systemd's src/core/service.c has it.
    """
    if restart <= 1 or not steps or not 0 < pause < longest:
        return pause
    return longest if restart > steps else pause * (longest / pause) ** ((restart - 1) / steps)


def start_times(pause: float, steps: int = 0, longest: float = 0.0) -> Iterator[float]:
    """When a unit that ends at once is started, in seconds since its first start."""
    time = 0.0
    for restart in itertools.count(1):
        yield time
        time += max(pause_before(restart, pause, steps, longest), SHORTEST)


def start_after(starts: int, pause: float, steps: int) -> float:
    """The time of the start that follows so many, with pauses that grow to LONGEST."""
    grown = sum(pause_before(n, pause, steps, LONGEST) for n in range(1, min(starts, steps) + 1))
    return grown + max(0, starts - steps) * LONGEST


def spread_of(pause: float, limit: Limit) -> int:
    """The steps with which pauses that grow never reach the limit, at most STEPS; 0: with none."""
    if not pause < LONGEST or not limit.interval_s < HOUR:
        return 0
    numbers = range(min(STEPS, limit.starts - 1), 0, -1)
    return next((n for n in numbers if start_after(limit.starts, pause, n) >= limit.interval_s), 0)


def pause_of(unit: SystemdUnit) -> tuple[Directive | None, float]:
    """The pause that the unit itself gives, and its seconds; nothing, and 0."""
    for item in reversed(unit.all("Service", "RestartSec")):
        if (length := seconds(item.value)) is not None:
            return item, length
    return None, 0.0


def pause_after(unit: SystemdUnit) -> float:
    """The pause between two starts once all rules have been applied, but for least_pause()."""
    given, pause = pause_of(unit)
    restart = unit.restart
    if given is None:
        return PAUSE
    if restart is not None and restart.value in RESTARTS_ON_SUCCESS:
        return max(PAUSE, pause)
    return max(DEFAULT_PAUSE, pause)


def values(unit: SystemdUnit) -> tuple[Directive | None, Directive | None]:
    """The interval and burst that are meant: those in [Unit], else those in [Service]."""
    found = []
    for names in (INTERVAL_NAMES, BURST_NAMES):
        found.append(unit.last("Unit", *names) or unit.last("Service", *names))
    return found[0], found[1]


def trips(interval: Directive | None, burst: Directive | None, pause: float) -> bool:
    """Whether a limit is given that stops a bot that fails at once: burst × pause < interval."""
    length = seconds(interval.value) if interval else None
    starts = number(burst.value) if burst else DEFAULT_BURST
    return length is not None and starts > 0 and starts * pause < length


def wanted(unit: SystemdUnit, options: Options) -> Limit:
    """The limit that the unit is to have: its own, if that does what it is there for."""
    interval, burst = values(unit)
    pause = pause_after(unit)
    if interval and (trips(interval, burst, pause) or is_slow(unit, pause)):
        return Limit(interval.value, burst.value if burst else "")
    starts = number(burst.value) if burst and interval is None else 0
    if not 0 < starts * pause < INTERVAL:
        starts = options.start_limit
    return limit_for(pause, starts, bool(unit.waits_for))


def limit_for(pause: float, starts: int, waits: bool) -> Limit:
    """So many starts in 300 s, or longer where the pauses would never reach that.

    waits: the bot waits for something else, and must not be ended.
    """
    is_reached = starts * pause < INTERVAL or math.isinf(pause)
    interval = INTERVAL if is_reached or waits else longer_interval(pause, starts)
    return Limit(str(interval), str(starts))


def is_slow(unit: SystemdUnit, pause: float) -> bool:
    """Whether its pauses alone are meant to bound its starts: 60 an hour, 20 where they grow."""
    return pause >= MINUTE and (grows(unit) or bool(unit.waits_for))


def grows(unit: SystemdUnit) -> bool:
    each = [part for part in (unit, unit.base) if part is not None]
    return any(part.last("Service", name) for part in each for name in GROWTH_NAMES)


def longer_interval(pause: float, starts: int) -> int:
    """One that these pauses reach, but not where they grow, as far as that is possible."""
    total = starts * pause
    if not pause < LONGEST:
        return int(total * 2)
    grown = start_after(starts, pause, max(1, min(STEPS, starts - 1)))
    return math.ceil(min(total * 2, (total + grown) / 2))


def least_pause(limit: Limit, waits: bool) -> int:
    """The shortest pause that will do, whether or not it grows."""
    if not waits or not limit.interval_s < HOUR:
        return PAUSE
    least = max(MINUTE, int(limit.interval_s // max(limit.starts, 1))) + 1
    return least if least <= LONGEST + MINUTE else PAUSE


@dataclass(frozen=True)
class Paced:
    """The edits of a unit's pauses. pause: what RestartSec= becomes; 0 where it stays."""

    edits: list[Edit]
    pause: int = 0


def paced(
    unit: SystemdUnit, restart: Directive, limit: Limit, rule: str, *, keep: bool = False
) -> Paced:
    """The pause and its growth, where they are missing or too short.

    keep: a pause that the unit gives is not too short.
    """
    pauses = unit.all("Service", "RestartSec")
    given, length = pause_of(unit)
    if given is None and pauses and pauses[-1].computed:
        return Paced([])
    least = least_pause(limit, bool(unit.waits_for) and unit.version < SPREADS_SINCE)
    is_short = given is None or (length < least and not keep)
    edits, lines = [], []
    if given is None:
        lines.append(f"RestartSec={least}")
    elif is_short:
        edits.append(Edit(given.value_start, given.value_end, str(least).encode(), rule))
    lines += growth(unit, least if is_short else length, limit)
    if lines:
        above = given or restart
        edits.append(unit.text.insert_after(above.first, above.last, lines, rule))
    edits = [replace(edit, effects=(RestartPause(),)) for edit in edits]
    return Paced(edits, least if is_short else 0)


def growth(unit: SystemdUnit, pause: float, limit: Limit) -> list[str]:
    """The lines by which the pauses grow, where the unit says nothing of that."""
    is_older = 0 < unit.version < SPREADS_SINCE
    if is_older or grows(unit) or unit.text.computes(rb"\bRestart(Steps|MaxDelay)"):
        return []
    return growth_lines(pause, limit)


def growth_lines(pause: float, limit: Limit) -> list[str]:
    steps = spread_of(pause, limit)
    if not steps:
        return []
    is_long = limit.starts * pause > limit.interval_s
    why = WHY_LONG.format(pause=f"{pause:g}") if is_long else WHY
    return [why, f"RestartSteps={steps}", f"RestartMaxDelaySec={LONGEST}"]
