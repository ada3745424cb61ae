"""Policy: what follows from the end of an attempt.

Times are seconds since 1970 (0 is never), lengths are seconds.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

# skillgen: policy begins (rendered from skill/policy.py; do not edit)

BRIDGE_DELAY = 5.0
BRIDGE_CAP = 60.0
BRIDGE_JITTER = 0.2
BRIDGE_RESET = 60.0
FACTOR = 2.0
DELAY = 5.0
DELAY_CAP = 300.0
HOLD = 300.0
HOLD_CAP = 3600.0
EXPIRY_CAP = 2592000.0
RESET = 300.0
BUDGET_WINDOW = 3600.0
UNFLUSHED = 15.0
UNWRITABLE_WAIT = 60.0
AHEAD = 3600.0
DOWN_AFTER = 86400.0
DOWN_DELAY = 3600.0
PROBE_AFTER = 86400.0
RECHECK = 60.0
BUDGET = 20
RESTARTS = 3
CORRUPT_LEVEL = 3
VERSION = 1
JITTER = (2.0, 0.5)
DEADLINES = (60.0, 120.0, 180.0)
AUTH = ("401", "403", "406", "411", "logout", "qr", "unlinked", "unpaired")
BLOCKED = ("400", "402", "405", "409", "418", "429", "501")
MEANINGS = {
    "401": "logged out: link the bot again",
    "402": "blocked for a time: leave the number alone until then",
    "403": "account locked: look at WhatsApp on the phone first",
    "405": "client outdated: update the WhatsApp library",
    "406": "account blocked: look at WhatsApp on the phone first",
    "411": "not a multi-device account: update WhatsApp on the phone",
    "440": "another client took this session: stop the other client",
    "logout": "logged out by the bot itself: link the bot again",
    "qr": "a QR code was asked for, so this link is gone: link the bot again",
    "unlinked": "not linked yet: link the bot with its WhatsApp setup",
    "unpaired": "pairing was not completed: start the bot again for a new code",
}

# skillgen: policy ends

UNLINKED = "unlinked"


@dataclass
class Verdict:
    """Why no attempt may be made: for which device, and since when."""

    code: str
    identity: str
    at: float


@dataclass
class Memory:
    """What is remembered of one account; the file has it in camel case."""

    version: int = VERSION
    # When the attempts of the last hour began, by their ids.
    attempts: dict[str, float] = field(default_factory=dict)
    # Attempts, refusals, 515s and deadlines in a row.
    level: int = 0
    blocked: int = 0
    restarts: int = 0
    hits: int = 0
    not_before: float = 0.0
    # How the last attempt ended, when, and with which device.
    code: str = "started"
    decided_at: float = 0.0
    identity: str = ""
    opened_at: float = 0.0
    down_since: float = 0.0
    restart_at: float = 0.0
    verdict: Verdict | None = None
    # When `skillgen reset` was last run.
    cleared: float = 0.0
    pid: int = 0

    def settle(self) -> None:
        """What a long open, a reset or a new link puts back."""
        self.level = self.blocked = self.restarts = self.hits = 0
        self.not_before = 0.0

    def begin(self, name: str, now: float) -> None:
        """Count an attempt ahead: a crash right after it changes nothing."""
        # Days switched off are no outage.
        last = max(self.attempts.values(), default=0.0)
        if now - last > 2 * DOWN_DELAY:
            self.down_since = 0.0
        self.down_since = self.down_since or now
        since = now - BUDGET_WINDOW
        recent = {key: at for key, at in self.attempts.items() if at > since}
        self.attempts = {**recent, name: now}
        self.level += 1
        self.code, self.decided_at, self.pid = "started", now, os.getpid()
        self.not_before = now + self._delay(now)
        if self.verdict:
            self.verdict.at = now

    def conclude(self, now: float, was_open: bool, expiry: float) -> None:
        """Plan the next attempt, after one that ended with ``code``."""
        kind = kind_of(self.code)
        self.decided_at = now
        self.level = max(self.level, 1)
        self.restarts = self.restarts + 1 if kind == "restart" else 0
        if kind == "restart":
            self.restart_at = now
        if kind == "restart" and self.restarts <= RESTARTS:
            # No failure: the level is what it was before the attempt.
            self.level -= 1
            self.not_before = 0.0
        elif kind == "hold":
            self.blocked += 1
            wait = spread(grown(HOLD, HOLD_CAP, self.blocked), JITTER[1])
            self.not_before = now + max(wait, expiry)
        else:
            # The delay of one that never opened counts from its start.
            due = now + self._delay(now) if was_open else self.not_before
            self.not_before = max(now + DELAY, due)

    def recent(self, now: float) -> list[float]:
        """When the attempts that count against the budget began, sorted."""
        stamps = self.attempts.values()
        return sorted(at for at in stamps if at > now - BUDGET_WINDOW)

    def held(self, now: float) -> str:
        """The code of a hold that is not over; "" if there is none."""
        is_held = kind_of(self.code) == "hold" and self.not_before > now
        return self.code if is_held else ""

    def is_down(self, now: float) -> bool:
        """Whether no link has been up for a day."""
        return 0 < self.down_since < now - DOWN_AFTER

    def longest(self, now: float) -> float:
        """The longest that the next attempt may be away."""
        is_hold = kind_of(self.code) == "hold"
        wait = grown(DELAY, DELAY_CAP, self.level)
        if is_hold:
            wait = grown(HOLD, HOLD_CAP, self.blocked)
        if self.code == "402":
            return EXPIRY_CAP
        share = JITTER[1] if is_hold or self.level > 1 else JITTER[0]
        return (DOWN_DELAY if self.is_down(now) else wait) * (1 + share)

    def _delay(self, now: float) -> float:
        if self.is_down(now):
            return spread(DOWN_DELAY, JITTER[1])
        share = JITTER[1] if self.level > 1 else JITTER[0]
        return spread(grown(DELAY, DELAY_CAP, self.level), share)


def kind_of(code: str) -> str:
    """What an end means for the next attempt: restart, hold or transient."""
    if code == "515":
        return "restart"
    return "hold" if code == "440" or code in BLOCKED else "transient"


def grown(first: float, cap: float, level: int) -> float:
    """A wait that doubles with each level from 1 on, up to its cap."""
    return min(cap, first * FACTOR ** (min(max(level, 1), 30) - 1))


def spread(wait: float, share: float) -> float:
    """Bots that were dropped together must not come back together."""
    return round(wait * (1 + share * random.random()), 3)
