"""What a systemd unit says of restarts, and what that amounts to for a bot that ends at once."""

from __future__ import annotations

from pathlib import Path

from modify.units.managers import systemd
from modify.units.managers.systemd import (
    DEFAULT_BURST,
    DEFAULT_INTERVAL,
    DEFAULT_PAUSE,
    RESTARTS_ON_SUCCESS,
    SystemdUnit,
    seconds,
)
from skill.service.model import Policy
from skill.service.units import Files, unit_text

Properties = dict[str, str]
"""Of one unit, as ``systemctl show`` prints them."""
RESTARTING = (*RESTARTS_ON_SUCCESS, "on-failure", "on-abnormal", "on-abort", "on-watchdog")
HOUR, DAY = 3600, 86_400
SHORTEST = 0.05
"""Seconds that a start takes at least, whatever the pause."""


def policy_of(shown: Properties) -> Policy:
    interval = seconds(shown.get("StartLimitIntervalUSec", ""))
    pause = seconds(shown.get("RestartUSec", ""))
    return policy(
        shown.get("Restart", "no"),
        DEFAULT_PAUSE if pause is None else pause,
        number(shown.get("RestartSteps")) or 0,
        seconds(shown.get("RestartMaxDelayUSec", "infinity")),
        DEFAULT_INTERVAL if interval is None else interval,
        DEFAULT_BURST if (burst := number(shown.get("StartLimitBurst"))) is None else burst,
    )


def policy_in(unit: SystemdUnit) -> Policy:
    """By the unit's own text, with systemd's defaults."""

    def length(section: str, name: str, default: float) -> float:
        found = unit.last(section, name)
        value = seconds(found.value) if found else None
        return default if value is None else value

    burst, steps = unit.last("Unit", "StartLimitBurst"), unit.last("Service", "RestartSteps")
    return policy(
        unit.restart.value if unit.restart else "no",
        length("Service", "RestartSec", DEFAULT_PAUSE),
        (number(steps.value) or 0) if steps else 0,
        length("Service", "RestartMaxDelaySec", float("inf")),
        length("Unit", "StartLimitIntervalSec", DEFAULT_INTERVAL),
        (number(burst.value) or 0) if burst else DEFAULT_BURST,
    )


def policy(
    restart: str, pause: float, steps: int, longest: float | None, interval: float, burst: int
) -> Policy:
    """What these settings amount to, for a bot that ends at once."""
    spreads = steps > 0 and longest is not None and pause < longest < DAY
    if restart not in RESTARTING:
        return Policy(restart, limit_interval_s=interval, limit_burst=burst, starts_per_hour=1)
    ends = spreads and longest is not None
    times = start_times(pause, steps if ends else 0, longest or pause)
    is_limited = 0 < burst < len(times) and interval > 0 and times[burst] < interval
    return Policy(
        restart,
        pause,
        longest if ends else None,
        interval,
        burst,
        is_limited,
        burst if is_limited else sum(time < HOUR for time in times),
    )


def start_times(pause: float, steps: int, longest: float) -> list[float]:
    """When a unit that ends at once is started within an hour, in seconds.

    The pauses are those of service_restart_usec_next() in systemd's src/core/service.c.
    """
    times, count = [0.0], 0
    while times[-1] < HOUR:
        count += 1
        following = pause
        if steps and count > 1:
            grown = pause * (longest / pause) ** ((count - 1) / steps) if pause else longest
            following = longest if count > steps else grown
        times.append(times[-1] + max(following, SHORTEST))
    return times


def in_force(shown: Properties, files: Files) -> SystemdUnit:
    """A unit of what is in force, for the rules; defaults that no file sets are left out."""
    sets = {(item.section, item.name) for item in files.merged.directives}
    limit = shown.get("StartLimitIntervalUSec", ""), shown.get("StartLimitBurst", "")
    lines = ["[Unit]"]
    is_set = any(name.startswith("StartLimit") for section, name in sets if section == "Unit")
    if is_set or (seconds(limit[0]), limit[1]) != (DEFAULT_INTERVAL, str(DEFAULT_BURST)):
        lines += [f"StartLimitIntervalSec={limit[0]}", f"StartLimitBurst={limit[1]}"]
    lines += ["[Service]", f"Type={shown.get('Type', 'simple')}", "ExecStart=/bin/true"]
    lines.append(f"Restart={shown.get('Restart', 'no')}")
    pause = shown.get("RestartUSec", "")
    if ("Service", "RestartSec") in sets or seconds(pause) != DEFAULT_PAUSE:
        lines.append(f"RestartSec={pause}")
    for name in ("SuccessExitStatus", "RestartForceExitStatus"):
        if shown.get(name):
            lines.append(f"{name}={shown[name]}")
    content = "\n".join([*lines, ""]).encode()
    return systemd.parse(unit_text(Path("unit.service"), content))


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
