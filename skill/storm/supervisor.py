"""What starts the process again: systemd, launchd, compose, pm2 and their like, or nothing.

MANAGERS is the one table of how each kind decides, from its manual or its source. ``rules`` joins
a row of it with what the host's own unit sets (``skill.storm.host.units``); both engines play the
result, and know no kind of supervisor by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from modify.units.supervisor import Supervisor

# How a process ended: with a status or signal that means success, with another status, or by
# another signal.
End = Literal["success", "failure", "signal"]
# A number that the unit sets: the field of a Supervisor that holds it.
Setting = Literal["restart_s", "max_restarts", "min_uptime_s", "backoff_s"]

EVERY: tuple[End, ...] = ("success", "failure", "signal")
WORDS: Mapping[str, tuple[End, ...]] = {
    "no": (),
    "always": EVERY,
    "on-success": ("success",),
    "on-failure": ("failure", "signal"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Pauses that grow: ``first_s``, each further one ``factor`` times as long, at most
    ``longest_s``. After a life of ``rested_s`` the first one again. They do not grow where
    ``first_s`` or ``longest_s`` is 0. factor None: as many steps as the unit has lead there.
    """

    first_s: float | Setting
    factor: float | None
    longest_s: float | Setting
    rested_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """It stays down after so many ends: ``most`` counted ones, or the next one after ``most``
    restarts.

    life_s: only ends sooner than that after their start count; None: all do. while_new: only in
    the first ``most`` times ``life_s`` since the first start. retry_step_s: the start after the
    first counted end comes so many seconds later, after the second twice as many …, whatever the
    restart word says; an end that does not count sets the count back. Where ``free_at_zero``,
    a ``most`` of 0 is no limit.
    """

    counts: Literal["ends", "restarts"]
    most: Setting = "max_restarts"
    life_s: Setting | None = None
    while_new: bool = False
    retry_step_s: float | None = None
    free_at_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """How one kind of supervisor decides.

    restarts: by restart word, the ends after which it starts the process again; a word that is
    not there, such as the name of a variable, is taken for ``always``. clean_signals: those that
    are a success. signal_status: an end by a signal is taken for this exit status. prevent_codes:
    whether it stays down after them, or they are what it takes for success. start_limit: whether
    it has one. pause_since: whether the pause is counted from the end or from the last start.
    """

    restarts: Mapping[str, tuple[End, ...]]
    clean_signals: tuple[str, ...] = ()
    signal_status: int | None = None
    prevent_codes: Literal["stay down", "success"] = "stay down"
    start_limit: bool = False
    pause_since: Literal["end", "start"] = "end"
    growth: Growth | None = None
    limit: Limit | None = None


MANAGERS: Mapping[str, Manager] = {
    "none": Manager(restarts={"no": ()}),
    # systemd.service(5): the table "Exit causes and the effect of the Restart= settings",
    # SuccessExitStatus=; RestartPreventExitStatus= goes before RestartForceExitStatus=.
    "systemd": Manager(
        restarts={
            **WORDS,
            "on-abnormal": ("signal",),
            "on-abort": ("signal",),
            "on-watchdog": (),  # a watchdog is fed by nothing here, and starves of nothing
        },
        clean_signals=("SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"),
        start_limit=True,
        # RestartSteps=, RestartMaxDelaySec=, as systemd reads them since 254: never taken back.
        growth=Growth(first_s="restart_s", factor=None, longest_s="backoff_s"),
    ),
    # launchd.plist(5): KeepAlive, SuccessfulExit, ThrottleInterval.
    "launchd": Manager(restarts=WORDS, pause_since="start"),
    # moby's restartmanager: 100 ms, doubled up to 1 min, anew after 10 s of life.
    "compose": Manager(
        restarts={**WORDS, "unless-stopped": EVERY},
        growth=Growth(first_s=0.1, factor=2.0, longest_s=60.0, rested_s=10.0),
        limit=Limit(counts="restarts", free_at_zero=True),
    ),
    # pm2's God.handleExit, which is told status 0 of a process that a signal ended. Its worker
    # looks every 30 s for an app that has lived as long, and takes the delay back.
    "pm2": Manager(
        restarts=WORDS,
        signal_status=0,
        growth=Growth(first_s="backoff_s", factor=1.5, longest_s=15.0, rested_s=30.0),
        limit=Limit(counts="ends", life_s="min_uptime_s", while_new=True),
    ),
    # supervisord's process states: an end within startsecs is a failed start (BACKOFF), tried
    # again startretries times, a second later each time; exitcodes are the expected ones.
    "supervisord": Manager(
        restarts=WORDS,
        prevent_codes="success",
        limit=Limit(counts="restarts", life_s="min_uptime_s", retry_step_s=1.0),
    ),
    # A loop of a shell script around the program.
    "shell": Manager(
        restarts=WORDS,
        growth=Growth(first_s="restart_s", factor=2.0, longest_s="backoff_s"),
    ),
}


