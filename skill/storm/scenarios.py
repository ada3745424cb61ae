"""The faults that get numbers blocked, and what a patched host promises in each.

Times are virtual seconds from the first start of the host. The latencies are those that
domain.md's table "Attempts in 24 h" was measured with: a refused link closes 0.3 s after
the dial (0.2 s while the network is down at boot), a good one opens after 0.5 s, and a
session in conflict is closed 1 s after it opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Literal

HOUR = 3600.0
DAY = 24 * HOUR
MINUTE = 60.0

# The guarantee a user can rely on: fewer than 21 attempts in any (t - 3600 s, t].
MOST_IN_AN_HOUR = 20
# The same of a day: the delay at its cap of 300 s, and 5, 10 … 160 s before it.
MOST_IN_A_DAY = 24 * 12 + 7
# A hundredfold of what a held bot may dial in an hour.
MOST_WHEN_HELD = 100 * MOST_IN_AN_HOUR
# "Next attempt after the fault's end" (domain.md, "What follows"), in seconds.
AFTER_TRANSIENT = 7.5 * MINUTE
AFTER_BLOCKED = 90 * MINUTE
AFTER_SPENT_BUDGET = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Does:
    """What one attempt meets.

    kind ``close``: closed with ``code`` after ``after_s``; ``open``: opens after
    ``after_s``, then closed with ``code`` ``close_after_s`` later, or the process is
    killed ``kill_after_s`` later; ``qr``: asks for a QR after ``after_s``, closes 408
    ``lasts_s`` later; ``silent``: brings no event until ``end()`` is called;
    ``throw``: makeWASocket throws. code None: the error has no ``output``; 0: no error.
    data: what the error carries beside its code, such as a ban's ``expire`` (seconds).
    """

    kind: Literal["close", "open", "qr", "silent", "throw"]
    after_s: float = 0.0
    code: int | None = None
    close_after_s: float | None = None
    kill_after_s: float | None = None
    lasts_s: float = 60.0
    # A refused connection that the server leaves open holds the process; one that it
    # closed does not, and Node ends with status 0 (lab/README.md).
    holds_process: bool = True
    data: dict[str, int] | None = None


WELL = Does("open", after_s=0.5)


@dataclass(frozen=True, slots=True)
class Phase:
    """What happens to attempts that start before ``until_s``.

    lookup_fails: fetch, fetchLatestWaWebVersion and fetchLatestBaileysVersion reject.
    attempts: it counts for the first so many attempts of the scenario only.
    """

    until_s: float
    does: Does
    lookup_fails: bool = False
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a person, a setup script or a disk does at ``at_s``, and every ``every_s`` after.

    kind ``start``: the service is started, unless it runs; ``restart``: its process is ended
    by the signal ``value`` and started at once; ``stop``: the host's own way to stop the
    channel, or else the service; ``second``: the program is started a second time, in the
    same folder; ``creds``: creds.json is ``renewed`` (another identity), ``rewritten`` (the
    same one in other bytes) or ``deleted``; ``clock``: the wall clock is set by ``by_s``;
    ``memory``: the memory file is ``corrupt`` or ``unwritable`` from then on.
    unless_up: not while a link is open, as a watchdog does.
    """

    at_s: float
    kind: Literal["start", "restart", "stop", "second", "creds", "clock", "memory"]
    value: str = ""
    by_s: float = 0.0
    every_s: float | None = None
    until_s: float = inf
    unless_up: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """What the policy holds. Attempts count in the first 24 h; None: not promised."""

    day: int
    hour: int = MOST_IN_AN_HOUR
    # The next attempt, or a link that is up, within this many seconds of the fault's end.
    next_s: float | None = None
    # The host is ready (connect() or setup() done, and the link open) by the end.
    ready: bool = False
    # The first attempt within this many seconds of the start: nothing delays it.
    first_s: float | None = None
    # No attempt at all in [from, to), in seconds.
    quiet: tuple[float, float] | None = None
    # A process that ends does so with exit status 0.
    clean: bool = False

    @property
    def hundredfold(self) -> int:
        """So many attempts break it a hundredfold: those of a day, or those of an hour."""
        return 100 * min(self.day, self.hour)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault. fault_ends_s: inf when it never does; horizon_s: how long it is watched.

    acts: what is done to the host meanwhile. unpatched: attempts in 24 h of NanoClaw v1.1.6
    (Restart=always, 5 s) and of the v2 adapter, as in domain.md, where it has them.
    """

    id: str
    title: str
    phases: tuple[Phase, ...]
    bound: Bound
    unpatched: tuple[int, int] | None = None
    # unlinked: creds.json is there and holds no account, as after a pairing that failed; hosts
    # that want the file (NanoClaw v2) would leave the channel out without it.
    creds: Literal["linked", "unlinked"] = "linked"
    horizon_s: float = DAY
    fault_ends_s: float = field(default=inf)
    acts: tuple[Act, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing at all goes wrong in it."""
        well = all(phase.does == WELL and not phase.lookup_fails for phase in self.phases)
        return well and not self.acts and self.creds == "linked"


