# Added by skillgen 0.0.0 (sha256 of the rest: 0000000000000000)
"""When this bot may connect, and when it must not.

Attempts that repeat too fast get a WhatsApp number blocked, then banned. So
every attempt passes a gate, which lets it wait longer after each failure.

# skillgen: bridge begins
The link to the bot's own bridge process; one for each channel::

    link = link_of(self)
    link.start()  # where the channel is started: undoes a stop()
    while self._running and await link.turn():  # 0: no further attempt
        ...  # connect, then link.opened(), then serve until it closes
    link.stop()  # where the channel is stopped: ends the wait

turn() is the wait, after a clean close too; turn_sync() is that for threads.
A loop with a wait of its own asks for its length instead, ``link.delay()``,
after each attempt. Once the bridge reports a logout, link.logout(why) makes
link.terminal true: no turn is granted, and link.reason says why.
# skillgen: bridge ends
# skillgen: neonize begins
A neonize client dials WhatsApp itself; one gate for each of its databases::

    session = session_of(database)
    if not await session.turn():  # 0: no attempt may be made; waits otherwise
        return
    client = NewClient(database)
    hear(client)  # before the bot's own handlers, which take its place
    ...
    if heard(client, event):  # in those handlers; False: leave it as it is
        ...  # connect again

One that stays connects through ``dial_sync(client)`` instead of connect(), or
``await dial(client)`` and ``await serve(client)`` instead of idle(): both
connect again after a dial that failed and a link that was lost. A loop of the
bot's own around connect() asks ``next_turn_sync(client)`` each time.
hang_up(client) goes before its stop(), which ends the wait, too.

turn_sync() is turn() for threads, and so are the others with that ending.
# skillgen: neonize ends
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import inspect
import json
import logging
import math
import os
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

# skillgen: policy begins (rendered from skill/policy.py; do not edit)
BRIDGE_DELAY = 5.0
BRIDGE_CAP = 60.0
BRIDGE_RESET = 60.0
FACTOR = 2.0
JITTER = 0.2
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
DEADLINES = (60.0, 120.0, 180.0)
KINDS = {
    "auth": [
        "401",
        "403",
        "406",
        "411",
        "logout",
        "qr",
        "unlinked",
        "unpaired",
    ],
    "blocked": ["400", "402", "405", "409", "418", "429", "501"],
    "replaced": ["440"],
    "restart": ["515"],
}
MEANINGS = {
    "400": "refused",
    "401": "logged out: this device was removed",
    "402": "temporarily banned",
    "403": "account locked",
    "405": "client outdated",
    "406": "account banned",
    "408": "timed out",
    "409": "client refused",
    "411": "not a multi-device account",
    "418": "client unknown",
    "428": "connection closed",
    "429": "too many requests",
    "440": "another client took this session",
    "500": "server error or bad session",
    "501": "refused",
    "503": "service unavailable",
    "515": "restart required",
    "budget": "the attempts of this hour are used up",
    "closed": "closed without a code",
    "corrupt": "the memory file is damaged",
    "deadline": "no answer in time",
    "dial": "the connect function failed",
    "logout": "logged out by the bot itself",
    "qr": "a QR code was asked for: this link is gone",
    "started": "an attempt was made just now",
    "superseded": "a new connection was asked for",
    "unlinked": "not linked yet",
    "unpaired": "pairing was not completed",
    "unwritable": "the memory file cannot be written",
}
ADVICE = {
    "401": "Link the bot again with its WhatsApp setup.",
    "402": "Leave the number alone until then.",
    "403": "Look at WhatsApp on the phone first, then link the bot again.",
    "405": "Update the WhatsApp library.",
    "406": "Look at WhatsApp on the phone first, then link the bot again.",
    "411": "Update WhatsApp on the phone, then link the bot again.",
    "440": "Stop the other client.",
    "logout": "Link the bot again with its WhatsApp setup.",
    "qr": "Link the bot again with its WhatsApp setup.",
    "unlinked": "Link the bot with its WhatsApp setup.",
    "unpaired": "Start the bot again for a new code.",
}
# skillgen: policy ends


class Logger(Protocol):
    """Any logger: it is always called with one string, and may lack a level."""

    def info(self, message: str, /) -> object: ...

    def warning(self, message: str, /) -> object: ...

    def error(self, message: str, /) -> object: ...


class _Gate:
    """One wait at a time, for asyncio and for threads."""

    def __init__(self, logger: Logger | None) -> None:
        self._logger: Logger = logger or logging.getLogger(__name__)
        self._lock = threading.RLock()
        self._base = time.time() - time.monotonic()
        self._state = "idle"  # or promised, running, open
        self._attempt = 0
        self._waiting = False
        self._told = ""  # the reason of the wait that was told of last
        self._stopped = False
        self._wake: Callable[[], object] | None = None

    def _say(self, level: str, line: str) -> None:
        # A logger that lacks a level, or raises, must not end the attempts.
        try:
            levels = (level, "warning", "info", "error")
            writes = (getattr(self._logger, each, None) for each in levels)
            next(write for write in writes if callable(write))(line)
        except Exception:
            logging.getLogger(__name__).warning(line)

    async def turn(self, going: Callable[[], object] | None = None) -> int:
        """Wait until an attempt may start: its number, or 0 if none may.

        A false ``going()`` ends the wait, like stop().
        """
        if not self._enter():
            return 0
        try:
            while left := self._left():
                nap = left if going is None else min(left, 1.0)
                until = self._now() + nap
                if await self._pause(nap):
                    self._pass(until)
                if going is not None and not going():
                    return 0
            return 0 if left is None else self._grant()
        finally:
            self._waiting = False

    def turn_sync(
        self,
        stop: threading.Event | None = None,
        going: Callable[[], object] | None = None,
    ) -> int:
        """The same in a thread; ``stop``, or a false ``going()``, ends it."""

        def over() -> bool:
            stopped = stop is not None and stop.is_set()
            return stopped or (going is not None and not going())

        if not self._enter():
            return 0
        try:
            while left := self._left():
                nap = min(left, 1.0)  # stop() is noticed within a second
                until = self._now() + nap
                if stop is None:
                    time.sleep(nap)
                else:
                    stop.wait(nap)
                if over():
                    return 0
                self._pass(until)
            return 0 if left is None or over() else self._grant()
        finally:
            self._waiting = False

    def start(self) -> None:
        """After a stop(): attempts are allowed again."""
        self._stopped = False

    def stop(self) -> None:
        """No attempt until start(); a wait ends now. From any thread."""
        self._stopped = True
        self._awake()

    def _enter(self) -> bool:
        with self._lock:
            # Two loops around one link: only one of them goes on.
            if self._waiting:
                return False
            self._waiting = True
            self._told = ""
            if self._state in ("running", "open"):
                self._over()
            return True

    async def _pause(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not woken.done():
                woken.set_result(None)

        # asyncio.sleep, so that tests can replace it; and no wait_for around
        # it, which in Python 3.10 and 3.11 can lose a cancellation.
        sleeping = asyncio.ensure_future(asyncio.sleep(seconds))
        self._wake = lambda: loop.call_soon_threadsafe(settle)
        try:
            if self._stopped:
                return False
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({sleeping, woken}, return_when=first)
            if sleeping.done():
                sleeping.result()
            return not woken.done()
        finally:
            self._wake = None
            with contextlib.suppress(RuntimeError):  # a loop that was closed
                sleeping.cancel()

    def _awake(self) -> None:
        wake = self._wake
        if wake is not None:
            with contextlib.suppress(RuntimeError):  # a loop that has ended
                wake()

    def _now(self) -> float:
        """Monotonic, near time.time(): a clock that is set changes no wait."""
        return self._base + time.monotonic()

    def _pass(self, until: float) -> None:
        # A sleep that returned says that its time is over, in tests too.
        self._base += max(0.0, until - self._now())

    def _left(self) -> float | None:
        """Seconds to wait before looking again; 0: go; None: never."""
        raise NotImplementedError

    def _grant(self) -> int:
        raise NotImplementedError

    def _over(self) -> None:
        """The attempt has ended, and nobody said how."""
        raise NotImplementedError


# skillgen: bridge begins
_Handler = Callable[..., object]


class BridgeLink(_Gate):
    """The link to a bridge, which keeps the limits for WhatsApp itself."""

    def __init__(self, logger: Logger | None = None) -> None:
        super().__init__(logger)
        self.reason = ""
        self._level = 0
        self._due = 0.0
        self._state = "promised"
        self._since = self._now()  # its start; of an open, since when

    @property
    def terminal(self) -> bool:
        """True once no further attempt will be made."""
        return bool(self.reason)

    def opened(self) -> None:
        """Connected. Only an open that lasts makes the next wait short."""
        if self._state in ("promised", "running"):
            self._state = "open"
            self._since = self._now()

    def on_open(self, then: _Handler | None = None) -> _Handler:
        """For a WebSocketApp: opened(), then the bot's own on_open."""

        def opened(*arguments: object) -> object:
            self.opened()
            return then(*arguments) if then else None

        return opened

    def closed(self) -> None:
        """Not connected, or no longer. turn() and delay() imply it."""
        if self._state == "idle":
            return
        now = self._now()
        begun = min(self._since, now)
        if self._state == "open":
            if now - begun >= BRIDGE_RESET:
                self._level = 0
            begun = now
        self._level += 1
        wait = _jittered(_grown(BRIDGE_DELAY, BRIDGE_CAP, self._level))
        self._due = max(now + BRIDGE_DELAY, begun + wait)
        self._state = "idle"

    def delay(self) -> float:
        """Seconds to wait after an attempt; the next needs no turn()."""
        self.closed()
        self._promise()
        return max(0.0, self._due - self._now())

    def logout(self, reason: str = "") -> None:
        """The bridge says that the account is no longer linked."""
        if self.reason:
            return
        self.reason = reason or "logged out"
        line = f"WhatsApp bridge: {self.reason}. No further attempt."
        advice = "Link the bot again with its WhatsApp setup."
        self._say("error", f"{line} {advice}")
        self._awake()

    def start(self) -> None:
        if self._stopped:
            self.reason = ""
            self._promise()
        super().start()

    def stop(self) -> None:
        # Whoever restarts a bot by hand expects it to try at once.
        at_once = self._state == "open" or self._now() < self._due
        if self._state in ("running", "open"):
            self.closed()
        if at_once:
            self._due = 0.0
        super().stop()

    def _promise(self) -> None:
        """The host goes on by itself once the wait is over."""
        self._state = "promised"
        self._since = max(self._now(), self._due)

    def _left(self) -> float | None:
        if self._stopped or self.reason:
            return None
        left = max(0.0, self._due - self._now())
        if left and not self._told:
            self._told = "link"
            seconds = math.ceil(left)
            line = f"WhatsApp bridge: next attempt in {seconds} s"
            self._say("info", line)
        return left

    def _grant(self) -> int:
        self._attempt += 1
        self._state = "running"
        self._since = self._now()
        return self._attempt

    def _over(self) -> None:
        self.closed()