def rules(own: Supervisor) -> dict[str, Any]:
    """The row of this kind with the unit's own numbers filled in, as plain values for JSON.

    start_limit, growth and limit are None where there is no such rule.
    """
    kind = MANAGERS[own.kind]
    expects = kind.prevent_codes == "success"
    limited = kind.start_limit and own.limit_interval_s and own.limit_burst
    return {
        "restarts_after": kind.restarts.get(own.restart, EVERY),
        "success_codes": own.prevent_codes if expects else (0,),
        "success_signals": kind.clean_signals,
        "signal_status": kind.signal_status,
        "prevent_codes": () if expects else own.prevent_codes,
        "force_codes": own.force_codes,
        "start_limit": {"interval_s": own.limit_interval_s, "burst": own.limit_burst}
        if limited
        else None,
        "pause_s": own.restart_s,
        "pause_since": kind.pause_since,
        "growth": _growth(kind.growth, own) if kind.growth else None,
        "limit": _limit(kind.limit, own) if kind.limit else None,
    }


def _growth(growth: Growth, own: Supervisor) -> dict[str, Any] | None:
    first, longest = _number(growth.first_s, own), _number(growth.longest_s, own)
    if not first or not longest:
        return None
    factor = growth.factor
    if factor is None:
        if not own.steps or first >= longest:
            return None
        factor = (longest / first) ** (1 / own.steps)
    return asdict(growth) | {"first_s": first, "factor": factor, "longest_s": longest}


def _limit(limit: Limit, own: Supervisor) -> dict[str, Any] | None:
    """ends: the counted end that is the last."""
    most = _number(limit.most, own)
    if limit.free_at_zero and not most:
        return None
    life = None if limit.life_s is None else _number(limit.life_s, own)
    return {
        "ends": most if limit.counts == "ends" else most + 1,
        "life_s": life,
        "new_s": most * life if limit.while_new and life is not None else None,
        "retry_step_s": limit.retry_step_s,
    }


def _number(value: float | Setting, own: Supervisor) -> float:
    number: float = getattr(own, value) if isinstance(value, str) else value
    return number


NONE = Supervisor("none")
# NanoClaw's own unit, and what skillgen makes of it, as systemd reads it before 254 and since.
# systemd's default limit, 5 starts in 10 s, cannot be reached with either RestartSec.
ALWAYS_5S = Supervisor("systemd", "always", 5.0, limit_interval_s=10.0, limit_burst=5)
ON_FAILURE_10S = Supervisor("systemd", "on-failure", 10.0, limit_interval_s=300.0, limit_burst=5)
ON_FAILURE_GROWING = replace(ON_FAILURE_10S, backoff_s=300.0, steps=4)
LAUNCHD_KEEP_ALIVE = Supervisor("launchd", "always", 10.0)
LAUNCHD_ON_FAILURE = Supervisor("launchd", "on-failure", 10.0)
COMPOSE_ALWAYS = Supervisor("compose", "always")
