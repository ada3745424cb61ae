"""The host's own unit as restart rules for the runner's supervisor.

The units are those that the codemods of ``modify.units`` find and read; here only what
decides a restart is taken from them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from modify.units import managers, process_managers
from modify.units.bot_project import BotProject
from modify.units.codemod import is_ours, read_units
from modify.units.locate import unit_texts
from modify.units.managers.launchd import LaunchdUnit
from modify.units.managers.systemd import (
    DEFAULT_BURST,
    DEFAULT_INTERVAL,
    DEFAULT_PAUSE,
    SystemdUnit,
    seconds,
)
from modify.units.model import UnitText
from modify.units.supervisor import Supervisor, codes
from skill.host import Host
from skill.source_paths import SKILL_ASSETS
from skill.storm.supervisor import MANAGERS, NONE

# Where a host has units of several kinds, the first of these is what it is run under.
ORDER = tuple(MANAGERS)
FOREVER_S = 1e9


@dataclass(frozen=True, slots=True)
class OwnUnit:
    """The rules, and where they stand; path is empty where nothing restarts the host."""

    rules: Supervisor
    path: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """``systemd, Restart=always (setup/service.ts:77)``."""
        if not self.path:
            return "nothing that starts it again"
        said = {"systemd": "Restart=", "compose": "restart: "}.get(self.rules.kind, "restarts: ")
        return f"{self.rules.kind}, {said}{self.rules.restart} ({self.path}:{self.line})"


def own_unit(host: Host) -> OwnUnit:
    """What starts the host again, by its own units; the first kind of ``ORDER`` that it has."""
    found = sorted(_own_units(host), key=lambda unit: (ORDER.index(unit.rules.kind), _rank(unit)))
    return found[0] if found else OwnUnit(NONE)


def _rank(unit: OwnUnit) -> tuple[bool, str, int]:
    return unit.path.startswith(SKILL_ASSETS), unit.path, unit.line


def _own_units(host: Host) -> Iterator[OwnUnit]:
    project = BotProject(host)
    texts = [text for text in unit_texts(host) if text.form != "document" and not text.in_test]
    units = read_units(project, [text for text in texts if text.kind not in managers.KINDS])
    for seen in units:
        if seen.started.is_host and is_ours(seen.unit, units):
            unit = seen.unit
            if isinstance(unit, LaunchdUnit):
                keep = unit.entries.get("KeepAlive")
                yield _placed(_launchd(unit), unit.text, keep.key_start if keep else None)
            else:
                said = unit.restart
                yield _placed(_systemd(unit), unit.text, said.start if said else None)
    for text in texts:
        if text.kind not in managers.KINDS:
            continue
        for item in process_managers.read(text, project):
            if item.started.is_host and not getattr(item, "problem", ""):
                yield _placed(process_managers.restarts(item), text, item.position)


def _placed(rules: Supervisor, text: UnitText, position: int | None) -> OwnUnit:
    """With its line: that of ``position``, or else the first of the unit."""
    if position is None:
        position = text.start + len(text.view) - len(text.view.lstrip())
    return OwnUnit(rules, text.path, text.place(position)[0])


def _systemd(unit: SystemdUnit) -> Supervisor:
    """``StartLimitIntervalSec=`` counts in ``[Unit]`` only (systemd >= 230);
    ``StartLimitBurst=`` and the legacy ``StartLimitInterval=`` in ``[Service]`` too.

    Which version reads it is not known, so ``RestartSteps=`` is passed over, as by those before
    254: where a start limit does not end the bot then, it does not under pauses that grow.
    """

    def value(*places: tuple[str, str]) -> str:
        for each in (unit, unit.base):
            for section, name in places:
                found = each.last(section, name) if each is not None else None
                if found is not None:
                    return found.value
        return ""

    def span(text: str, default: float) -> float:
        length = seconds(text)
        return default if length is None else min(length, FOREVER_S)

    interval = value(
        ("Unit", "StartLimitIntervalSec"),
        ("Unit", "StartLimitInterval"),
        ("Service", "StartLimitInterval"),
    )
    burst = value(("Unit", "StartLimitBurst"), ("Service", "StartLimitBurst"))
    return Supervisor(
        "systemd",
        value(("Service", "Restart")) or "no",
        span(value(("Service", "RestartSec")), DEFAULT_PAUSE),
        span(interval, DEFAULT_INTERVAL),
        int(burst) if burst.isdigit() else DEFAULT_BURST,
        codes(value(("Service", "RestartPreventExitStatus"))),
        codes(value(("Service", "RestartForceExitStatus"))),
    )


def _launchd(unit: LaunchdUnit) -> Supervisor:
    """The keys of a ``KeepAlive`` dictionary are ORed (launchd.plist(5))."""
    keep = unit.data.get("KeepAlive", False)
    restart = "always" if keep else "no"
    if isinstance(keep, dict):
        success = keep.get("SuccessfulExit")
        if set(keep) == {"SuccessfulExit"} and isinstance(success, bool):
            restart = "on-success" if success else "on-failure"
    throttle = unit.data.get("ThrottleInterval", 10)
    pause = throttle if isinstance(throttle, (int, float)) and not math.isnan(throttle) else 10
    return Supervisor("launchd", restart, float(pause))
