"""Account: every attempt is counted in a file first, over restarts too."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from add.channel.python.gate import Gate
from add.channel.python.memory import (
    hashed,
    merge,
    place_of,
    read,
    tidy,
    write,
)
from add.channel.python.policy import (
    AUTH,
    BUDGET,
    BUDGET_WINDOW,
    EXPIRY_CAP,
    MEANINGS,
    PROBE_AFTER,
    RECHECK,
    RESET,
    UNFLUSHED,
    UNLINKED,
    UNWRITABLE_WAIT,
    Memory,
    Verdict,
    kind_of,
)


class Timer(Protocol):
    def cancel(self) -> object: ...


class Account(Gate):
    """The gate of an account of WhatsApp; ``_device`` says who is linked."""

    _budget = BUDGET
    # False: this process cannot pair.
    _pairing = True

    def __init__(
        self,
        credentials: str | os.PathLike[str],
        logger: Any = None,
    ) -> None:
        super().__init__(logger)
        self._lock = threading.RLock()
        self._credentials = os.fspath(credentials)
        self._token = uuid.uuid4().hex[:8]
        self._memory = Memory()
        self._file: Path | None = None
        self._recalled = False
        self._linked = UNLINKED  # with which device the attempt began
        self._final = ""
        self._detail = ""
        self._unwritable_at = 0.0
        self._timer: Timer | None = None

    def _device(self) -> str:
        """The linked device in the credentials; "" if there is none."""
        raise NotImplementedError

    def _now(self) -> float:
        # To the ms, as in the file: two memories are compared by time.
        return round(super()._now(), 3)

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
            self._drop("open")
            self._recall()
            memory = self._memory
            memory.opened_at = memory.decided_at = self._now()
            memory.down_since = 0.0
            memory.hits = 0
            memory.verdict = None
            self._save()
            # An open proves nothing, only one that lasts (baileys-api 309).
            number = self._attempt
            self._timer = later(RESET, lambda: self._lasted(number))
            return True

    def closed(
        self,
        code: int | str | None = None,
        attempt: int | None = None,
        *,
        error: object = None,
        expire: float = 0.0,
    ) -> bool:
        """How an attempt ended: a status code, or a word for it.

        Words: dial (it failed before WhatsApp answered), logout (the bot's
        own), deadline. expire: the seconds that a block (402) names.
        """
        with self._lock:
            if not self._live(attempt):
                return False
            self._finish(str(code or "closed"), str(error or ""), expire)
            return True

    def start(self) -> None:
        """After a stop(): attempts are allowed again."""
        with self._lock:
            if self._stopped:
                self._stopped, self._final = False, ""

    def stop(self) -> None:
        """No attempt until start(); a wait ends now. From any thread."""
        with self._lock:
            if self._stopped:
                return
            if self._waiting.locked() or self._state == "open":
                # Whoever restarts a bot by hand expects it to try at once.
                self._recall()
                if kind_of(self._memory.code) != "hold":
                    self._memory.not_before = 0.0
                    self._memory.decided_at = self._now()
                self._save()
            self._drop()
            self._stopped = True
            self._awake()

    def _live(self, attempt: int | None) -> bool:
        known = attempt is None or attempt == self._attempt
        return known and self._state != "idle"

    def _drop(self, state: str = "idle") -> None:
        self._cancel()
        self._state = state

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _left(self) -> float | None:
        with self._lock:
            if self._stopped:
                return None
            self._recall()
            verdict = self._verdict()
            if verdict:
                self._stop_for(verdict)
                return None
            until, code = self._bound()
            left = until - self._now()
            if left < 0.001:
                return 0.0
            # Another process may make it a longer one, for another reason.
            if code != self._announced:
                self._announced = code
                self._announce(code, left)
            # A reset, and what other processes do, is seen on the way.
            return min(left, RECHECK)

    def _grant(self) -> int:
        with self._lock:
            number = super()._grant()
            self._cancel()
            self._final = ""
            self._linked = self._memory.identity
            self._memory.begin(f"{self._token}-{number}", self._now())
            self._save()
            return number

    def _lasted(self, attempt: int) -> None:
        with self._lock:
            if self._live(attempt) and self._state == "open":
                self._recall()
                memory = self._memory
                # Another process may have been given a hold meanwhile: it stays.
                until = memory.not_before
                memory.settle()
                memory.not_before = until
                memory.decided_at = self._now()
                self._save()

    def _finish(self, code: str, error: str, expire: float) -> None:
        """The one outcome of an attempt."""
        verdict = self._verdict_on(code)
        if verdict and self._is_relinked():
            # It is about a link that the next attempt no longer has.
            verdict, code = "", "closed"
        was_open = self._state == "open"
        self._drop()
        if verdict:
            self._stop_for(verdict)
            return
        self._recall()
        memory = self._memory
        until, held_for = memory.not_before, memory.held(self._now())
        memory.code = code
        memory.hits = memory.hits + 1 if code == "deadline" else 0
        if code == "401":
            # The one retry right after pairing is spent.
            memory.restart_at = 0.0
        expiry = min(max(0.0, expire), EXPIRY_CAP)
        memory.conclude(self._now(), was_open, expiry)
        if held_for and until >= memory.not_before:
            # Another process was told to wait longer than that.
            memory.code, memory.not_before = held_for, until
        # An address may hold a password.
        line = re.sub(r"//\S*@", "//", error.partition("\n")[0])
        self._detail = line[:100]
        self._save()

    def _verdict_on(self, code: str) -> str:
        """Why nothing may follow this outcome, if so."""
        memory = self._memory
        # Right after pairing, the credentials may not have been saved yet:
        # evolution-api issue 2498.
        if code == "401" and self._now() - memory.restart_at < UNFLUSHED:
            return ""
        if code in AUTH:
            return code
        # A probe that brought no open changes nothing.
        held = memory.verdict if kind_of(code) != "restart" else None
        return held.code if held else ""

    def _stop_for(self, code: str) -> None:
        """No further attempt: logged once, remembered while the link is."""
        if self._final:
            return
        self._recall()
        self._final = code
        memory = self._memory
        is_kept = memory.identity != UNLINKED or not self._pairing
        if is_kept and code not in ("logout", "unpaired"):
            known = Verdict(code, memory.identity, self._now())
            memory.verdict = memory.verdict or known
        self._save()
        line = f"WhatsApp: {self.reason}. No further attempt."
        kept = f" Kept in {self._file}; no reset is needed."
        self._say("error", line + kept if memory.verdict else line)

    def _verdict(self) -> str:
        """What forbids an attempt now; once a day it is looked at again."""
        verdict = self._memory.verdict
        if not verdict:
            return self._final
        is_due = self._now() - verdict.at >= PROBE_AFTER
        is_due = is_due and verdict.code != UNLINKED
        again = is_due or kind_of(self._memory.code) == "restart"
        return "" if again else verdict.code

    def _bound(self) -> tuple[float, str]:
        """Until when the next attempt has to wait, and for what."""
        memory = self._memory
        bounds = [(memory.not_before, memory.code)]
        if self._unwritable_at and not self._attempt:
            until = self._unwritable_at + UNWRITABLE_WAIT
            bounds.append((until, "unwritable"))
        stamps = memory.recent(self._now())
        if len(stamps) >= self._budget:
            bounds.append((stamps[-self._budget] + BUDGET_WINDOW, "budget"))
        return max(bounds)

    def _recall(self) -> None:
        """Read what this and other processes know, and who the bot is."""
        now = self._now()
        is_first = not self._recalled
        self._recalled = True
        if is_first:
            with contextlib.suppress(OSError):
                self._file = place_of(self._credentials)
        before = memory = self._memory
        stored = read(self._file, now) if self._file else None
        # One that cannot be read later on is written anew.
        if stored and is_first:
            memory = self._memory = stored
        elif stored and stored.code != "corrupt":
            memory = self._memory = merge(before, stored, now)
        identity = self._identify() or memory.identity or UNLINKED
        # Gone is not changed, unless this bot pairs in its own process.
        is_gone = identity == UNLINKED and not self._pairing
        is_other = memory.identity not in ("", identity) and not is_gone
        if is_other:
            self._relinked(now)
        was_reset = memory.cleared > before.cleared and not is_first
        if is_other or was_reset:
            self._final = ""
        if not is_gone or not memory.identity:
            memory.identity = identity
        verdict = memory.verdict
        if verdict and verdict.identity != identity and not is_gone:
            memory.verdict = None
        if is_first:
            # A trial: without a memory nothing holds across restarts.
            self._save()
            if self._file:
                tidy(self._file)

    def _relinked(self, now: float) -> None:
        """What was held against the old link is gone."""
        memory = self._memory
        # A block is for the number: it stays.
        if kind_of(memory.code) == "hold" and memory.code != "440":
            memory.level = 0
        else:
            memory.settle()
        memory.decided_at = now

    def _is_relinked(self) -> bool:
        """Whether the bot has been linked anew since the attempt began."""
        old = self._linked
        return old != UNLINKED and self._identify() not in ("", old, UNLINKED)

    def _identify(self) -> str:
        """A hash of the device, UNLINKED, or "" where it cannot be told."""
        try:
            device = self._device()
        except (FileNotFoundError, NotADirectoryError):
            return UNLINKED
        except Exception:  # half-written, perhaps
            return ""
        return hashed(device) if device else UNLINKED

    def _save(self) -> None:
        try:
            if self._file:
                write(self._file, self._memory)
            self._unwritable_at = 0.0
        except (FileNotFoundError, NotADirectoryError):
            pass  # no folder, no memory: nothing is linked yet
        except Exception as error:
            if not self._unwritable_at:
                self._unwritable_at = self._now()
                why = getattr(error, "strerror", None) or type(error).__name__
                line = f"WhatsApp: cannot write {self._file} ({why})"
                self._say("error", f"{line}: a restart forgets the limits")

    def _announce(self, code: str, left: float) -> None:
        now = self._now()
        nth = len(self._memory.recent(now)) + 1
        then = time.localtime(time.time() + left)
        at = time.strftime("%b %d %Y %H:%M:%S", then)
        wait = f"attempt {nth} of this hour in {math.ceil(left)} s, at {at}"
        line = f"WhatsApp: {self._reason(code)}; {wait}. {self._kept()}"
        if self._memory.is_down(now):
            self._say("error", f"{line} No link for a day: look at the phone.")
        else:
            self._say("warning", line)

    def _kept(self) -> str:
        file = self._file or "no file"
        return f"Kept in {file}; skillgen reset clears it."

    def _reason(self, code: str) -> str:
        """A code and its meaning, in words for a person."""
        detail = self._detail if code == self._memory.code else ""
        known = MEANINGS.get(code, detail)
        pid = self._memory.pid
        if code == "440" and pid != os.getpid():
            known += f", last used here by process {pid}"
        return f"{code} ({known})" if known else code


def later(seconds: float, run: Callable[[], object]) -> Timer:
    """On the running loop, or in a thread that keeps no process alive."""
    try:
        return asyncio.get_running_loop().call_later(seconds, run)
    except RuntimeError:
        timer = threading.Timer(seconds, run)
        timer.daemon = True
        timer.start()
        return timer