_LINKS: dict[int, tuple[object, BridgeLink]] = {}


def link_of(channel: object, logger: Logger | None = None) -> BridgeLink:
    """The link of a channel, made when first asked for.

    Tests build channels without ``__init__``: so it is not made there.
    """
    link = getattr(channel, "_bridge_link", None)
    if isinstance(link, BridgeLink):
        return link
    if id(channel) in _LINKS:
        return _LINKS[id(channel)][1]
    link = BridgeLink(logger)
    try:
        # Past the __setattr__ of frozen and checked classes.
        object.__setattr__(channel, "_bridge_link", link)
    except (AttributeError, TypeError):
        # __slots__: kept here, and the channel too, so that its id stays.
        _LINKS[id(channel)] = (channel, link)
    return link


# skillgen: bridge ends
def _grown(first: float, cap: float, level: int) -> float:
    return min(cap, first * FACTOR ** min(max(level, 1) - 1, 30))


def _jittered(wait: float) -> float:
    return wait * (1 + JITTER * random.random())


# skillgen: full profile begins
UNLINKED = "unlinked"
DOWN_ADVICE = "No link for a day: look at the phone and the network."


class _Timer(Protocol):
    def cancel(self) -> object: ...


@dataclass
class _Memory:
    """What the file holds: there in camel case, times in ms since 1970."""

    version: int = VERSION
    # When the attempts of the last hour began, by their ids.
    attempts: dict[str, float] = field(default_factory=dict)
    # Attempts since the link was last up for long, and refusals since then.
    level: int = 0
    blocked: int = 0
    # 515 in a row, deadlines in a row.
    restarts: int = 0
    hits: int = 0
    # How the last attempt ended, and what follows from it.
    kind: str = "transient"
    code: str = "started"
    wait: float = 0.0
    not_before: float = 0.0
    down_since: float = 0.0
    restart_at: float = 0.0
    # The one retry of a 401 right after pairing is spent.
    retried: bool = False
    # The bot was stopped by hand: the next start tries at once.
    free: bool = False
    identity: str = ""
    verdict: dict[str, Any] | None = None
    # The client's version when WhatsApp called it outdated.
    client: str = ""
    pid: int = 0
    # When `skillgen reset` was last run.
    cleared: int = 0

    def settle(self) -> None:
        """After a long open, a reset or a new link: back to the start."""
        self.level = self.blocked = self.restarts = self.hits = 0
        self.kind, self.code = "transient", "started"
        self.wait = self.not_before = 0.0

    def recent(self, now: float) -> list[float]:
        """The attempts that count against the budget, oldest first."""
        stamps = self.attempts.values()
        return sorted(at for at in stamps if at > now - BUDGET_WINDOW)

    def prune(self, now: float) -> None:
        """Forget what no rule asks for: keep an hour and the newest."""
        newest = max(self.attempts.values(), default=now)
        keep = min(newest, now - BUDGET_WINDOW)
        stamps = self.attempts.items()
        self.attempts = {key: at for key, at in stamps if at >= keep}

    def down(self, now: float) -> bool:
        return 0 < self.down_since < now - DOWN_AFTER

    def delay(self, now: float) -> float:
        least = DOWN_DELAY if self.down(now) else 0.0
        return _jittered(max(_grown(DELAY, DELAY_CAP, self.level), least))

    def plan(self, now: float, begun: float, expire: float) -> None:
        """When the next attempt may start, after one that has ended.

        begun is what a hold is counted from: its start; once open, its end.
        """
        kind = _kind(self.code)
        again = kind == "restart"
        self.restarts = self.restarts + 1 if again else 0
        if again:
            self.restart_at = now
        if again and self.restarts <= RESTARTS:
            # No failure: the level is what it was before the attempt.
            self.kind = kind
            self.level -= 1
            self.wait = self.not_before = 0.0
            return
        held = kind in ("blocked", "replaced")
        self.kind = kind if held else "transient"
        until = self.not_before
        if held:
            self.blocked += 1
            hold = _grown(HOLD, HOLD_CAP, self.blocked)
            until = begun + _jittered(max(hold, min(expire, EXPIRY_CAP)))
        self.not_before = max(now + DELAY, until)
        self.wait = self.not_before - now

    def dumps(self, shift: float) -> str:
        """As text; ``shift`` turns our time into the wall clock's."""
        raw = asdict(self)
        raw["wait"] = math.ceil(self.wait * 1000)
        for name in _TIMES:
            raw[name] = _stamp(raw[name], shift)
        stamps = self.attempts.items()
        raw["attempts"] = {key: _stamp(at, shift) for key, at in stamps}
        if self.verdict:
            at = _stamp(self.verdict["at"], shift)
            raw["verdict"] = {"code": self.verdict["code"], "at": at}
        named = {_camel(name): value for name, value in raw.items()}
        return json.dumps(named, indent=2) + "\n"

    @classmethod
    def loads(cls, text: str, shift: float, now: float) -> _Memory:
        """Raises an error of some kind if the text is no memory."""
        raw = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if raw["version"] != VERSION:
            raise ValueError("another version")
        memory = cls()
        for name, value in asdict(memory).items():
            found = raw.get(_camel(name))
            if isinstance(value, (bool, str)) and type(found) is type(value):
                setattr(memory, name, found)
            elif type(value) in (int, float) and type(found) in (int, float):
                setattr(memory, name, max(0, type(value)(found)))

        def moved(at: Any) -> float:
            # A clock that was set back makes no wait longer.
            return min(float(at) / 1000 - shift, now) if at else 0.0

        for key, at in (raw.get("attempts") or {}).items():
            if at / 1000 - shift <= now + AHEAD:
                memory.attempts[key] = moved(at)
        memory.wait = min(memory.wait / 1000, EXPIRY_CAP * (1 + JITTER))
        latest = now + memory.wait
        memory.not_before = min(memory.not_before / 1000 - shift, latest)
        memory.down_since = moved(memory.down_since)
        memory.restart_at = moved(memory.restart_at)
        if found := raw.get("verdict"):
            at = moved(found["at"])
            memory.verdict = {"code": str(found["code"]), "at": at}
        return memory


