"""What happens to a Python channel, and what a patched one promises.

Two tables. In BRIDGE an attempt is a dial of the bot's own bridge, which dials WhatsApp itself;
the bounds follow from the bridge profile of ``skill.policy``, without its jitter. In NEONIZE it is
a dial of WhatsApp that whatsmeow makes inside Go: there skillgen promises that a session which is
over is not dialled again and that its client is stopped, and that Python adds no loop of its own;
how often whatsmeow dials a link that drops is whatsmeow's, and the bound says how often that is.
A client whose ``connect()`` is patched keeps far below it: ``tests/slow/storm`` holds it to the
policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from skill.policy import BRIDGE as PROFILE
from skill.storm.scenarios import DAY, HOUR, MINUTE, WELL, Bound, Does, Phase, Scenario

Way = Literal["bridge", "neonize"]

# A clean close of a WebSocket, and one that says nothing (RFC 6455, section 7.4.1).
CLEAN, LOST = 1000, 1006
# domain.md's figures of nanobot-ai were measured with these: a dial takes 0.05 s, a link that is
# closed at once lasts a second.
DIAL_S = 0.05
AT_ONCE_S = DIAL_S + 1.0
# websockets' own open_timeout, whatsmeow's NoiseHandshakeResponseTimeout.
BRIDGE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S = 10.0, 20.0
# Longest wait of a link, with its jitter, and the second in which a thread looks for its stop().
AFTER_BRIDGE = PROFILE.backoff.cap * (1 + PROFILE.backoff.jitter) + BRIDGE_TIMEOUT_S
STOPS_WITHIN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonScenario(Scenario):
    """A Scenario of a Python channel. way: which kind of channel it is for.

    ends: WhatsApp has ended the session, so the client is to be stopped, or the process to end.
    hears_logout: only for a channel that reads what its bridge says about the session.
    stop_at_s: the channel's own stop() is called then. restart_every_s: the process is
    started anew this often, by a watchdog that asks nobody.
    """

    way: Way
    ends: bool = False
    hears_logout: bool = False
    stop_at_s: float | None = None
    restart_every_s: float | None = None


def link_dials(span_s: float, *, took_s: float, open_s: float = 0.0) -> int:
    """The most dials of a patched link in ``span_s`` of the same fault, from a fresh start.

    took_s: from a dial to its end or its open; open_s: how long the link is then open.
    """
    now, level, dials = 0.0, 0, 0
    while now < span_s:
        dials += 1
        end = now + took_s + open_s
        if open_s >= PROFILE.reset_after:
            level = 0
        level += 1
        since = end if open_s else now
        now = max(end + PROFILE.backoff.first, since + PROFILE.backoff.step(level))
    return dials


def whatsmeow_dials(span_s: float, *, took_s: float, step_s: float = 2.0) -> int:
    """whatsmeow's own dials in ``span_s`` in which none gets through: 2 s x errors apart."""
    now, errors, dials = 0.0, 0, 0
    while True:
        now += errors * step_s
        errors += 1
        if now >= span_s:
            return dials
        dials += 1
        now += took_s


def _bridge(
    id: str,
    title: str,
    does: Does,
    *,
    took_s: float,
    open_s: float = 0.0,
    lasts_s: float = 6 * HOUR,
    unpatched: int,
) -> PythonScenario:
    """A fault of the bridge that lasts, then all is well. One more dial finds it well."""
    return PythonScenario(
        id=id,
        title=title,
        phases=(Phase(lasts_s, does), Phase(inf, WELL)),
        bound=Bound(
            day=link_dials(min(lasts_s, DAY), took_s=took_s, open_s=open_s) + 1,
            hour=link_dials(HOUR, took_s=took_s, open_s=open_s) + 1,
            next_s=AFTER_BRIDGE + open_s,
            ready=True,
        ),
        unpatched=(unpatched, unpatched),
        horizon_s=max(DAY, lasts_s + HOUR),
        fault_ends_s=lasts_s,
        way="bridge",
    )


_REFUSED = Does("throw", after_s=DIAL_S)
_CLEAN = Does("close", after_s=AT_ONCE_S, code=CLEAN)

