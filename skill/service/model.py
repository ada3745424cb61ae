"""What is known of a service that starts a bot, whichever manager runs it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from modify.units.started import Started
from skill.finding import Finding

Answer = Literal["looked", "absent", "failed"]


UNKNOWN = "cannot tell whether it starts the bot"
"""How the obstacle begins that a person removes by naming the service."""


@dataclass(frozen=True, slots=True)
class Look:
    """Whether a manager could be looked at; why: what kept one from it."""

    manager: str
    state: Answer
    why: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """The restart policy in force. restart: systemd's words, or the manager's own.

    pause_s: before a restart; longest_pause_s: what it grows to. limit_*: the start limit that is
    set. is_limited: whether a bot that fails at once reaches it. starts_per_hour: the most that a
    bot makes that ends at once; None where that is not known.
    """

    restart: str
    pause_s: float | None = None
    longest_pause_s: float | None = None
    limit_interval_s: float | None = None
    limit_burst: int | None = None
    is_limited: bool | None = None
    starts_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Starts:
    """How often a service was started; None where nothing says so, for the reason ``why``.

    restarts: the manager's own count since the last start by hand. times: those of the last day, in
    seconds since 1970.
    """

    hour: int | None = None
    day: int | None = None
    restarts: int | None = None
    why: str = ""
    times: tuple[float, ...] = ()


@dataclass(slots=True)
class Service:
    """A service that has to do with the host.

    manager: ``systemd --user`` …; kind: ``systemd`` …; path: the file that defines it.
    state: in the manager's words, or why it is not known. obstacles: why nothing is written
    for it. notes: what else a person should know. is_installed: False for what only a file of the
    host would start.
    """

    manager: str
    kind: str
    name: str
    started: Started
    path: Path | None = None
    more: tuple[Path, ...] = ()
    state: str = ""
    policy: Policy | None = None
    starts: Starts = field(default_factory=Starts)
    findings: list[Finding] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_guarded: bool = False
    is_installed: bool = True
    own: Any = None
    """What the manager's own file keeps of it."""

    @property
    def is_running(self) -> bool:
        return self.state.startswith("activ") and self.started.is_host

    @property
    def command(self) -> str:
        return self.started.what


def as_data(service: Service) -> dict[str, Any]:
    """A service as JSON (skill/report/data.py)."""
    return {
        "manager": service.manager,
        "kind": service.kind,
        "name": service.name,
        "starts": {"host": "bot", "side": "other", "unknown": "unknown"}[service.started.kind],
        "command": service.command,
        "why": service.started.why,
        "path": str(service.path) if service.path else None,
        "more": [str(path) for path in service.more],
        "state": service.state,
        "policy": asdict(service.policy) if service.policy else None,
        "started": {
            name: value for name, value in asdict(service.starts).items() if name != "times"
        },
        "guarded": service.is_guarded,
        "findings": [
            {**asdict(finding), "hand_off": finding.is_hand_off} for finding in service.findings
        ],
        "obstacles": service.obstacles,
        "notes": service.notes,
    }