_TIMES = ("not_before", "down_since", "restart_at")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _stamp(at: float, shift: float) -> int:
    return math.ceil((at + shift) * 1000) if at else 0


def _hash(device: str) -> str:
    """The number in it is no one's business."""
    return hashlib.sha256(device.encode()).hexdigest()[:16]


def _kind(code: str) -> str:
    found = (kind for kind, codes in KINDS.items() if code in codes)
    return next(found, "transient")


class Reconnect(_Gate):
    """The gate of a bot that dials WhatsApp itself.

    Attempts, waits and verdicts are kept in a file beside the credentials, so
    that they hold over restarts, whatever loop or supervisor there is::

        attempt = await reconnect.turn()  # first of all; 0: no further attempt
        reconnect.opened(attempt)
        reconnect.qr(attempt)  # False: do not show it, end the client
        reconnect.closed(408, attempt)  # False: an old attempt, do nothing

    identity names the linked device, "" if there is none; the default reads
    creds.json. hung is called when an attempt brings nothing in time: it ends
    the client and, where no loop does, connects again. pairing is False where
    this process cannot pair. client is the version of the WhatsApp library.
    """

    def __init__(
        self,
        credentials: str | os.PathLike[str],
        *,
        identity: Callable[[], str] | None = None,
        hung: Callable[[], object] | None = None,
        pairing: bool = True,
        client: str = "",
        logger: Logger | None = None,
    ) -> None:
        super().__init__(logger)
        self._credentials = Path(credentials)
        self._identity = identity or self._creds
        self._hung = hung
        self._budget = BUDGET
        self._pairing = pairing
        self._client = client
        self._token = uuid.uuid4().hex[:8]
        self._memory = _Memory()
        self._loaded = False
        self._text: str | None = None
        self._unwritable = False
        self._blind_until = 0.0
        self._started_at = 0.0
        self._linked = False
        self._asked = False
        self._final = ""
        self._detail = ""
        self._rival = 0
        self._told_down = False
        self._timer: _Timer | None = None

    @property
    def terminal(self) -> bool:
        """True once no further attempt will be made."""
        return bool(self._final)

    @property
    def reason(self) -> str:
        """Why, once terminal."""
        return self._reason(self._final) if self._final else ""

    def opened(self, attempt: int | None = None) -> bool:
        """The link is up. False, here and below: of an old attempt."""
        with self._lock:
            if not self._live(attempt):
                return False
            if self._state == "open":
                return True
            self._rest("open")
            memory = self._recalled()
            memory.hits = 0
            memory.down_since = 0.0
            memory.verdict = None
            self._write()
            # An open proves nothing: only one that lasts resets the level.
            number = self._attempt
            self._timer = _later(RESET, lambda: self._lasted(number))
            return True

    def qr(self, attempt: int | None = None) -> bool:
        """A code to pair with is asked for. False: it must not be shown."""
        with self._lock:
            if not self._live(attempt):
                return False
            self._asked = True
            self._cancel()
            if self._pairing and not self._linked:
                return True
            self._conclude("qr" if self._linked else UNLINKED)
            self._rest()
            return False

    def closed(
        self,
        code: int | str | None = None,
        attempt: int | None = None,
        *,
        error: object = None,
        expire: float = 0.0,
    ) -> bool:
        """How an attempt ended: a status code, or a key of MEANINGS.

        expire: the seconds that a temporary ban (402) names.
        """
        with self._lock:
            if not self._live(attempt):
                return False
            self._finish(str(code or "closed"), str(error or ""), expire)
            return True

    def start(self) -> None:
        with self._lock:
            if self._stopped:
                self._final = ""
            super().start()

    def stop(self) -> None:
        with self._lock:
            if self._stopped:
                return
            # Whoever restarts a bot by hand expects it to try at once.
            if self._waiting or self._state == "open":
                self._recalled().free = True
                self._write()
            self._rest()
            super().stop()

    def _live(self, attempt: int | None) -> bool:
        known = attempt is None or attempt == self._attempt
        return known and self._state != "idle"

    def _rest(self, state: str = "idle") -> None:
        self._cancel()
        self._state = state

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _over(self) -> None:
        self._finish("closed")

    def _left(self) -> float | None:
        with self._lock:
            if self._stopped:
                return None
            self._recall()
            refusal = self._refusal()
            if refusal:
                if not self._final:
                    self._conclude(refusal)
                return None
            until, code = self._bound()
            left = until - self._now()
            if left <= 0:
                return 0.0
            # Another process may make it a longer one, for another reason.
            if code != self._told:
                self._told = code
                self._announce(code, left)
            # A reset of the memory file is noticed on the way.
            return min(left, RECHECK)

    def _grant(self) -> int:
        with self._lock:
            self._attempt += 1
            self._rest("running")
            self._asked = False
            self._final = ""
            # Written ahead: a crash right after it has been counted already.
            memory = self._recalled()
            now = self._started_at = self._now()
            last = max(memory.attempts.values(), default=0.0)
            long_off = now - last > 2 * DOWN_DELAY
            memory.down_since = 0.0 if long_off else memory.down_since
            memory.down_since = memory.down_since or now
            memory.attempts[f"{self._token}-{self._attempt}"] = now
            memory.level += 1
            memory.kind, memory.code = "transient", "started"
            memory.wait = memory.delay(now)
            memory.not_before = now + memory.wait
            memory.free = False
            memory.pid = os.getpid()
            if memory.verdict:
                memory.verdict["at"] = now
            self._write()
            if self._hung is not None:
                number = self._attempt
                limit = DEADLINES[min(memory.hits, len(DEADLINES) - 1)]
                self._timer = _later(limit, lambda: self._expired(number))
            return self._attempt

    def _expired(self, attempt: int) -> None:
        if self.closed("deadline", attempt) and self._hung is not None:
            self._hung()

    def _lasted(self, attempt: int) -> None:
        with self._lock:
            if self._live(attempt) and self._state == "open":
                self._recalled().settle()
                self._write()

    def _finish(self, code: str, error: str = "", expire: float = 0.0) -> None:
        """The one outcome of an attempt."""
        opened = self._state == "open"
        vague = code in ("dial", "closed") or code not in MEANINGS
        line = error.partition("\n")[0][:100]
        self._detail = f": {line}" if vague and line else ""
        verdict = self._verdict_on(code)
        self._rest()
        if verdict:
            self._conclude(verdict)
            return
        memory = self._recalled()
        now = self._now()
        memory.hits = memory.hits + 1 if code == "deadline" else 0
        memory.code = code
        memory.level = max(memory.level, 1)
        if code == "401":
            memory.retried = True
        if code == "405":
            memory.client = self._client
        begun = self._started_at
        if opened:
            # Else it stands since the start: start + delay.
            memory.not_before = now + memory.delay(now)
            begun = now
        memory.plan(now, begun, expire)
        self._write()

    def _verdict_on(self, code: str) -> str:
        """Why nothing may follow this outcome, if so."""
        memory = self._memory
        if code == "401":
            fresh = self._now() - memory.restart_at < UNFLUSHED
            return "" if fresh and not memory.retried else code
        if code == "408" and self._asked and not self._linked:
            return "unpaired"
        if _kind(code) == "auth":
            return code
        # A probe that brought no open changes nothing.
        probe = memory.verdict and _kind(code) != "restart"
        return str(memory.verdict["code"]) if memory.verdict and probe else ""

    def _conclude(self, code: str) -> None:
        """No further attempt: said once, and remembered where it can be."""
        self._final = code
        stays = self._linked or not self._pairing
        passing = code in ("logout", "unpaired")
        if stays and not passing and not self._memory.verdict:
            memory = self._recalled()
            memory.verdict = {"code": code, "at": self._now()}
            self._write()
        line = f"{self._reason(code)}. No further attempt."
        advice = ADVICE.get(code, "")
        kept = self._kept() if self._memory.verdict else ""
        self._say("error", f"WhatsApp: {line} {advice} {kept}".rstrip())

    def _refusal(self) -> str:
        """The verdict that forbids an attempt now."""
        verdict = self._memory.verdict
        if not verdict:
            return self._final
        code = str(verdict["code"])
        due = self._now() - verdict["at"] >= PROBE_AFTER
        probe = due and code != UNLINKED
        return "" if probe or self._memory.kind == "restart" else code

    def _bound(self) -> tuple[float, str]:
        """Until when the next attempt has to wait, and for what."""
        memory = self._memory
        free = memory.free and memory.kind == "transient"
        bounds = [(0.0 if free else memory.not_before, memory.code)]
        bounds.append((self._blind_until, "unwritable"))
        stamps = memory.recent(self._now())
        if len(stamps) >= self._budget:
            free_at = stamps[-self._budget] + BUDGET_WINDOW
            bounds.append((free_at, "budget"))
        return max(bounds, key=lambda bound: bound[0])

    def _recall(self) -> None:
        """Read what this and other processes know, and who the bot is."""
        first = not self._loaded
        memory = self._recalled()
        known = memory.identity
        identity = self._identify(known)
        self._linked = identity != UNLINKED
        # Gone is not changed, unless this bot pairs in its own process.
        gone = not self._linked and not self._pairing
        verdict = memory.verdict
        unlinked = verdict is not None and verdict["code"] == UNLINKED
        changed = known not in ("", identity) and not gone
        if changed or (unlinked and self._linked):
            self._relinked()
        if not gone or not known:
            memory.identity = identity
        if first:
            # A trial: without a memory nothing holds across restarts.
            self._write()
            if self._unwritable:
                self._blind_until = self._now() + UNWRITABLE_WAIT

    def _relinked(self) -> None:
        """What was held against the old link is gone."""
        memory = self._memory
        self._final = ""
        memory.verdict = None
        memory.level = memory.restarts = 0
        memory.retried = False
        # Blocks are for the number: they outlast the link.
        if memory.kind != "blocked":
            memory.settle()

    def _identify(self, known: str) -> str:
        try:
            device = str(self._identity() or "")
            if not device:
                return UNLINKED
            return _hash(device)
        except (FileNotFoundError, NotADirectoryError):
            return UNLINKED
        except Exception:  # half-written, perhaps: still what it was
            return known or UNLINKED

    def _creds(self) -> str:
        text = (self._credentials / "creds.json").read_text(encoding="utf-8")
        creds = json.loads(text)
        me = (creds.get("me") or {}).get("id")
        if not creds.get("registered") and not me:
            return ""
        key = (creds.get("noiseKey") or {}).get("public")
        device = [key, creds.get("registrationId"), me]
        return json.dumps(device, separators=(",", ":"), ensure_ascii=False)

    def _file(self) -> Path:
        # Beside it: a re-link wipes the folder, and some hosts take any file
        # in it for a link.
        path = self._credentials
        return path.with_name(f"{path.name}-reconnect.json")

    def _recalled(self) -> _Memory:
        """Take in what the file holds; ours is newer, except for a reset."""
        stored = self._read()
        first = not self._loaded
        self._loaded = True
        memory = self._memory
        if stored is None:
            return memory
        if stored.pid != os.getpid():
            self._rival = stored.pid
        if first:
            self._memory = stored
            return stored
        memory.attempts = {**stored.attempts, **memory.attempts}
        if stored.cleared > memory.cleared:
            memory.cleared = stored.cleared
            memory.verdict = None
            self._final = ""
            memory.settle()
        return memory

    def _read(self) -> _Memory | None:
        now = self._now()
        try:
            text = self._file().read_text(encoding="utf-8")
            if text == self._text:
                return None
            memory = _Memory.loads(text, time.time() - now, now)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception:  # whatever is in it, it must not stop the bot
            memory = _Memory(code="corrupt", level=CORRUPT_LEVEL)
            memory.wait = memory.delay(now)
            memory.not_before = now + memory.wait
            return memory
        if memory.code == "405" and memory.client != self._client:
            memory.settle()
        return memory

    def _write(self) -> None:
        now = self._now()
        self._memory.prune(now)
        text = self._memory.dumps(time.time() - now)
        part = ""
        try:
            file = self._file()
            part = f"{file}.{os.getpid()}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(part, flags, 0o600), "wb") as stream:
                stream.write(text.encode())
            os.replace(part, file)
        except (FileNotFoundError, NotADirectoryError):
            pass  # no folder, no memory: nothing is linked yet
        except Exception as error:
            with contextlib.suppress(OSError):
                os.unlink(part)
            if not self._unwritable:
                self._unwritable = True
                line = f"WhatsApp: cannot write {self._file()} ({error})"
                self._say("error", f"{line}: a restart forgets the limits")
        else:
            self._text = text
            self._unwritable = False

    def _announce(self, code: str, left: float) -> None:
        now = self._now()
        nth = len(self._memory.recent(now)) + 1
        clock = "%H:%M:%S" if left < 12 * 3600 else "%b %d %H:%M:%S"
        at = time.strftime(clock, time.localtime(time.time() + left))
        seconds = math.ceil(left)
        wait = f"attempt {nth} of this hour in {seconds} s, at {at}"
        line = f"WhatsApp: {self._reason(code)}; {wait}. {self._kept()}"
        advice = ADVICE.get(code, "")
        if self._memory.down(now) and not self._told_down:
            self._told_down = True
            self._say("error", f"{line} {DOWN_ADVICE}")
        else:
            self._say("warning", f"{line} {advice}".rstrip())

    def _kept(self) -> str:
        return f"Kept in {self._file()}; skillgen reset clears it."

    def _reason(self, code: str) -> str:
        meaning = MEANINGS.get(code, "unknown code")
        local = code == "440" and _alive(self._rival)
        who = f", here: process {self._rival}" if local else ""
        detail = self._detail if code == self._memory.code else ""
        return f"{code} ({meaning}{who}{detail})"