# unpatched: nanobot-ai 0.2.2, dials in 24 h, twice since Scenario has two columns.
BRIDGE: tuple[PythonScenario, ...] = (
    _bridge(
        "bridge-refuses",
        "the bridge refuses for 6 h, then well",
        _REFUSED,
        took_s=DIAL_S,
        unpatched=4_278,
    ),
    _bridge(
        "bridge-resets",
        "the bridge accepts and resets for 6 h, then well",
        Does("close", after_s=AT_ONCE_S, code=LOST),
        took_s=DIAL_S,
        open_s=1.0,
        unpatched=3_571,
    ),
    _bridge(
        "bridge-closes",
        "the bridge closes cleanly at once, for 24 h",
        _CLEAN,
        took_s=DIAL_S,
        open_s=1.0,
        lasts_s=DAY,
        unpatched=82_286,
    ),
    _bridge(
        "bridge-flaps",
        "the bridge closes cleanly after 90 s, for 24 h",
        Does("open", after_s=DIAL_S, close_after_s=90.0, code=CLEAN),
        took_s=DIAL_S,
        open_s=90.0,
        lasts_s=DAY,
        unpatched=960,
    ),
    _bridge(
        "bridge-flaps-soon",
        "the bridge is lost after 30 s, for 6 h, then well",
        Does("open", after_s=DIAL_S, close_after_s=30.0, code=LOST),
        took_s=DIAL_S,
        open_s=30.0,
        unpatched=617,
    ),
    _bridge(
        "bridge-silent",
        "the bridge accepts and never answers for 6 h, then well",
        Does("silent"),
        took_s=BRIDGE_TIMEOUT_S,
        unpatched=1_441,
    ),
    PythonScenario(
        id="bridge-logged-out",
        title="the bridge reports that WhatsApp logged it out",
        phases=(Phase(inf, Does("close", after_s=AT_ONCE_S, code=401)),),
        bound=Bound(day=1),
        unpatched=(20_572, 20_572),
        horizon_s=6 * HOUR,  # a day of it unpatched is 82,286 dials once more
        way="bridge",
        hears_logout=True,
    ),
    PythonScenario(
        id="bridge-stopped",
        title="the bridge refuses; stop() during a wait",
        phases=(Phase(inf, _REFUSED),),
        bound=Bound(day=link_dials(HOUR, took_s=DIAL_S), hour=link_dials(HOUR, took_s=DIAL_S)),
        unpatched=(713, 713),
        horizon_s=2 * HOUR,
        way="bridge",
        stop_at_s=HOUR,
    ),
    PythonScenario(
        id="bridge-restarted",
        title="the bridge refuses for 2 h; a watchdog restarts the bot every two minutes",
        phases=(Phase(inf, _REFUSED),),
        bound=Bound(
            day=60 * link_dials(2 * MINUTE, took_s=DIAL_S),
            # An hour may begin and end within a start.
            hour=31 * link_dials(2 * MINUTE, took_s=DIAL_S),
        ),
        unpatched=(1_440, 1_440),
        horizon_s=2 * HOUR,
        way="bridge",
        restart_every_s=2 * MINUTE,
    ),
    PythonScenario(
        id="bridge-healthy",
        title="nothing wrong",
        phases=(Phase(inf, WELL),),
        bound=Bound(day=1, hour=1, ready=True),
        unpatched=(1, 1),
        way="bridge",
    ),
)


def _over(id: str, title: str, does: Does, *, ends: bool = True) -> PythonScenario:
    """WhatsApp ends the session: whatsmeow stops by itself, and the client is to be stopped."""
    return PythonScenario(
        id=id,
        title=title,
        phases=(Phase(inf, does),),
        bound=Bound(day=1, hour=1),
        unpatched=(1, 1),
        way="neonize",
        ends=ends,
    )


# A link that was up once: whatsmeow dials a first connection that fails only once.
_UP = Phase(30.0, Does("open", after_s=0.5, close_after_s=60.0, code=428))
_DROPPED = whatsmeow_dials(6 * HOUR, took_s=0.3)

