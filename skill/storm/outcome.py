"""What a channel did in one scenario, whichever engine ran it, and the promises it broke."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from math import inf, isfinite
from typing import Any, Self

from skill.storm.scenarios import (
    AFTER_TRANSIENT,
    DAY,
    HOUR,
    MOST_IN_A_DAY,
    MOST_IN_AN_HOUR,
    Scenario,
)


class StormError(Exception):
    """The host could not be run; the text says why."""


# So long, in seconds, may a channel hold up the start of the others (hosts.md: 30 s).
LONGEST_START = 30.0

# What a runner says of a scenario. It runs beside the bot's code, so nothing of it is believed.
_TIMES, _TEXTS = "times", "texts"
_SHAPE: dict[str, object] = {
    "attempts_at": _TIMES,
    "runs_at": _TIMES,
    "starts_at": _TIMES,
    "exits": "exits",
    "first_up_s": (float, int, None),
    "settled_s": (float, int, None),
    "ready_s": (float, int, None),
    "ended_s": (float, int, None),
    "real_s": (float, int),
    "settled_ok": (bool, None),
    "up_at_end": (bool,),
    "more": (bool,),
    "saves": (int,),
    "not_run": (str,),
    "cannot": (str,),
    "faults": "faults",
    "notes": _TEXTS,
    "log": "log",
}
_FAULT = {"kind": (str,), "text": (str,), "count": (int,), "first_s": (float, int), "where": (str,)}
MOST_TEXT = 2_000


def checked(raw: object, fields: Sequence[str]) -> dict[str, Any]:
    """Those fields of a runner's answer, each of its kind; long texts cut. Raises ValueError."""
    if not isinstance(raw, dict):
        raise ValueError("no object")
    return {name: _value(raw.get(name), _SHAPE[name], name) for name in fields}


def _text(text: str, name: str) -> str:
    """Printable, and one line but where several are meant: a bot forges no line of a report."""
    whole = text[:MOST_TEXT].encode("utf-8", "replace").decode("utf-8")
    return whole if name in ("where", "log") else " ".join(whole.split())