def _alive(pid: int) -> bool:
    if pid <= 0 or os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _later(seconds: float, run: Callable[[], object]) -> _Timer:
    """On the running loop, or in a thread that keeps no process alive."""
    try:
        return asyncio.get_running_loop().call_later(seconds, run)
    except RuntimeError:
        timer = threading.Timer(seconds, run)
        timer.daemon = True
        timer.start()
        return timer


# skillgen: full profile ends
# skillgen: neonize begins
# How whatsmeow numbers the reasons of LoggedOut and ConnectFailure, in Go.
_REASONS = {
    1: "400",
    2: "401",
    3: "402",
    4: "403",
    5: "406",
    6: "405",
    7: "409",
    8: "500",
    9: "501",
    10: "503",
}
_HEARD = (
    "Connected",
    "LoggedOut",
    "ConnectFailure",
    "Disconnected",
    "KeepAliveTimeout",
)
_ENDS = {
    "StreamReplaced": "440",
    "TemporaryBan": "402",
    "ClientOutdated": "405",
}


# Of the messages of a connect() that could not reach WhatsApp.
_UNREACHED = ("failed to dial", "handshake failed")
# Keepalives missed in a row; whatsmeow itself dials after some more of them.
_MISSED = 4


class _Session(Reconnect):
    """The default finds no creds.json here: the device is in a database."""

    # Something connects again once the client has been stopped.
    redials = False
    # The link was lost or not reached: it is to be connected again.
    dropped = False
    # WhatsApp has ended the session, and why.
    ended = False
    end = ""

    def start(self) -> None:
        if self._stopped:
            self.ended = False
        super().start()

    def keep(self) -> None:
        self.redials = True
        # One less: whatsmeow dials once more before it can be stopped.
        self._budget = BUDGET - 1

    def lost(self, dialled: bool) -> None:
        """The link is down; whether whatsmeow has dialled again by itself."""
        with self._lock:
            if self._state == "idle":
                return
            self.dropped = True
            if dialled:
                key = f"{self._token}-{self._attempt}-again"
                self._recalled().attempts[key] = self._now()
            self.closed("428")

    def unreached(self, error: Exception) -> bool:
        """Whether a connect() failed because WhatsApp could not be reached."""
        if not any(words in str(error) for words in _UNREACHED):
            return False
        self.dropped = True
        self.closed("dial", error=error)
        return True

    @property
    def connecting(self) -> bool:
        """Whether an attempt runs, or its link is up."""
        return self._state != "idle"

    def over(self, code: str) -> None:
        self.ended, self.end = True, self._reason(code)
        if self.redials and not self.terminal:
            advice = ADVICE.get(code, "")
            line = f"WhatsApp: {self.end}. The client is stopped."
            self._say("error", f"{line} {advice}".rstrip())

    def _grant(self) -> int:
        self.dropped = False
        return super()._grant()

    def _write(self) -> None:
        # None yet, nothing linked: no file beside it, as in tests.
        if self._credentials.exists():
            super()._write()

    def _creds(self) -> str:
        return _device(self._credentials)


