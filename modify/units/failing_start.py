"""Whether a failure of a call ends the program with a failure while it starts.

It is followed outwards: through ``try`` and ``.catch``, which may end the process, throw again or
keep it; through the callers of the function around; through a check that answers "no". At the top
of a module that the program loads it ends the process, unless a listener for uncaught errors keeps
it. A function in a handler, a timer or an object is no start, and is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from modify.kit.typescript.functions import Function, named, resolve
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    Source,
    arguments_of,
    callee_of,
    enclosing_function,
    nodes_of,
    same,
    span,
)
from modify.units.bot_project import BotProject
from skill.host import Host
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

STATUS = re.compile(r"\b(?:process\.)?exit\(\s*(?!0?\s*\))")
UNCAUGHT = re.compile(rb"['\"`](?:uncaughtException|unhandledRejection)['\"`]")
NO = ("false", "null", "undefined", "")
CARRY_ON = ("then", "finally")
MOST = 60
"""Steps that one failure is followed."""


class Program:
    """The modules of a bot that are loaded when it starts."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.project = BotProject(host)

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The entries, the channels, and what they import, in the order in which they are met."""
        waiting = sorted({*self.project.entries, *self.project.channels})
        seen: dict[str, None] = {}
        while waiting:
            path = waiting.pop(0)
            if path in seen or not path.endswith(SCRIPTS) or is_among_tests(path):
                continue
            if self.host.exists(path):
                seen[path] = None
                waiting += sorted(self.project.imports_of(path))
        return tuple(seen)

    @cached_property
    def keeps_uncaught(self) -> bool:
        """Whether a listener keeps the process that nothing has caught the error of."""
        for path in self.modules:
            if UNCAUGHT.search(self.host.read(path)) and (read := Source.readable(self.host, path)):
                for call in nodes_of(read.root, "call_expression"):
                    given = arguments_of(call)
                    if len(given) > 1 and UNCAUGHT.fullmatch(given[0].text().encode()):
                        listener = resolve(given[1], read.root)
                        if listener is None or not STATUS.search(listener.text()):
                            return True
        return False

    def ends_with(self, source: Source, call: SgNode) -> bool:
        """Whether the program's start ends with a failure when this call fails."""
        failure = Failure(self)
        if callee_of(call).endswith("spawnSync"):  # it does not throw, it tells
            return failure.answers(source, call)
        return failure.ends(source, call, throws=True)

    def callers(self, source: Source, function: SgNode) -> Iterator[tuple[Source, SgNode]]:
        """The calls of a function: where it stands, by its name here and in other modules."""
        known = named(function)
        if known is None:
            if (call := run_at_once(function)) is not None:
                yield source, call
            return
        for call in source.called.get(known.name, ()):
            if callee_of(call) == known.call:
                yield source, call
        if known.call == known.name:
            yield from self.importers(source, known)

    def importers(self, source: Source, function: Function) -> Iterator[tuple[Source, SgNode]]:
        for path in self.modules:
            if path == source.path or function.name.encode() not in self.host.read(path):
                continue
            read = Source.readable(self.host, path)
            if read is None or source.path not in self.project.imports_of(path):
                continue
            for call in read.called.get(function.name, ()):
                yield read, call


