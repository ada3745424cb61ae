"""The reconnect policy as data: the one source of truth for every language.

`skill/render` writes the constants of the added modules from it; nothing else may
hold a number or a status code of its own. Times are seconds unless a name says otherwise.
An *attempt* is one call that connects to WhatsApp; it counts when its turn begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["auth", "restart", "blocked", "replaced", "transient"]
"""The meaning of an attempt's end for the next one.

auth: no further attempt; restart: at once; blocked, replaced: the long hold;
transient: the short delay.
"""

MEMORY_VERSION = 1
"""Version of the memory file. Another one reads as corrupt: its rules are not known here."""


@dataclass(frozen=True)
class Code:
    """One way an attempt ends: a status code of Baileys/whatsmeow, or a word for our own."""

    code: str
    kind: Kind
    meaning: str
    advice: str = ""
    """Advice for a person; given with every verdict that ends the attempts."""


_RELINK = "link the bot again"
_PHONE_FIRST = "look at WhatsApp on the phone first"

CODES: tuple[Code, ...] = (
    # Auth failures. Meanings: Baileys' DisconnectReason, whatsmeow's ConnectFailureReason.
    # Retrying 401 blocked re-linking itself for hours (NanoClaw issue 2579).
    Code("401", "auth", "logged out", _RELINK),
    Code("403", "auth", "account locked", _PHONE_FIRST),
    Code("406", "auth", "account blocked", _PHONE_FIRST),
    Code("411", "auth", "not a multi-device account", "update WhatsApp on the phone"),
    # Normal right after pairing.
    Code("515", "restart", "restart required"),
    Code("400", "blocked", "refused"),
    Code("402", "blocked", "blocked for a time", "leave the number alone until then"),
    Code("405", "blocked", "client outdated", "update the WhatsApp library"),
    Code("409", "blocked", "client refused"),
    Code("418", "blocked", "client unknown"),
    Code("429", "blocked", "too many requests"),
    Code("501", "blocked", "refused"),
    # A tug of war otherwise: 554 attempts an hour (measured).
    Code("440", "replaced", "another client took this session", "stop the other client"),
    Code("408", "transient", "timed out"),
    Code("428", "transient", "connection closed"),
    # For days these were bad credentials: evolution-api 2647, fazer-ai/chatwoot 343.
    Code("500", "transient", "server error or bad session"),
    Code("503", "transient", "service unavailable"),
    # Words of our own.
    Code("closed", "transient", "closed without a code"),
    Code("deadline", "transient", "no answer in time"),
    Code("dial", "transient", "the connect function failed"),
    Code("superseded", "transient", "a new connection was asked for"),
    Code("started", "transient", "an attempt was made just now"),
    Code("corrupt", "transient", "the memory file is damaged"),
    Code("unwritable", "transient", "the memory file cannot be written"),
    Code("budget", "transient", "the attempts of this hour are used up"),
    Code("qr", "auth", "a QR code was asked for, so this link is gone", _RELINK),
    Code("unlinked", "auth", "not linked yet", "link the bot with its WhatsApp setup"),
    Code("unpaired", "auth", "pairing was not completed", "start the bot again for a new code"),
    Code("logout", "auth", "logged out by the bot itself", _RELINK),
)
"""Every known end of an attempt. An unknown code is transient."""


@dataclass(frozen=True)
class Backoff:
    """A delay that doubles: ``first``, x ``factor``, at most ``cap``, plus jitter."""

    first: float
    cap: float
    factor: float = 2.0
    jitter: float = 0.5
    """Up to this share is added, after the cap: never below the promised step."""

    first_jitter: float | None = None
    """The same for the first step, where it differs. 100 bots that are dropped together
    reconnect within one second at 0.2, at most 18 of them at 2.0 and 0.5 (simulated)."""

    def step(self, level: int) -> float:
        """The delay without jitter at a level (1 is the first)."""
        return float(min(self.cap, self.first * self.factor ** min(max(level, 1) - 1, 30)))


@dataclass(frozen=True)
class Policy:
    """How a process that connects to WhatsApp itself may do so."""

    transient: Backoff = field(default_factory=lambda: Backoff(first=5, cap=300, first_jitter=2))
    """5 s to 5 min (NanoClaw issue 748). Counted from the start of an attempt that never
    opened (next = max(end + first, start + delay): hangs of 60 s must not add up), from
    the close of one that did."""

    hold: Backoff = field(default_factory=lambda: Backoff(first=300, cap=3600))
    """Blocked and replaced."""

    expiry_cap: float = 30 * 86400
    """402 names its end in ``error.data.expire``, seconds; longer ones are not believed."""

    reset_after: float = 300
    """Seconds open after which the level is 0 again, stored at that mark. An open proves
    nothing: fazer-ai/baileys-api PR 309, OpenClaw issue 25591, NanoClaw pull request 746."""

    budget: int = 20
    """Fewer than this many attempts in (t - budget_window, t] before one at t. Beats every
    other rule."""

    budget_window: float = 3600

    deadlines: tuple[float, ...] = (60, 120, 180)
    """An attempt without open, close or QR ends after this long, by consecutive hits. An
    HTTP refusal at upgrade makes real Baileys emit no close, ever (measured with eleven
    status codes; OpenWA pull request 1579)."""

    restarts: int = 3
    """515 in a row that go on at once; more are transient."""

    settle: float = 2
    """Longest wait, after a 515, for the host's creds.update handler."""

    unflushed: float = 15
    """A 401 this soon after a 515 may be unflushed credentials (evolution-api 2498): one
    retry per pairing."""

    unwritable_wait: float = 60
    """Before a process's first attempt, if its memory cannot be written."""

    corrupt_level: int = 3
    """Level at which a process goes on from a memory that it cannot read."""

    ahead: float = 3600
    """Stamps up to this far ahead count as now (a clock set back), later ones are dropped."""

    down_after: float = 86400
    """Without an open for this long: ``down_delay``, and the person is told."""

    down_delay: float = 3600

    probe_after: float = 86400
    """A start this long after a verdict makes one attempt to see whether it still holds."""

    late_after: float = 25
    """No open this long after the first attempt: the host's connect() settles, for hosts
    connect channel after channel and must have settled within 30 s."""

    uptime: float = 30
    """Before this much uptime other channels may still be starting."""

    recheck: float = 60
    """While waiting, the memory is read again this often, so that a reset is noticed."""

    spacing: float = 1
    """Between the attempts of two accounts of one process: a hundred accounts take a hundred
    seconds."""

    codes: tuple[Code, ...] = CODES

    def kind(self, code: str) -> Kind:
        """The class of a code; unknown ones are transient."""
        return next((known.kind for known in self.codes if known.code == code), "transient")


@dataclass(frozen=True)
class BridgeProfile:
    """The link from a Python program to its own Node bridge: no budget, no memory.

    The bridge connects to WhatsApp and has the whole policy; this only spares the local socket
    (measured: 3,429 attempts an hour at a bridge that closes cleanly).
    """

    backoff: Backoff = field(default_factory=lambda: Backoff(first=5, cap=60, jitter=0.2))
    """A clean close is delayed like any other."""

    reset_after: float = 60


POLICY = Policy()
BRIDGE = BridgeProfile()
