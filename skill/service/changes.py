"""What is to be written for a service, and how that is done: all of it, or nothing.

Files of a host go through its transaction (``skill.guard.files``), others are whole each for
itself; what was written is taken back where a manager then refuses to read it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import files
from skill.guard.files import Wanted
from skill.guard.unit import Unit
from skill.service.tools import Tools

Command = tuple[str, ...]
LONG_PATIENCE = 100
"""Seconds for a restart: systemd gives a service 90 s to stop."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a manager. may_fail: it may have nothing to do; tries: one a second."""

    words: Command
    may_fail: bool = False
    tries: int = 1
    folder: str = "/"


@dataclass(frozen=True, slots=True)
class Restart:
    """How one service is started anew."""

    name: str
    steps: tuple[Step, ...]


@dataclass
class Changes:
    """The changes for one service.

    reload: what makes the manager read them; restart: what starts the service anew.
    remember: makes the records that ``--revert`` needs, before a file is written; forget: removes
    records, after.
    by_hand: the commands that come to the same, for a person with the rights.
    todo: what a person has to settle all the same; next: what follows.
    guards: each unit that will load the guard, and where it lies. unasked: why a manager
    cannot be told to read what is written, or nothing.
    """

    wanted: list[Wanted] = field(default_factory=list)
    reload: list[Step] = field(default_factory=list)
    restart: list[Restart] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    guards: list[tuple[Unit, Path]] = field(default_factory=list)
    remember: list[Callable[[], Wanted]] = field(default_factory=list)
    forget: list[Wanted] = field(default_factory=list)
    unasked: str = ""

    @property
    def changed(self) -> list[Wanted]:
        return [item for item in self.wanted if item.before != item.after]

    def add(self, other: Changes) -> None:
        for item in fields(self):
            own, more = getattr(self, item.name), getattr(other, item.name)
            if isinstance(own, list):
                own += [one for one in more if one not in own]
        self.unasked = self.unasked or other.unasked


def not_writable(paths: Iterable[Path]) -> Path | None:
    """The first folder that this user may not write to."""
    for path in paths:
        place = path.parent
        while not os.path.exists(place) and place != place.parent:
            place = place.parent
        if not os.access(place, os.W_OK | os.X_OK):
            return place
    return None


def carry_out(root: Path, tools: Tools, changes: Changes) -> None:
    """Write the files and have them read. Raises SkillgenError, with everything as it was."""
    changed = changes.changed
    done: list[Wanted] = []
    try:
        for make in changes.remember:
            files.write_alone(make())
        inside = [item for item in changed if files.is_inside(item.path, root)]
        if inside:
            files.in_host(root, inside)
            done += inside
        for item in changed:
            if item not in inside:
                files.write_alone(item)
                done.append(item)
        for step in changes.reload:
            take(tools, step)
        for item in changes.forget:
            files.write_alone(item)
    except BaseException:
        for item in reversed(done):
            before = Wanted(item.path, item.after, item.before, item.mode)
            files.write(root, [before])
        raise


def take(tools: Tools, step: Step) -> None:
    """Run a command of a manager. Raises SkillgenError where it fails and may not."""
    for again in range(step.tries):
        answer = tools.ask(*step.words, patience=LONG_PATIENCE, folder=step.folder)
        if answer.is_good or step.may_fail:
            return
        if again + 1 < step.tries:
            time.sleep(1)
    raise SkillgenError(f"{shown(step.words)}: {answer.reason}")


def shown(command: Command) -> str:
    """A command as a person types it."""
    return " ".join(quoted(word) for word in command)


def heredoc(path: Path, content: bytes, sudo: str) -> list[str]:
    """The lines of a shell that write this text there."""
    text = content.decode("utf-8", "surrogateescape")
    end = "EOF"
    while end in text:
        end += "_"
    return [
        f"{sudo}mkdir -p {quoted(path.parent)}",
        f"{sudo}tee {quoted(path)} >/dev/null <<'{end}'",
        *text.removesuffix("\n").split("\n"),
        end,
    ]
