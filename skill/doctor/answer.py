"""What a question of the doctor is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the report. next: the commands that mend it, in their order."""

    question: str
    state: State
    text: str
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be looked at, and why."""

    what: str
    why: str