_SESSIONS: dict[str, _Session] = {}
# Go calls the callbacks of a client that was stopped for a while still, and
# neonize frees them with the client, or when it connects again: a crash. And
# what it frees with a client stops the next one of the same name.
_HELD: list[Any] = []
# Held until they are done: the event loop holds tasks only weakly.
_STOPPING: set[asyncio.Future[Any]] = set()


def session_of(database: object, logger: Logger | None = None) -> _Session:
    """The gate of the client that keeps its device in ``database``."""
    name = str(database)
    if name not in _SESSIONS:
        _SESSIONS[name] = _Session(name, logger=logger)
    return _SESSIONS[name]


def heard(client: Any, event: Any) -> bool:
    """An event of neonize; one that ends the attempts of the client ends it.

    False: the bot must not make another one.
    """
    session = _SESSIONS.get(_name(client))
    if session is None:
        return True
    kind = type(event).__name__.removesuffix("Ev")
    code = ""
    if kind == "Connected":
        session.opened()
    elif kind in ("LoggedOut", "ConnectFailure"):
        code = _REASONS.get(getattr(event, "Reason", 0), "")
        if kind == "LoggedOut" and _kind(code) != "auth":
            code = "401"
        session.closed(code)
    elif kind == "StreamError":
        session.closed(getattr(event, "Code", ""))
    elif kind in _ENDS:
        code = _ENDS[kind]
        left = float(getattr(event, "Expire", 0) or 0)
        session.closed(code, expire=left)
    if kind in ("ConnectFailure", "LoggedOut", *_ENDS):
        session.over(code or "closed")
        _stop(client)
    misses = getattr(event, "ErrorCount", 0)
    missed = kind == "KeepAliveTimeout" and misses >= _MISSED
    if session.redials and (missed or kind == "Disconnected"):
        # whatsmeow would dial again at once, and each time after that.
        session.lost(dialled=not missed)
        _stop(client)
    # Else whatsmeow dials again by itself, in this client.
    again = kind != "Disconnected" and not session.redials
    return again and not session.terminal