NEONIZE: tuple[PythonScenario, ...] = (
    _over("revoked", "session revoked (401)", Does("close", after_s=0.3, code=401)),
    _over(
        "revoked-later",
        "session revoked after two hours",
        Does("open", after_s=0.5, close_after_s=2 * HOUR, code=401),
    ),
    _over("locked", "account locked (403)", Does("close", after_s=0.3, code=403)),
    _over("banned", "temporarily blocked (402)", Does("close", after_s=0.3, code=402)),
    _over(
        "replaced",
        "440: another client took the session",
        Does("open", after_s=0.5, close_after_s=1.0, code=440),
    ),
    _over("outdated", "client outdated (405)", Does("close", after_s=0.3, code=405), ends=False),
    _over("refused-by-code", "refused (409)", Does("close", after_s=0.3, code=409), ends=False),
    PythonScenario(
        id="dropped",
        title="a lost link cannot be restored for 6 h, then well; whatsmeow's own attempts",
        phases=(_UP, Phase(6 * HOUR, Does("throw", after_s=0.3)), Phase(inf, WELL)),
        bound=Bound(day=_DROPPED + 2, hour=whatsmeow_dials(HOUR, took_s=0.3) + 2, ready=True),
        unpatched=(_DROPPED, _DROPPED),
        fault_ends_s=6 * HOUR,
        way="neonize",
    ),
    PythonScenario(
        id="flapping",
        title="link flaps: open 90 s, closed; whatsmeow's own attempts",
        phases=(
            Phase(DAY, Does("open", after_s=0.5, close_after_s=90.0, code=428)),
            Phase(inf, WELL),
        ),
        bound=Bound(day=956, hour=41, ready=True),
        unpatched=(955, 955),
        horizon_s=DAY + 2 * HOUR,
        fault_ends_s=DAY,
        way="neonize",
    ),
    PythonScenario(
        id="offline-boot",
        title="no network for the first 10 min after boot",
        phases=(Phase(10 * MINUTE, Does("throw", after_s=0.2)), Phase(inf, WELL)),
        # Not promised: a client's first failure is its end; the rest is its supervisor's.
        bound=Bound(day=200, hour=200),
        unpatched=(1, 1),
        fault_ends_s=10 * MINUTE,
        way="neonize",
    ),
    PythonScenario(
        id="unlinked",
        title="never linked: a QR code is shown, and nobody scans it",
        phases=(Phase(inf, WELL),),
        bound=Bound(day=1, hour=1),
        unpatched=(1, 1),
        creds="unlinked",
        way="neonize",
    ),
    PythonScenario(
        id="stopped",
        title="a lost link cannot be restored; stop() during whatsmeow's wait",
        phases=(_UP, Phase(inf, Does("throw", after_s=0.3))),
        bound=Bound(
            day=whatsmeow_dials(HOUR, took_s=0.3) + 2, hour=whatsmeow_dials(HOUR, took_s=0.3) + 2
        ),
        unpatched=(60, 60),
        horizon_s=2 * HOUR,
        way="neonize",
        stop_at_s=HOUR,
    ),
    PythonScenario(
        id="healthy",
        title="nothing wrong",
        phases=(Phase(inf, WELL),),
        bound=Bound(day=1, hour=1, ready=True),
        unpatched=(1, 1),
        way="neonize",
    ),
)

# The counterparts of the headline scenarios of Baileys channels (skill.storm.catalogue.HEADLINE).
HEADLINE = frozenset(
    {
        *("bridge-healthy", "bridge-logged-out", "bridge-refuses", "bridge-resets"),
        *("bridge-closes", "bridge-flaps", "bridge-silent"),
        *("healthy", "revoked", "dropped", "replaced", "flapping", "unlinked", "offline-boot"),
    }
)
TABLES: dict[Way, tuple[PythonScenario, ...]] = {"bridge": BRIDGE, "neonize": NEONIZE}


def scenarios_of_kind(kind: str = "") -> tuple[Scenario, ...]:
    """Those of one kind of channel (``bridge``, ``neonize``), or of all."""
    tables = [table for way, table in TABLES.items() if kind in ("", way)]
    return tuple({one.id: one for table in tables for one in table}.values())
