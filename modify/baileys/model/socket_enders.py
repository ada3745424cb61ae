"""Functions in which a host ends its socket on purpose: there, and only there, ``stop()`` belongs.

A stop makes every later close inert, so a wrong one is the end of the bot. A function that
normal running reaches (from an event, a timer, a command, the connect function or the close
branch) ends a socket in order to connect anew, or may do so: it is left alone, and its
close is a close like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.kit.typescript.functions import CARRYING, LISTENING, Function, function_run_by, named
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing_function,
    same,
    string_value,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from modify.baileys.model.channel import Channel
    from modify.kit.typescript.source import Source

ENDS = r"end|logout|ws\.close|ws\.terminate|ws\.end"
SOCKET = r"(this\.)?#?\w*[sS]ock\w*"
SIGNAL = re.compile(r"SIG[A-Z0-9]+|exit|beforeExit|disconnect")
# Names of code that means to reconnect.
COMES_BACK = re.compile(r"re(connect|start|fresh|new|load|set|cover|dial|try)|watchdog", re.I)
# ``return { disconnect }``, ``export { disconnect }``: given away, not run here.
GIVEN_AWAY = (
    "object",
    "pair",
    "export_specifier",
    "export_statement",
    "return_statement",
    "assignment_expression",
)
UNSURE = frozenset(
    ("if_statement", "ternary_expression", "switch_case", "catch_clause", "binary_expression")
)
PASSED_OVER = ("await_expression", "parenthesized_expression", "non_null_expression")


def enders_of(channel: Channel) -> list[SgNode]:
    """Functions whose own body ends the channel's socket, and that nothing but an end calls."""
    found: list[SgNode] = []
    for call in endings(channel):
        function = function_run_by(call)
        if function is None or body_of(function) is None or not is_at_home(channel, function):
            continue
        if any(same(function, other) for other in found) or dials(channel, function):
            continue
        if is_of_the_channel(call, function) and not service_of(channel).runs(function):
            found.append(function)
    return found


def endings(channel: Channel) -> Iterator[SgNode]:
    """Calls that end the socket, outside the connect function and the handler."""
    socket = re.escape(re.sub(r"[?!\s]", "", channel.receiver))
    ends = re.compile(rf"^({socket}|{SOCKET})\.({ENDS})$")
    for call in calls(channel.source.root):
        if not ends.match(re.sub(r"!", "", callee_of(call))):
            continue
        if not within(call, channel.connect.node) and not within(call, channel.logic):
            yield call


def is_at_home(channel: Channel, function: SgNode) -> bool:
    home = channel.class_node if channel.scope == "class" else channel.owner
    return home is None or (within(function, home) and not same(function, home))


def is_of_the_channel(call: SgNode, function: SgNode) -> bool:
    """Whether the ended socket is no parameter: one that was handed in may be any."""
    root = re.split(r"[.?!]", callee_of(call))[0]
    return root == "this" or not any(
        root in Function(each, "", "").parameter_names
        for each in (function, *function.ancestors())
        if each.kind() in FUNCTION_KINDS
    )


def dials(channel: Channel, function: SgNode) -> bool:
    return any(channel.is_connect_call(c) or channel.helper_of(c) for c in calls(function))


