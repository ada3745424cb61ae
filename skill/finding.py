"""Findings in a host, and notes on what was left alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault at one place.

    path: relative to the host, POSIX. line, column: 1-based.
    rule: a rule id such as ``flat-retry``. message: what is wrong, in one sentence.
    fix: what ``apply`` does about it, or None when it is a hand-off; then
    ``reason`` says why there is no fix and ``accept`` what ``check`` will accept.
    contained: a hand-off in a file whose attempts are bounded all the same,
    because the gate and the eye are in place.
    """

    path: str
    line: int
    column: int
    rule: str
    message: str
    fix: str | None = None
    reason: str = ""
    accept: str = ""
    contained: bool = False

    @property
    def is_hand_off(self) -> bool:
        return self.fix is None


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A file that was looked at and left as it is, and why (``inspect -v`` and reports).

    kind: ``right`` (already sound), ``not-a-daemon`` (pairs once and exits),
    ``rewritten``, ``held``, ``guard`` (what becomes of a file that connects), ``left`` (what a
    held channel keeps of its own), ``bounded`` (asks until a deadline),
    ``gives-up`` (by the host's own count), ``side-service``, ``vendored``, ``ignored`` …
    """

    path: str
    line: int
    kind: str
    message: str