class Failure:
    """One failure on its way out; no place is passed twice."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.passed: set[tuple[str, int, int, str]] = set()

    def is_passed(self, source: Source, node: SgNode, how: str) -> bool:
        """Whether it came by before, or has come too far."""
        place = (source.path, *span(node), how)
        if place in self.passed or len(self.passed) >= MOST:
            return True
        self.passed.add(place)
        return False

    def ends(self, source: Source, node: SgNode, throws: bool) -> bool:
        """Whether what happens at a node ends the start: it throws, or it is an end itself."""
        if self.is_passed(source, node, "throws" if throws else "ends"):
            return False
        inner = node
        for outer in node.ancestors():
            if outer.kind() == "try_statement" and throws and same(outer.field("body"), inner):
                handler = outer.field("handler")
                if handler is not None:
                    return self.caught(source, outer, handler)
            elif outer.kind() == "call_expression" and throws:
                last = callee_of(outer).rpartition(".")[2]
                if last == "catch" and same(outer.field("function"), inner):
                    given = arguments_of(outer)
                    handler = resolve(given[0], source.root) if given else None
                    return handler is not None and self.caught(source, outer, handler)
            elif outer.kind() in FUNCTION_KINDS:
                return self.beyond(source, outer, throws)
            inner = outer
        return not throws or not self.program.keeps_uncaught

    def beyond(self, source: Source, function: SgNode, throws: bool) -> bool:
        """The same of a function that it leaves, at each place that calls it."""
        carried = carried_on(function)
        if carried is not None:
            return self.ends(source, carried, throws)
        return any(self.ends(*call, throws) for call in self.program.callers(source, function))

    def caught(self, source: Source, around: SgNode, handler: SgNode) -> bool:
        """What a handler makes of it: an end, the same or another error, or an answer."""
        if STATUS.search(handler.text()):
            return self.ends(source, around, throws=False)
        if any(nodes_of(handler, "throw_statement")):
            return self.ends(source, around, throws=True)
        return says_no(handler) and self.refuses(source, enclosing_function(around))

    def refuses(self, source: Source, function: SgNode | None) -> bool:
        """Whether a function's "no" ends the start where it is called."""
        if function is None or self.is_passed(source, function, "no"):
            return False
        return any(self.answers(*call) for call in self.program.callers(source, function))

    def answers(self, source: Source, call: SgNode) -> bool:
        """Whether the start ends where a call does not give the answer that is wanted."""
        for outer in call.ancestors():
            kind = outer.kind()
            if kind == "return_statement":
                return self.refuses(source, enclosing_function(outer))
            if kind == "variable_declarator":
                return self.asked_of(source, outer)
            if kind == "if_statement" or kind in FUNCTION_KINDS:
                return kind == "if_statement" and self.denies(source, outer)
        return False

    def asked_of(self, source: Source, declared: SgNode) -> bool:
        """The same of an answer that has a name first."""
        function = enclosing_function(declared)
        words = names(declared.field("name"))
        for test in nodes_of(function or source.root, "if_statement"):
            if words & names(test.field("condition")):
                return self.denies(source, test)
        returned = nodes_of(function, "return_statement") if function is not None else ()
        return any(words & names(node) for node in returned) and self.refuses(source, function)

    def denies(self, source: Source, test: SgNode) -> bool:
        """Whether what a condition leads to is an end."""
        then = test.field("consequence")
        if then is None:
            return False
        if STATUS.search(then.text()):
            return self.ends(source, test, throws=False)
        return any(nodes_of(then, "throw_statement")) and self.ends(source, test, throws=True)


def names(node: SgNode | None) -> set[str]:
    return {name.text() for name in nodes_of(node, "identifier")} if node is not None else set()


def says_no(handler: SgNode) -> bool:
    """Whether a handler returns a value that stands for "no"."""
    returned = nodes_of(handler, "return_statement")
    return any(node.text().removeprefix("return").strip(" ;") in NO for node in returned)


def run_at_once(function: SgNode) -> SgNode | None:
    """The call of ``(async () => {…})()``, or nothing."""
    around = function.parent()
    if around is None or around.kind() != "parenthesized_expression":
        return None
    call = around.parent()
    is_called = call is not None and call.kind() == "call_expression"
    return call if is_called and call is not None and same(call.field("function"), around) else None


def carried_on(function: SgNode) -> SgNode | None:
    """The call that a function only carries on: ``ready().then(() => {…})``."""
    given = function.parent()
    call = given.parent() if given is not None and given.kind() == "arguments" else None
    if call is None or call.kind() != "call_expression":
        return None
    return call if callee_of(call).rpartition(".")[2] in CARRY_ON else None
