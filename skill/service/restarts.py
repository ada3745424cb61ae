"""What a systemd unit says of restarts, and what that amounts to for a bot that ends at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from modify.units.dependency import missing_dependency
from modify.units.managers import systemd
from modify.units.managers.systemd import (
    DEFAULT_BURST,
    DEFAULT_INTERVAL,
    DEFAULT_PAUSE,
    RESTARTS_ON_SUCCESS,
    SystemdUnit,
    seconds,
)
from modify.units.restarts import GROWTH_NAMES, HOUR, SPREADS_SINCE, start_times
from skill.host import Host
from skill.service.model import Policy
from skill.service.units import Files, unit_text

Properties = dict[str, str]
"""Of one unit, as ``systemctl show`` prints them."""
RESTARTING = (*RESTARTS_ON_SUCCESS, "on-failure", "on-abnormal", "on-abort", "on-watchdog")
DAY = 86_400


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
    if 0 < unit.version < SPREADS_SINCE:
        steps = None
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
    steps = steps if ends else 0
    times = list(takewhile(lambda time: time < HOUR, start_times(pause, steps, longest or pause)))
    is_limited = 0 < burst < len(times) and interval > 0 and times[burst] < interval
    return Policy(
        restart,
        pause,
        longest if ends else None,
        interval,
        burst,
        is_limited,
        burst if is_limited else len(times),
    )


def here(unit: SystemdUnit, version: int, host: Host) -> SystemdUnit:
    """The unit as it is read by the systemd of this machine, for the rules."""
    return replace(unit, version=version, waits_for=missing_dependency(host))


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
    if number(shown.get("RestartSteps")):
        longest = shown.get("RestartMaxDelayUSec", "infinity")
        keys = zip(GROWTH_NAMES, (shown["RestartSteps"], longest), strict=True)
        lines += [f"{name}={value}" for name, value in keys]
    for name in ("SuccessExitStatus", "RestartForceExitStatus"):
        if shown.get(name):
            lines.append(f"{name}={shown[name]}")
    content = "\n".join([*lines, ""]).encode()
    return systemd.parse(unit_text(Path("unit.service"), content))


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
