"""The effect of an edit on the bot, as a value: codemods read these, never each other's bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from skill.edit import Edit, Effect, Range

E = TypeVar("E", bound=Effect)


@dataclass(frozen=True, slots=True)
class EndsProcess(Effect):
    """The process ends once WhatsApp has ended the session.

    statuses: where in the edit's text the exit status stands as a number.
    """

    statuses: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True)
class AsksTerminal(Effect):
    """The close branch asks ``GATE.terminal`` whether WhatsApp has ended the session."""

    gate: str


@dataclass(frozen=True, slots=True)
class AsksForOthers(Effect):
    """The channel asks its host whether other channels live in the same process."""


@dataclass(frozen=True, slots=True)
class RestartsOnFailureOnly(Effect):
    """A unit no longer starts the bot after an exit with status 0."""


@dataclass(frozen=True, slots=True)
class RestartPause(Effect):
    """A unit waits longer before it starts the bot again."""


def effects(edit: Edit, kind: type[E]) -> list[E]:
    return [effect for effect in edit.effects if isinstance(effect, kind)]


def has_effect(edit: Edit, kind: type[Effect]) -> bool:
    return bool(effects(edit, kind))


def with_status(edit: Edit, status: int) -> Edit:
    """The same edit with another exit status wherever it ends the process."""
    text = edit.text
    for effect in effects(edit, EndsProcess):
        for start, end in reversed(effect.statuses):
            text = text[:start] + b"%d" % status + text[end:]
    return replace(edit, text=text)
