"""The outcome for every file that makes a socket and is not rewritten: held, or named.

A file that connects and cannot be held is a finding that names the guard; it is never silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from modify.baileys.hold.module_home import Home, homes
from modify.baileys.hold.wrapping import FIX, MESSAGE, RULE, Dials, dials_of, wrap
from modify.baileys.model.anchors import CLOSE, MOST, is_held, logic_of, registrations
from modify.baileys.model.channel import Channel
from modify.baileys.model.handed_on import taker_of_the_update
from modify.baileys.model.host_context import instance_name
from modify.baileys.search.cross_file import lenders
from modify.baileys.search.makers import Makers
from modify.baileys.search.names import MARK
from modify.kit.typescript.functions import named_functions
from modify.kit.typescript.source import (
    Source,
    callee_of,
    calls,
    column_of,
    enclosing_function,
    line_of,
    within,
)
from modify.rules import by_id
from skill.edit import Patch
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from modify.baileys.patching import Rewritten
    from modify.baileys.search.unpatched import Search

GUARD = "skillgen guard, which holds it from outside; or the call written as reconnect.socket(…)"


@dataclass
class Waiting:
    """A channel that is to be held. why: what kept it from being rewritten."""

    channel: Channel
    findings: list[Finding]
    why: str


@dataclass
class Outcomes:
    """The outcomes of the channels so far.

    kept: (path, function) whose dials stay as they are. lone: files with a listener whose
    socket was not found. noted: files of channels that are held already.
    crowded: files with too many listeners to tell apart.
    paced: a channel of the host has been rewritten before.
    """

    rewritten: list[Rewritten] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    kept: list[tuple[str, SgNode]] = field(default_factory=list)
    lone: list[Source] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)
    crowded: set[str] = field(default_factory=set)
    paced: bool = False

    def keep(self, host: Host, channel: Channel) -> None:
        """Leave a channel's dial: it is in its connect function, or in one that this calls.

        A factory that makes the sockets of other files, too, is not left alone for one of them.
        """
        path, maker = channel.source.path, channel.maker.rpartition(".")[2]
        self.kept.append((path, channel.connect.node))
        self.kept += named_so(channel.source, maker)
        if channel.factory is not None and not channel.factory.shared:
            self.kept += named_so(Source.read(host, channel.factory.path), maker)


def named_so(source: Source, name: str) -> Iterator[tuple[str, SgNode]]:
    for function in named_functions(source.root):
        if function.name == name:
            yield source.path, function.node


def gated_functions(source: Source) -> Iterator[SgNode]:
    """Functions that wait for their turn before they make a socket, whatever listens to it."""
    for call in calls(source.root) if ".turn()" in source.text else ():
        function = enclosing_function(call) if callee_of(call).endswith(".turn") else None
        if function is not None:
            yield function


def makers_of(host: Host, channel: Channel) -> list[str]:
    """Other files that the function is taken from which makes a channel's socket."""
    if channel.factory is not None:
        return [channel.factory.path]
    paths = (path for path in lenders(host, channel) if MARK.search(host.read(path)))
    return [path for path in paths if Source.readable(host, path)]


def is_held_already(host: Host, channel: Channel) -> bool:
    """Whether the call that makes a channel's socket is wrapped, wherever it stands."""
    if is_held(channel.socket_call):
        return True
    maker = channel.maker.rpartition(".")[2]
    places = [channel.source]
    places += [Source.read(host, path) for path in makers_of(host, channel)]
    return any(
        is_held(call)
        for source in places
        for _, function in named_so(source, maker)
        for call in calls(function)
    )