def dial_sync(client: Any, *settings: Any) -> None:
    """connect(), and again until the client is stopped or its session over."""
    session = _kept(client)
    if session is None:
        client.connect(*settings)
        return
    while not session.ended and session.turn_sync():
        _hold(client)
        try:
            client.connect(*settings)
        except Exception as error:
            if not session.unreached(error):
                raise
        if not session.dropped:
            return


async def dial(
    client: Any,
    *settings: Any,
    through: Callable[[], Any] | None = None,
) -> Any:
    """connect(), or the bot's own way to it, once it may; then serve()."""
    session = _kept(client)
    if session is None or (not session.ended and await session.turn()):
        _hold(client)
        return await (through() if through else client.connect(*settings))
    return None


async def serve(
    client: Any,
    *settings: Any,
    through: Callable[[], Any] | None = None,
) -> None:
    """idle(), and connect() again, until the client's session is over."""
    session = _SESSIONS.get(_name(client))
    if session is None:
        await client.idle()
        return
    while session.dropped or session.connecting:
        try:
            await client.idle()
        except Exception as error:
            if not session.unreached(error):
                raise
        if not session.dropped or not await session.turn():
            return
        _hold(client)
        await (through() if through else client.connect(*settings))


def next_turn_sync(client: Any) -> bool:
    """For a loop around connect(): waits; False once the loop is to end.

    client: its database, where the loop makes the client.
    """
    session = _kept(client, start=False)
    if session is None:
        return True
    _hold(client)
    return not session.ended and bool(session.turn_sync())