def _value(value: Any, shape: object, name: str) -> Any:
    if isinstance(shape, tuple):
        if type(value) not in [type(None) if kind is None else kind for kind in shape]:
            raise ValueError(name)
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(name)
        return _text(value, name) if isinstance(value, str) else value
    if not isinstance(value, list):
        raise ValueError(name)
    if shape == _TIMES:
        times = [_value(at, (float, int), name) for at in value]
        if any(later < sooner for sooner, later in pairwise(times)):
            raise ValueError(name)
        return times
    if shape == _TEXTS:
        return [_value(text, (str,), name) for text in value]
    if shape == "faults":
        for fault in value:
            if not isinstance(fault, dict) or set(fault) != set(_FAULT):
                raise ValueError(name)
        return [{key: _value(one[key], _FAULT[key], key) for key in _FAULT} for one in value]
    kinds: dict[object, tuple[object, ...]] = {
        "exits": ((float, int), (int, float, str, None)),
        "log": ((float, int), (str,), (str,)),
    }
    found = []
    for row in value:
        if not isinstance(row, list) or len(row) != len(kinds[shape]):
            raise ValueError(name)
        found.append([_value(one, kind, name) for one, kind in zip(row, kinds[shape], strict=True)])
    return found


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the host: ``uncaughtException``, ``unhandledRejection`` or
    ``undefined-socket`` (a socket used before there was one, even if caught and logged)."""

    kind: str
    text: str
    count: int
    first_s: float
    where: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a host did in one scenario. Times are virtual seconds from its first start.

    attempts: dials (makeWASocket) in the first 24 h. runs: how often the connect function
    loaded its credentials in that time; it counts attempts that fail before the dial.
    busiest_hour counts either. starts and exits (by code or signal): in that time too.
    next_s: from the fault's end to the next attempt, 0 when a link is up by then or the
    fault never ends before the horizon; None: none came. settled_s: when connect() or
    setup() first settled. ready_s: when it had resolved and the link was open.
    """

    scenario: Scenario
    attempts: int
    busiest_hour: int
    runs: int
    starts: int
    exits: dict[str, int]
    next_s: float | None
    first_up_s: float | None
    up_at_end: bool
    settled_s: float | None
    settled_ok: bool | None
    ready_s: float | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    attempts_at: tuple[float, ...]
    starts_at: tuple[float, ...]
    exits_at: tuple[tuple[float, int | str], ...]
    log: tuple[tuple[float, str, str], ...]
    real_s: float
    not_run: str = ""
    """Why the scenario could not be run to its end; then only the attempts count, as the least."""
    runs_at: tuple[float, ...] = ()
    more: bool = False
    """It was cut short: its attempts broke the bound a hundredfold, or its restarts went on."""
    saves: int = 0
    """How often it saved its credentials, where that is known: by Baileys' own saveCreds()."""

    @classmethod
    def of(cls, scenario: Scenario, raw: Mapping[str, Any], **own: object) -> Self:
        """What a runner has seen; ``own``: fields of a subclass. Raises KeyError."""
        attempts_at, runs_at = tuple(raw["attempts_at"]), tuple(raw["runs_at"])
        exits = Counter(str(code) for at, code in raw["exits"] if at < DAY)
        next_s: float | None = 0.0
        ends = scenario.fault_ends_s
        if ends < inf:
            later = (at - ends for at in attempts_at if at >= ends)
            # A link that flapped and was open at the fault's end stays so: no attempt needed.
            next_s = next(later, 0.0 if raw["up_at_end"] else None)
        return cls(
            scenario=scenario,
            attempts=sum(at < DAY for at in attempts_at),
            busiest_hour=max(busiest_hour(attempts_at), busiest_hour(runs_at)),
            runs=sum(at < DAY for at in runs_at),
            starts=sum(at < DAY for at in raw["starts_at"]),
            exits=dict(exits),
            next_s=next_s,
            first_up_s=raw["first_up_s"],
            up_at_end=raw["up_at_end"],
            settled_s=raw["settled_s"],
            settled_ok=raw["settled_ok"],
            ready_s=raw["ready_s"],
            faults=tuple(Fault(**fault) for fault in raw["faults"]),
            notes=tuple(raw["notes"]),
            attempts_at=attempts_at,
            starts_at=tuple(raw["starts_at"]),
            exits_at=tuple((at, code) for at, code in raw["exits"]),
            log=tuple((at, level, text) for at, level, text in raw["log"]),
            real_s=raw["real_s"],
            not_run=raw["not_run"],
            runs_at=runs_at,
            more=raw.get("more", False),
            saves=raw.get("saves", 0),
            **own,
        )

    @classmethod
    def missing(cls, scenario: Scenario, reason: str) -> Self:
        """A scenario that was not run."""
        return cls(
            scenario, 0, 0, 0, 0, {}, None, None, False, None, None, None, (), (), (), (), (), (),
            0.0, reason,
        )  # fmt: skip

    def _beyond(self, day: int, hour: int) -> list[str]:
        """More attempts than that, a line each; also of a run that was cut short."""
        found = []
        tries = max(self.attempts, self.runs)
        if tries > day:
            found.append(f"{tries} attempts in 24 h, at most {day} promised")
        if self.busiest_hour > hour:
            found.append(f"{self.busiest_hour} attempts in an hour, at most {hour} promised")
        return found

    def dials_only(self) -> Self:
        """The same, counting dials alone as attempts, and not loads of credentials.

        A held bot that was logged out may go round its loop as often as it likes: no dial follows.
        """
        hour = busiest_hour(self.attempts_at)
        return replace(self, busiest_hour=hour, runs=0, runs_at=())

    @property
    def is_dead(self) -> bool:
        """Whether it never reconnects, although the fault ended and it should have come back."""
        is_whole = not self.not_run and not self.more
        return is_whole and self.scenario.bound.next_s is not None and self.next_s is None

    @property
    def undefined_socket(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.kind == "undefined-socket")

    def broken(self) -> list[str]:
        """The promises of the scenario's bound that this outcome breaks, a line each."""
        bound = self.scenario.bound
        found = self._beyond(bound.day, bound.hour)
        if self.not_run or self.more:
            return found
        if bound.next_s is not None:
            if self.next_s is None:
                found.append("no attempt after the fault's end")
            elif self.next_s > bound.next_s:
                found.append(
                    f"next attempt {self.next_s:.0f} s after the fault's end,"
                    f" within {bound.next_s:.0f} s promised"
                )
        if bound.first_s is not None and not any(at <= bound.first_s for at in self.attempts_at):
            found.append("the first attempt is delayed")
        if bound.quiet is not None:
            begin, end = bound.quiet
            late = sum(begin <= at < end for at in self.attempts_at)
            if late:
                found.append(f"{late} attempts after second {begin:.0f}, none promised")
        if bound.clean and set(self.exits) - {"0", "SIGTERM"}:
            found.append(f"ends with {', '.join(self.exits)}, status 0 promised")
        if bound.ready and self.ready_s is None:
            found.append("the host never becomes ready")
        if bound.ready and not self.up_at_end:
            found.append("the link is down at the end")
        found.extend(
            f"{fault.kind} at second {fault.first_s:.1f}: {fault.text}" for fault in self.faults
        )
        return found

    def broken_when_held(self, before: Outcome | None) -> list[str]:
        """What a held bot fails to keep, a line each: the pace, and what it did before.

        before: the same scenario unpatched, or None where it was not run. A held bot's own
        code decides what follows a close, so its exits and whether it comes back are compared,
        not promised. What it keeps in a store of its own is unknown: it is paced, no more.
        """
        bound = self.scenario.bound
        own = before.busiest_hour if before and not before.not_run else MOST_IN_AN_HOUR
        hour = max(bound.hour, min(own, MOST_IN_AN_HOUR))
        found = self._beyond(max(bound.day, MOST_IN_A_DAY), hour)
        if self.not_run or self.more:
            return found
        if bound.first_s is not None and not any(at <= bound.first_s for at in self.attempts_at):
            found.append("the first attempt is delayed")
        return found + self.comes_back_less(before)

    def comes_back_less(self, before: Outcome | None) -> list[str]:
        """Where the bot came back unpatched, and does not or later, or fails anew; a line each."""
        if before is None or before.not_run or self.not_run or self.more:
            return []
        found: list[str] = []
        bound = self.scenario.bound
        # One that was cut short dials without end, so it comes back as soon as it can.
        if before.more or before.next_s is not None:
            own_next = 0.0 if before.more else before.next_s or 0.0
            latest = max(own_next, bound.next_s or 0, AFTER_TRANSIENT)
            if self.next_s is None:
                found.append("no attempt after the fault's end, and unpatched there is one")
            elif self.next_s > latest:
                found.append(
                    f"next attempt {self.next_s:.0f} s after the fault's end,"
                    f" within {latest:.0f} s promised"
                )
        if bound.ready and (before.more or before.up_at_end) and not self.up_at_end:
            found.append("the link is down at the end, and unpatched it is up")
        known = {fault.kind for fault in before.faults}
        found.extend(
            f"{fault.kind} at second {fault.first_s:.1f}: {fault.text}"
            for fault in self.faults
            if fault.kind not in known
        )
        return found

    def worse_than(self, before: Outcome | None) -> list[str]:
        """What the bot did unpatched in the same scenario and does no more, a line each.

        before: None where it was not run.
        """
        if before is None or before.not_run or self.not_run or before.more or self.more:
            return []
        found = []
        if before.first_up_s is not None and self.first_up_s is None:
            found.append("the link never opens, and unpatched it does")
        if self.scenario.is_well:
            if before.ready_s is not None and self.ready_s is None:
                found.append("the host never becomes ready, and unpatched it does")
            if before.saves and not self.saves:
                found.append("the credentials are not saved, and unpatched they are")
            if self.attempts > before.attempts:
                found.append(f"{self.attempts} attempts, {before.attempts} unpatched")
            if self.exits != before.exits:
                ends = ", ".join(self.exits) or "no exit"
                found.append(f"{ends}; unpatched {', '.join(before.exits) or 'no exit'}")
        return found

    def holds_up_others(self) -> list[str]:
        """Whether a channel that is one among others kept them waiting, as a line.

        A connect function that throws is left out: a host that awaits it needs what it makes.
        """
        waited = self.settled_s
        if any(phase.does.kind == "throw" for phase in self.scenario.phases):
            return []
        if self.not_run or self.more or waited is None or waited <= LONGEST_START:
            return []
        return [f"the host's other channels wait {waited:.0f} s for this one"]

    def as_json(self) -> dict[str, Any]:
        """Plain values, without each attempt, start and exit, and without the log."""
        whole = asdict(self)
        whole["scenario"] = self.scenario.id
        whole["broken"] = self.broken()
        whole["is_dead"] = self.is_dead
        for key in ("attempts_at", "runs_at", "starts_at", "exits_at", "log"):
            del whole[key]
        return whole


def busiest_hour(times: Sequence[float]) -> int:
    """The most of ``times`` (ascending, seconds) in any (t - 3600, t]."""
    most = first = 0
    for last, now in enumerate(times):
        # To the microsecond: what is an hour in milliseconds is not quite one in seconds.
        while times[first] <= now - HOUR + 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most


def fast_folder() -> str | None:
    """Where throw-away folders are quick: a host writes some files 72,000 times a day."""
    fast = "/dev/shm"
    return fast if os.path.isdir(fast) and os.access(fast, os.W_OK | os.X_OK) else None