@dataclass
class Holding:
    """Holds the dials that can be held. search: the host's other known dials."""

    host: Host
    options: Options
    outcomes: Outcomes
    search: Search
    patch: Patch

    @cached_property
    def makers(self) -> Makers:
        return Makers(self.host, self.search.own.packages)

    @cached_property
    def dials(self) -> dict[str, Dials]:
        """By path, for the files that make a socket themselves."""
        found = {}
        left: dict[str, list[SgNode]] = {}
        for where, function in self.outcomes.kept:
            left.setdefault(where, []).append(function)
        # A channel dials wherever it lies: also in a folder of examples.
        channels = {each.channel.source.path for each in self.outcomes.waiting}
        for path in sorted({*self.search.carrying, *channels, *self.outcomes.noted}):
            source = self.search.source(path)
            if source is None:
                continue
            kept = [*left.get(path, ()), *gated_functions(source)]
            dials = dials_of(self.makers, source, kept)
            if unproven := self.options.why_not_held(path):
                dials.lost += [(call, unproven) for call in dials.free]
                dials.free = []
            if dials.free or dials.held or dials.lost or dials.left:
                found[path] = dials
        return found

    @property
    def homes(self) -> dict[str, Home]:
        """The modules of the files that are held now."""
        taken = [made.module for made in self.outcomes.rewritten]
        sources = [d.source for d in self.dials.values() if d.free]
        return homes(self.host, sources, self.options, taken)

    def examine(self) -> dict[str, Home]:
        """Plan the edits and report each file's outcome; return each held file's module."""
        for path in list(self.dials):
            if path not in self.waiting_in:
                self.leave_scripts(path)
        if not self.is_wanted():
            for dials in self.dials.values():
                dials.left += dials.free
                dials.free = []
        places = self.homes
        names: dict[str, set[str]] = {}
        for made in self.outcomes.rewritten:
            names.setdefault(made.source.path, set()).add(instance_name(made.channel))
        for path, home in places.items():
            taken = names.get(path, set())
            self.patch.add_edits(path, wrap(self.host, self.makers, self.dials[path], home, taken))
        said = {each.channel.source.path for each in self.outcomes.waiting} | self.outcomes.noted
        for dials in self.dials.values():
            if dials.source.path not in said:
                self.say(dials)
        for waiting in self.outcomes.waiting:
            self.settle(waiting)
        for dials in self.dials.values():
            for call, why in dials.lost:
                self.name_guard(dials.source.path, call, why)
        for source in self.outcomes.lone:
            self.judge_listener(source)
        return places

    def is_wanted(self) -> bool:
        rules = {f.rule for each in self.outcomes.waiting for f in each.findings}
        return any(self.options.wants(rule) for rule in {RULE, *rules})

    def leave_scripts(self, path: str) -> None:
        """A script that pairs or sends once, and ends."""
        dials = self.dials[path]
        if not dials.free or not self.search.ends_by_itself(dials.source):
            return
        message = "connects once and never again"
        self.patch.notes.append(Note(path, line_of(dials.free[0]), "not-a-daemon", message))
        self.search.pairing.add(path)
        dials.left += dials.free
        dials.free = []

    def say(self, dials: Dials) -> None:
        """A file that is held and in no channel: it has no other finding."""
        path = dials.source.path
        calls_held = [*dials.free, *dials.held]
        if not calls_held:
            return
        for call in dials.free:
            self.patch.findings.append(
                Finding(path, line_of(call), column_of(call), RULE, MESSAGE, FIX)
            )
        why = "no close branch was found in it"
        if path in self.outcomes.crowded:
            why = f"it has more than {MOST} listeners for connection updates"
        self.patch.notes.append(held_note(path, line_of(calls_held[0]), why))

    @cached_property
    def holds_any(self) -> bool:
        return any(each.is_held for each in self.dials.values())

    def covers(self, path: str) -> bool:
        return path in self.dials and self.dials[path].is_held

    def settle(self, waiting: Waiting) -> None:
        """A channel's findings: settled by the hold, or handed off where it does not reach."""
        channel, path = waiting.channel, waiting.channel.source.path
        makers = [*makers_of(self.host, channel), path]
        covering = [self.dials[each] for each in makers if self.covers(each)]
        if covering:
            self.patch.findings += [
                replace(finding, fix=FIX)
                for finding in waiting.findings
                if not by_id(finding.rule).loses_link and any(each.free for each in covering)
            ]
            self.patch.notes += notes_of(channel, waiting.findings, waiting.why)
            return
        lost = [why for each in makers if each in self.dials for _, why in self.dials[each].lost]
        reason = lost[0] if lost else "the call that makes its socket was not found"
        self.patch.findings += [
            replace(finding, fix=None, reason=reason, accept=GUARD) for finding in waiting.findings
        ]
        self.patch.notes.append(guard_note(path, line_of(channel.connect.node), reason))

    @cached_property
    def waiting_in(self) -> dict[str, list[SgNode]]:
        """By path: the connect functions of the channels that are to be held."""
        found: dict[str, list[SgNode]] = {}
        for each in self.outcomes.waiting:
            found.setdefault(each.channel.source.path, []).append(each.channel.connect.node)
        return found

    def name_guard(self, path: str, call: SgNode, why: str) -> None:
        line = line_of(call)
        waits = any(within(call, node) for node in self.waiting_in.get(path, ()))
        if waits or not self.options.wants(RULE):
            return
        self.patch.findings.append(
            Finding(path, line, column_of(call), RULE, MESSAGE, reason=why, accept=GUARD)
        )
        self.patch.notes.append(guard_note(path, line, why))

    def judge_listener(self, source: Source) -> None:
        listener = next(registrations(source.root), None)
        if listener is None:
            return
        call, _, handler = listener
        logic = logic_of(handler, source.root)
        taker = taker_of_the_update(handler, source.root)
        if source.path in self.outcomes.crowded and self.covers(source.path):
            return
        if self.outcomes.rewritten or self.outcomes.paced or self.holds_any:
            message = "listens for connection updates of a socket that is made elsewhere"
        elif source.path in self.outcomes.crowded and source.path in self.dials:
            return  # each of its dials has been reported as out of reach
        elif logic is not None and taker is None and not CLOSE.search(logic.text()):
            message = "listens for connection updates, and does nothing about a closed one"
        else:
            message = "listens for connection updates, and its connect function was not found"
            reason = "no function around the listener also makes the socket"
            if taker is not None:
                reason = f"what follows a close is decided by {callee_of(taker)}()"
            found = Finding(source.path, line_of(call), 1, RULE, message, None, reason, GUARD)
            self.patch.findings.append(found)
            return
        self.patch.notes.append(Note(source.path, line_of(call), "right", message))


def held_note(path: str, line: int, why: str) -> Note:
    return Note(path, line, "held", f"each attempt waits for its turn; not rewritten: {why}")


def guard_note(path: str, line: int, why: str) -> Note:
    return Note(path, line, "guard", f"out of reach: {why}; skillgen guard holds it from outside")


def notes_of(channel: Channel, findings: Iterable[Finding], why: str) -> Iterator[Note]:
    """Why a held channel's close branch is as it was, and what the hold does not mend."""
    path = channel.source.path
    yield held_note(path, line_of(channel.connect.node), why)
    for finding in findings:
        if by_id(finding.rule).loses_link:
            yield Note(path, finding.line, "left", f"{finding.rule}: {finding.message}")