async def next_turn(client: Any) -> bool:
    """next_turn_sync() for asyncio."""
    session = _kept(client, start=False)
    if session is None:
        return True
    _hold(client)
    return not session.ended and bool(await session.turn())


def ready(client: Any) -> None:
    """Before such a loop: attempts are allowed again after a hang_up()."""
    _kept(client)


def disconnected(client: Any) -> bool:
    """Whether the last attempt of a client has come to its end."""
    session = _SESSIONS.get(_name(client))
    return session is not None and not session.connecting


def end_of(client: Any) -> str:
    """Why WhatsApp has ended the session, if it has."""
    session = _SESSIONS.get(_name(client))
    return session.end if session is not None else ""


def hang_up(client: Any) -> None:
    """The bot stops its client: no further attempt, until it dials again."""
    session = _SESSIONS.get(_name(client))
    if session is not None:
        session.stop()


def _hold(client: Any) -> None:
    held = getattr(client, "_connect_refs", None)
    if held is not None:
        _HELD.append(held)


def _name(client: Any) -> str:
    """A client's database; tests have clients without one."""
    if not isinstance(client, (str, os.PathLike)):
        client = getattr(client, "name", "")
    return str(client)


def _kept(client: Any, start: bool = True) -> _Session | None:
    name = _name(client)
    if not name:
        return None
    session = session_of(name)
    session.keep()
    if start:
        session.start()
    return session