@dataclass(frozen=True)
class Service:
    """The functions of a file that run while the bot is to stay up.

    always: functions that do, whoever calls them. dials: whether a function makes the next
    connection by itself. elsewhere: names that other files call in normal running.
    """

    source: Source
    always: tuple[SgNode, ...]
    dials: Callable[[SgNode], bool]
    elsewhere: frozenset[str] = frozenset()

    def runs(self, function: SgNode) -> bool:
        """Whether a function may be run while the bot is to stay up."""
        return self._runs(function, [])

    def reaches(self, place: SgNode) -> bool:
        """Whether a call is made in normal running; the top level of a file is not."""
        return self._reaches(place, [])

    def _runs(self, function: SgNode, seen: list[SgNode]) -> bool:
        if any(same(function, other) for other in seen):
            return False
        seen.append(function)
        if any(same(function, each) for each in self.always):
            return True
        if exits(function):
            return False
        name = name_of(function)
        if name is None:
            return self._is_taken(function, seen)
        if COMES_BACK.search(name) or name in self.elsewhere:
            return True
        return any(self._use_runs(use, seen) for use in self._uses(name, function))

    def _uses(self, name: str, function: SgNode) -> Iterator[SgNode]:
        """Where the file names a function, apart from its declaration."""
        own = named(function)
        only_members = own is None or own.call.startswith("this.")
        for each in self.source.names.get(name, []):
            parent = each.parent()
            if parent is None or same(parent, function):
                continue
            if any(same(parent.field(part), function) for part in ("value", "right")):
                continue
            if parent.kind() == "member_expression" and same(parent.field("property"), each):
                if not self._is_declared_by(parent, function):
                    yield parent
            elif not only_members and each.kind() != "property_identifier":
                yield each

    def _is_declared_by(self, member: SgNode, function: SgNode) -> bool:
        parent = member.parent()
        return parent is not None and same(parent.field("right"), function)

    def _use_runs(self, use: SgNode, seen: list[SgNode]) -> bool:
        """Whether this use of a function runs it, now or later."""
        parent = use.parent()
        if parent is None:
            return False
        if parent.kind() == "call_expression" and same(parent.field("function"), use):
            return self._reaches(parent, seen)
        if parent.kind() == "member_expression":  # disconnect.bind(this), disconnect().catch(…)
            called = parent.parent()
            return called is None or self._use_runs(called, seen)
        if parent.kind() == "arguments":
            taker = parent.parent()
            return taker is None or self._taker_runs(taker, seen)
        return parent.kind() not in GIVEN_AWAY

    def _reaches(self, place: SgNode, seen: list[SgNode]) -> bool:
        function = enclosing_function(place)
        if function is None:
            return False
        always = any(same(function, each) for each in self.always)
        if not always and self.dials(function):
            return False  # ends one connection and makes the next by itself
        return self._runs(function, seen)

    def _is_taken(self, function: SgNode, seen: list[SgNode]) -> bool:
        """Whether an anonymous function is run, judged by the call that takes it."""
        parent = function.parent()
        if parent is not None and parent.kind() == "arguments":
            taker = parent.parent()
            return taker is None or self._taker_runs(taker, seen)
        if parent is not None and parent.kind() in PASSED_OVER:  # (async () => { … })()
            called = parent.parent()
            return called is None or self._reaches(called, seen)
        return True

    def _taker_runs(self, taker: SgNode, seen: list[SgNode]) -> bool:
        """Whether a call that is given a function runs it in normal running."""
        if taker.kind() == "new_expression":
            return self._reaches(taker, seen)
        callee, given = callee_of(taker), arguments_of(taker)
        if callee in LISTENING:
            event = string_value(given[0]) if given else None
            return event is None or SIGNAL.fullmatch(event) is None
        if callee.rpartition(".")[2] in CARRYING and enclosing_function(taker) is not None:
            return self._reaches(taker, seen)
        return True


def service_of(channel: Channel) -> Service:
    return Service(
        channel.source,
        (channel.connect.node, channel.logic),
        lambda function: dials(channel, function),
        channel.run_elsewhere,
    )


def name_of(function: SgNode) -> str | None:
    """A function's own name, or the one of the property that it is assigned to."""
    own = named(function)
    if own is not None:
        return own.name
    parent = function.parent()
    left = parent.field("left") if parent is not None else None
    found = re.search(r"\.([\w$]+)$", left.text()) if left is not None else None
    return found[1] if found else None


def exits(function: SgNode) -> bool:
    """Whether a function ends the process in any case, itself or in what it carries on with."""
    return any(
        callee_of(call) == "process.exit" and is_always_run(call, function)
        for call in calls(function)
    )


def is_always_run(call: SgNode, function: SgNode) -> bool:
    """Whether a call stands under no condition of its function, but perhaps in a timer."""
    for outer in call.ancestors():
        if same(outer, function):
            return True
        if outer.kind() in UNSURE:
            return False
        if outer.kind() in FUNCTION_KINDS:
            taken = outer.parent()
            taker = taken.parent() if taken is not None and taken.kind() == "arguments" else None
            if taker is None or taker.kind() != "call_expression":
                return False
            if callee_of(taker).rpartition(".")[2] not in CARRYING:
                return False
    return False