def _until(end_s: float, does: Does, lookup_fails: bool = False) -> tuple[Phase, ...]:
    return Phase(end_s, does, lookup_fails), Phase(inf, WELL)


def _ever(does: Does) -> tuple[Phase, ...]:
    return (Phase(inf, does),)


# domain.md's table, in its order.
TABLE: tuple[Scenario, ...] = (
    Scenario(
        "revoked",
        "session revoked (401)",
        _ever(Does("close", after_s=0.3, code=401)),
        Bound(day=1, clean=True),
        unpatched=(16_302, 1),
    ),
    Scenario(
        "refused",
        "close 408 at once for 6 h, then well",
        _until(6 * HOUR, Does("close", after_s=0.3, code=408)),
        Bound(day=80, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(72_001, 72_001),
        fault_ends_s=6 * HOUR,
    ),
    Scenario(
        "silent",
        "no event at all for 6 h, then well",
        _until(6 * HOUR, Does("silent")),
        Bound(day=80, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(1, 1),  # then dead forever
        fault_ends_s=6 * HOUR,
    ),
    Scenario(
        "replaced",
        "440 conflict, forever",
        _until(DAY, Does("open", after_s=0.5, code=440, close_after_s=1.0)),
        Bound(day=30, next_s=AFTER_BLOCKED, ready=True),
        unpatched=(57_601, 57_601),
        horizon_s=DAY + 2 * HOUR,
        fault_ends_s=DAY,
    ),
    Scenario(
        "flapping",
        "link flaps: open 90 s, closed",
        _until(DAY, Does("open", after_s=0.5, code=428, close_after_s=90.0)),
        Bound(day=230, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(955, 955),
        horizon_s=DAY + 2 * HOUR,
        fault_ends_s=DAY,
    ),
    Scenario(
        "unlinked",
        "credentials gone, QR asked",
        _ever(Does("qr", after_s=0.5)),
        Bound(day=1, clean=True),
        unpatched=(13_293, 1_429),
        creds="unlinked",
    ),
    Scenario(
        "offline",
        "version look-up or connecting fails (DNS down) for 24 h",
        _until(DAY, Does("throw"), lookup_fails=True),
        Bound(day=300, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(17_280, 0),  # v2 never connects again, even when DNS is back
        horizon_s=DAY + 2 * HOUR,
        fault_ends_s=DAY,
    ),
    Scenario(
        "offline-boot",
        "closes at once for the first 10 min after boot",
        _until(10 * MINUTE, Does("close", after_s=0.2, code=408), lookup_fails=True),
        Bound(day=10, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(3_001, 0),  # v1 never ready, v2 never connects
        fault_ends_s=10 * MINUTE,
    ),
    Scenario(
        "crash-loop",
        "a bug elsewhere kills the process 2 s after each open",
        # Opens at once: the table's period is 2 s of life and 5 s of RestartSec.
        _ever(Does("open", after_s=0.0, kill_after_s=2.0)),
        Bound(day=24 * MOST_IN_AN_HOUR),
        unpatched=(12_343, 12_343),
    ),
)

# More than the table asks for.
EXTRA: tuple[Scenario, ...] = (
    Scenario(
        "silent-closed",
        "HTTP refusal that leaves no handle, 6 h, then well",
        _until(6 * HOUR, Does("silent", holds_process=False)),
        Bound(day=80, next_s=AFTER_TRANSIENT, ready=True),
        unpatched=(4_321, 1),  # measured here: the process ends with status 0
        fault_ends_s=6 * HOUR,
    ),
    Scenario(
        "qr-linked",
        "a QR asked of a linked bot",
        _ever(Does("qr", after_s=0.5)),
        Bound(day=1, clean=True),
        unpatched=(13_293, 1_429),
    ),
    Scenario(
        "healthy",
        "nothing wrong",
        _ever(WELL),
        Bound(day=1, hour=1, ready=True, first_s=0.0),
        unpatched=(1, 1),
    ),
)