def _stop(client: Any) -> None:
    """Ends a client: its connect() would go on for ever, beside the next."""
    stop = getattr(client, "stop", None)
    stopping = stop() if stop else None
    if inspect.isawaitable(stopping):
        task = asyncio.ensure_future(stopping)
        _STOPPING.add(task)
        task.add_done_callback(_STOPPING.discard)


def hear(client: Any) -> None:
    """Handlers for what the bot has none for."""
    _HELD.append(client)
    try:
        events = importlib.import_module("neonize.events")
    except ImportError:
        return

    def on_event(current: Any, event: Any) -> None:
        heard(current, event)

    async def on_event_async(current: Any, event: Any) -> None:
        heard(current, event)

    waits = inspect.iscoroutinefunction(getattr(client, "connect", None))
    handler = on_event_async if waits else on_event
    for name in (*_HEARD, *_ENDS):
        kind = getattr(events, f"{name}Ev", None)
        if kind is not None:
            client.event(kind)(handler)


def _device(file: Path) -> str:
    """The linked device in a database of whatsmeow; "" if there is none."""
    if not file.is_file():
        return ""
    address = f"{file.absolute().as_uri()}?mode=ro"
    query = "SELECT jid, registration_id FROM whatsmeow_device ORDER BY jid"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        try:
            rows = connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return ""
            raise
    return json.dumps(rows) if rows else ""


# skillgen: neonize ends
