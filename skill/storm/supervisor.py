"""What starts the process again: systemd, launchd, compose, or nothing.

The rules are those of systemd.service(5) and systemd.unit(5), launchd.plist(5), and moby's
restartmanager. Only what decides a restart is read from a host's own unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_UNIT_SUFFIXES = (".service", ".ts", ".js", ".mjs", ".sh", ".py")
_SKIPPED = frozenset({"node_modules", ".git", "dist", "build", ".skillgen", ".claude"})
_LARGEST_TEXT = 400_000  # bytes
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|m|h|d|s)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Restart rules. restart_s: RestartSec, or launchd's ThrottleInterval, in seconds.

    limit_*: systemd's start limit where it is effective, in seconds and starts.
    """

    kind: Literal["none", "systemd", "launchd", "compose"]
    restart: str = "no"
    restart_s: float = 0.0
    limit_interval_s: float = 0.0
    limit_burst: int = 0
    prevent_codes: tuple[int, ...] = ()
    force_codes: tuple[int, ...] = ()
    max_restarts: int = 0


NONE = Supervisor("none")
# NanoClaw's own unit, and what skillgen makes of it (domain.md, "Supervisors"). systemd's
# default limit, 5 starts in 10 s, cannot be reached with either RestartSec.
ALWAYS_5S = Supervisor("systemd", "always", 5.0, limit_interval_s=10.0, limit_burst=5)
ON_FAILURE_10S = Supervisor("systemd", "on-failure", 10.0, limit_interval_s=300.0, limit_burst=5)
LAUNCHD_KEEP_ALIVE = Supervisor("launchd", "always", 10.0)
LAUNCHD_ON_FAILURE = Supervisor("launchd", "on-failure", 10.0)
COMPOSE_ALWAYS = Supervisor("compose", "always")
COMPOSE_UNLESS_STOPPED = Supervisor("compose", "unless-stopped")

BY_NAME = {
    "none": NONE,
    "always": ALWAYS_5S,
    "on-failure": ON_FAILURE_10S,
    "launchd-always": LAUNCHD_KEEP_ALIVE,
    "launchd-on-failure": LAUNCHD_ON_FAILURE,
    "compose-always": COMPOSE_ALWAYS,
    "compose-unless-stopped": COMPOSE_UNLESS_STOPPED,
}


def parse_systemd(text: str) -> Supervisor | None:
    """The rules of a unit, wherever its text lies; None when the text holds no unit.

    ``StartLimitIntervalSec=`` counts in ``[Unit]`` only (systemd >= 230); ``StartLimitBurst=``
    and the legacy ``StartLimitInterval=`` count in ``[Service]`` too (lab/README.md).
    """
    section = ""
    found: dict[tuple[str, str], str] = {}
    for raw in text.splitlines():
        line = raw.strip().strip("`'\"")
        # A template literal may begin on the line of its first section.
        header = re.search(r"\[(Unit|Service|Install)\]\s*$", line)
        if header:
            section = header.group(1)
            continue
        setting = re.match(r"([A-Z]\w+)\s*=\s*(.*?)\s*$", line)
        if setting and section:
            found.setdefault((section, setting.group(1)), setting.group(2))
    if not any(place == "Service" and name == "ExecStart" for place, name in found):
        return None

    def limit(*names: tuple[str, str]) -> str | None:
        return next((found[name] for name in names if name in found), None)

    interval = limit(
        ("Unit", "StartLimitIntervalSec"),
        ("Unit", "StartLimitInterval"),
        ("Service", "StartLimitInterval"),
    )
    burst = limit(("Unit", "StartLimitBurst"), ("Service", "StartLimitBurst"))
    return Supervisor(
        "systemd",
        found.get(("Service", "Restart"), "no"),
        _duration(found.get(("Service", "RestartSec"), "100ms")),
        _duration(interval) if interval is not None else 10.0,
        int(burst) if burst is not None and burst.isdigit() else 5,
        _codes(found.get(("Service", "RestartPreventExitStatus"), "")),
        _codes(found.get(("Service", "RestartForceExitStatus"), "")),
    )


def from_host(root: Path) -> Supervisor | None:
    """The rules of the first systemd unit that starts a Node program in ``root``, if any."""
    for path in _candidates(root):
        text = path.read_text("utf-8", errors="replace")
        if "[Service]" not in text or "ExecStart=" not in text:
            continue
        if not re.search(r"ExecStart=.*(node|npm|index\.js|\$\{)", text):
            continue
        rules = parse_systemd(text)
        if rules is not None and rules.restart != "no":
            return rules
    return None


def _candidates(root: Path) -> Iterator[Path]:
    def wanted(path: Path) -> bool:
        parts = path.relative_to(root).parts
        return (
            path.suffix in _UNIT_SUFFIXES
            and not _SKIPPED.intersection(parts)
            and ".test." not in path.name
            and path.is_file()
            and path.stat().st_size < _LARGEST_TEXT
        )

    def rank(path: Path) -> tuple[bool, int, str]:
        return path.suffix != ".service", len(path.parts), str(path)

    yield from sorted(filter(wanted, root.rglob("*")), key=rank)


def _duration(text: str) -> float:
    """Seconds of a systemd time span such as ``5``, ``10s``, ``5min 20s``."""
    if text.strip() == "infinity":
        return 1e9
    return sum(float(count) * _SECONDS[unit] for count, unit in _TIME.findall(text))


def _codes(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split() if word.isdigit())
