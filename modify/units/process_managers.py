"""Programs that other supervisors than systemd and launchd keep running.

A service of a compose file, a loop of a shell script, an app of pm2, a program of
supervisord: each kind has a module with ``read(text, project)``; its rules are those of
``modify.rules`` that detect something in that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from modify.rules import Sight, sights_of
from modify.units.bot_project import BotProject
from modify.units.managers import manager_of
from modify.units.model import UnitText
from modify.units.started import Started
from modify.units.supervisor import Supervisor
from skill.edit import Patch
from skill.errors import SkillgenError
from skill.finding import Finding, Note
from skill.options import Options


class Supervised(Protocol):
    """text: where it stands. position: where its own part begins. remark: why it may stay."""

    @property
    def text(self) -> UnitText: ...
    @property
    def name(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def started(self) -> Started: ...
    @property
    def remark(self) -> str: ...


def examine(texts: Sequence[UnitText], project: BotProject, options: Options) -> Patch:
    patch = Patch()
    seen = [item for text in texts for item in read(text, project)]
    known = {item.text.kind for item in seen if item.started.is_host}
    for text in texts:
        here = [item for item in seen if item.text is text]
        faults = []
        for item in here:
            found = faults_of(item, options)
            if item.started.is_host:
                faults += found
                report(item, found, patch)
            elif found:
                left_alone(item, found, item.text.kind in known, patch)
        verify(text, project, faults, options)
        for fault in faults:
            if fault.finding not in patch.findings:
                patch.findings.append(fault.finding)
            if fault.edits:
                patch.add_edits(text.path, fault.edits)
    return patch


def of_host(texts: Sequence[UnitText], project: BotProject) -> list[UnitText]:
    """The texts that keep the bot itself running."""
    return [text for text in texts if any(item.started.is_host for item in read(text, project))]


def read(text: UnitText, project: BotProject) -> Sequence[Supervised]:
    reader: Callable[[UnitText, BotProject], Sequence[Supervised]] = manager_of(text.kind).read
    return reader(text, project)


def restarts(item: Supervised) -> Supervisor:
    """What the text says of restarting a program."""
    reader: Callable[[Supervised], Supervisor] = manager_of(item.text.kind).restarts
    return reader(item)


class Located(Protocol):
    @property
    def text(self) -> UnitText: ...


def faults_of(item: Located, options: Options) -> list[Sight]:
    """What the rules of its kind see in a unit or a program, but for the rules left out."""
    return [
        sight
        for sight in sights_of(item.text.kind, item, options)
        if options.wants_to_settle(sight.finding)
    ]


def verify(text: UnitText, project: BotProject, faults: list[Sight], options: Options) -> None:
    """Read the text again as it will be: nothing may be left that an edit was to settle."""
    edits = [edit for fault in faults for edit in fault.edits]
    if not edits:
        return
    for item in read(text.after(edits), project):
        left = [
            fault
            for fault in faults_of(item, options)
            if fault.edits and not options.accepts_any(text.path, fault.finding.rule)
        ]
        if left and item.started.is_host:
            where, rule = f"{text.path}:{left[0].finding.line}", left[0].finding.rule
            raise SkillgenError(
                f"{where}: the changed {item.name} still has {rule}; nothing was written, "
                f"please report it, and go on with --ignore {rule}"
            )


def report(item: Supervised, faults: list[Sight], patch: Patch) -> None:
    if not faults:
        kind = "left" if item.remark else "right"
        patch.notes.append(note(item, kind, item.remark or "restarts the bot as it should"))


def left_alone(item: Supervised, faults: list[Sight], known: bool, patch: Patch) -> None:
    """Add a note on a program that is not plainly the host; hand it off if it may be the bot."""
    started = item.started
    if started.kind == "side":
        message = f"{item.name} starts {started.what or 'something else'}, not the bot"
        patch.notes.append(note(item, "side-service", message))
    elif known or item.text.form == "document":
        message = f"cannot tell what {item.name} starts: {started.why}"
        patch.notes.append(note(item, "unknown-service", message))
    else:
        patch.findings += [unknown(fault.finding, started, "there") for fault in faults]


def unknown(finding: Finding, started: Started, where: str) -> Finding:
    """The finding as a hand-off, where nobody knows whether it is the bot that is started."""
    reason = f"cannot tell whether it starts the bot: {started.why}"
    accept = finding.accept or f"{finding.fix} {where}, if it is the bot's"
    return replace(finding, fix=None, reason=reason, accept=accept)


def note(item: Supervised, kind: str, message: str) -> Note:
    return Note(item.text.path, item.text.place(item.position)[0], kind, message)
