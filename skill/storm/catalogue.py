"""Every scenario: the measured table, and what else can happen to a bot in a day.

The bounds follow from the policy (``skill/policy.py``). A day of the growing delay at its cap
holds at most 24 h / 300 s = 288 attempts, a day of the hourly one 24; the steps of 5, 10,
20 … 160 s before the cap are 6 attempts more.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf

from skill.storm.scenarios import (
    AFTER_BLOCKED,
    AFTER_SPENT_BUDGET,
    AFTER_TRANSIENT,
    DAY,
    EXTRA,
    HOUR,
    MINUTE,
    MOST_IN_AN_HOUR,
    TABLE,
    WELL,
    Act,
    Bound,
    Does,
    Phase,
    Scenario,
)

_CAP = 5 * MINUTE
_STEPS = 6  # 5, 10 … 160 s
# Restart required and settled credentials: "at once", two seconds at most.
_AT_ONCE = 3.0


def _closed(code: int | None, **more: object) -> Does:
    return replace(Does("close", after_s=0.3, code=code), **more)  # type: ignore[arg-type]


def _then_well(end_s: float, does: Does) -> tuple[Phase, ...]:
    return Phase(end_s, does), Phase(inf, WELL)


def _first(does: Does, attempts: int = 1) -> Phase:
    return Phase(inf, does, attempts=attempts)


def _transient(hours: float) -> int:
    """Attempts in so many hours of a fault that the growing delay answers, and one after it."""
    return ceil(hours * HOUR / _CAP) + _STEPS + 1


def _final(code: int, title: str) -> Scenario:
    bound = Bound(day=1, clean=True)
    return Scenario(f"code-{code}", title, (Phase(inf, _closed(code, after_s=1.0)),), bound)


def _refusal(id: str, title: str, does: Does, hours: float = 2.0) -> Scenario:
    return Scenario(
        id,
        title,
        _then_well(hours * HOUR, does),
        Bound(day=_transient(hours), next_s=AFTER_TRANSIENT, ready=True),
        fault_ends_s=hours * HOUR,
    )


def _block(code: int, title: str, hours: float = 2.0) -> Scenario:
    """Waits of 5, 10, 20, 40 min, then an hour each."""
    return Scenario(
        f"code-{code}",
        title,
        _then_well(hours * HOUR, _closed(code)),
        Bound(day=ceil(hours) + 4, next_s=AFTER_BLOCKED, ready=True),
        fault_ends_s=hours * HOUR,
    )


def _flapping(period: int) -> Scenario:
    """Under 300 s of open link the delay stays at its cap, from there on it is back at 5 s."""
    pause = 5 if period >= _CAP else _CAP
    day = ceil(DAY / (period + pause)) + _STEPS
    flaps = Does("open", after_s=0.5, code=428, close_after_s=float(period))
    return Scenario(
        f"flapping-{period}",
        f"link flaps: open {period} s, closed",
        (Phase(DAY, flaps), Phase(inf, WELL)),
        Bound(day=day, next_s=AFTER_TRANSIENT, ready=True),
        horizon_s=DAY + 2 * HOUR,
        fault_ends_s=DAY,
    )


def _refused_while(id: str, title: str, *acts: Act, bound: Bound, hours: float = 3.0) -> Scenario:
    return Scenario(
        id,
        title,
        _then_well(hours * HOUR, _closed(408)),
        bound,
        fault_ends_s=hours * HOUR,
        acts=acts,
    )


def _revoked_then(id: str, title: str, after: Does, *acts: Act, bound: Bound) -> Scenario:
    """Revoked from the start; after an hour a person does something."""
    return Scenario(
        id,
        title,
        (Phase(HOUR, _closed(401)), Phase(inf, after)),
        bound,
        fault_ends_s=HOUR if bound.next_s is not None else inf,
        acts=acts,
    )


_REFUSALS = (
    _final(403, "account locked (403)"),
    _final(406, "account blocked (406)"),
    _block(405, "client outdated (405) for 2 h, then well"),
    _block(429, "too many requests (429) for 2 h, then well"),
    Scenario(
        "ban-with-expiry",
        "temporary block (402) that says it ends in 3 h",
        _then_well(3 * HOUR, _closed(402, data={"expire": int(3 * HOUR)})),
        Bound(day=2, next_s=AFTER_BLOCKED, ready=True),
        fault_ends_s=3 * HOUR,
    ),
    _refusal("code-503", "service unavailable (503) for 2 h, then well", _closed(503)),
    Scenario(
        "offline-hour",
        "version look-up or connecting fails for 1 h, then well",
        (Phase(HOUR, Does("throw"), lookup_fails=True), Phase(inf, WELL)),
        Bound(day=_transient(1), next_s=AFTER_TRANSIENT, ready=True),
        fault_ends_s=HOUR,
    ),
    _refusal("no-reason", "closed without a reason for 2 h, then well", _closed(0)),
    _refusal("no-code", "an error without a code for 2 h, then well", _closed(None)),
)

_FLAPPING = tuple(_flapping(period) for period in (60, 200, 290, 310, 600))

_RESTARTS = (
    Scenario(
        "restart-once",
        "restart required (515) once, as after pairing",
        (_first(_closed(515)), Phase(inf, WELL)),
        Bound(day=2, next_s=_AT_ONCE, ready=True),
        fault_ends_s=0.3,
    ),
    Scenario(
        "restart-for-ever",
        "restart required (515), forever",
        (Phase(inf, _closed(515, after_s=1.0)),),
        Bound(day=_transient(24) + 3),
    ),
    Scenario(
        "restart-then-revoked",
        "restart required (515), then revoked (401)",
        (_first(_closed(515)), Phase(inf, _closed(401))),
        # The 401 may come of credentials that were not saved yet: one try more.
        Bound(day=3, clean=True),
    ),
)

_SESSION = (
    Scenario(
        "revoked-later",
        "revoked (401) after 6 h of health",
        (
            Phase(6 * HOUR, Does("open", after_s=0.5, code=401, close_after_s=6 * HOUR - 1)),
            Phase(inf, _closed(401)),
        ),
        Bound(day=1, quiet=(6 * HOUR, DAY), clean=True),
    ),
    _revoked_then(
        "relinked",
        "revoked; linked again after 1 h",
        WELL,
        Act(HOUR - 1, "creds", "renewed"),
        Act(HOUR, "restart", "SIGTERM"),
        bound=Bound(day=2, next_s=_AT_ONCE, ready=True),
    ),
    _revoked_then(
        "credentials-deleted",
        "revoked; credentials deleted, started again",
        Does("qr", after_s=0.5),
        Act(HOUR - 1, "creds", "deleted"),
        Act(HOUR, "restart", "SIGTERM"),
        # A bot that pairs in its own process shows its codes once.
        bound=Bound(day=2, quiet=(HOUR + 10, DAY), clean=True),
    ),
    _revoked_then(
        "credentials-rewritten",
        "revoked; same link in other bytes, started again",
        _closed(401),
        Act(HOUR - 1, "creds", "rewritten"),
        Act(HOUR, "restart", "SIGTERM"),
        bound=Bound(day=1, quiet=(HOUR, DAY), clean=True),
    ),
)

_REFUSED = Bound(day=_transient(3), next_s=AFTER_TRANSIENT, ready=True)

_CLOCK = (
    _refused_while(
        "clock-back",
        "clock set back a day while refused",
        Act(HOUR, "clock", by_s=-DAY),
        Act(1.5 * HOUR, "restart", "SIGKILL"),
        bound=_REFUSED,
    ),
    _refused_while(
        "clock-forward",
        "clock set forward a day while refused",
        Act(HOUR, "clock", by_s=DAY),
        Act(1.5 * HOUR, "restart", "SIGKILL"),
        # What was before the jump seems to be a day old: the delay starts anew.
        bound=replace(_REFUSED, day=_REFUSED.day + _STEPS),
    ),
)

_MEMORY = (
    _refused_while(
        "memory-corrupt",
        "memory file damaged while refused",
        Act(HOUR - 1, "memory", "corrupt"),
        Act(HOUR, "restart", "SIGKILL"),
        bound=replace(_REFUSED, day=_REFUSED.day + _STEPS),
    ),
    _refused_while(
        "memory-unwritable",
        "memory file not writable while refused",
        Act(0.0, "memory", "unwritable"),
        # In one process the limits hold without a file.
        bound=_REFUSED,
    ),
    Scenario(
        "two-processes",
        "started twice: two processes, one session",
        (Phase(inf, WELL),),
        # Each opens, and takes the session from the other, five minutes later at the soonest.
        Bound(day=_transient(12)),
        acts=(Act(DAY / 2, "second"),),
    ),
)

_PEOPLE = (
    _refused_while(
        "restarts-by-hand",
        "restarted by hand ten times while refused",
        Act(20 * MINUTE, "restart", "SIGTERM", every_s=MINUTE, until_s=29.5 * MINUTE),
        bound=replace(_REFUSED, day=_REFUSED.day + 10),
    ),
    Scenario(
        "stop-in-wait",
        "stopped while it waits, started again",
        _then_well(HOUR + 10, _closed(408)),
        Bound(
            day=_transient(1) + 1,
            next_s=AFTER_TRANSIENT,
            ready=True,
            quiet=(HOUR + 10, 2 * HOUR),
        ),
        fault_ends_s=2 * HOUR,
        acts=(Act(HOUR + 10, "stop"), Act(2 * HOUR, "restart", "SIGTERM")),
    ),
    Scenario(
        "stop-while-up",
        "stopped while it is up, started again",
        (Phase(inf, WELL),),
        Bound(day=2, ready=True, quiet=(HOUR, 2 * HOUR)),
        acts=(Act(HOUR, "stop"), Act(2 * HOUR, "restart", "SIGTERM")),
    ),
    _refused_while(
        "watchdog",
        "killed every 2 min until a link is up",
        Act(2 * MINUTE, "restart", "SIGKILL", every_s=2 * MINUTE, unless_up=True),
        bound=_REFUSED,
    ),
    _refused_while(
        "watchdog-term",
        "ended by SIGTERM every 2 min until a link is up",
        Act(2 * MINUTE, "restart", "SIGTERM", every_s=2 * MINUTE, unless_up=True),
        # A start by hand tries at once, so the hour's budget is spent.
        bound=Bound(day=4 * MOST_IN_AN_HOUR, next_s=AFTER_SPENT_BUDGET + 2 * MINUTE, ready=True),
    ),
)

FURTHER = (*_REFUSALS, *_FLAPPING, *_RESTARTS, *_SESSION, *_CLOCK, *_MEMORY, *_PEOPLE)
# Run unless others are asked for: those of docs/proof.md, "See it proven".
HEADLINE: tuple[Scenario, ...] = (EXTRA[-1], *TABLE, EXTRA[0])
EVERY: tuple[Scenario, ...] = (*HEADLINE, *EXTRA[1:-1], *FURTHER)
BY_ID = {scenario.id: scenario for scenario in EVERY}
