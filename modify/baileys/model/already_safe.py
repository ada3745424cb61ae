"""Recognize a reconnect loop that is right already: it is left alone and noted as right.

Right means all of it: a delay that grows up to a cap, with jitter, one timer at a time, nothing
that sets it back early or connects around it, and an end when the session is over. It is read from
the tree, and a loop that cannot be followed to its timer is not called right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import TIMERS, Branch, Channel
from modify.baileys.model.handed_on import taker_of_the_update
from modify.baileys.rewrite.limits import limit_on
from modify.kit.typescript.functions import resolve
from modify.kit.typescript.nodes import sides_around
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    nodes_of,
    same,
    walk,
    within,
)
from modify.rules import Sight, ids, sights_of

if TYPE_CHECKING:
    from ast_grep_py import SgNode

# Rules that must find nothing. Of the others, some ask for the gate itself (a deadline, a memory
# of the verdict), and two may have been answered by the host's own means.
SILENT = {ids.FLAT_RETRY, ids.LOST_FIRST_OPEN, ids.PREMATURE_RESET, ids.QR_EXIT, ids.STACKED_TIMERS}
RANDOM = re.compile(r"^(Math\.random|(crypto\.)?(randomInt|getRandomValues))$")
RESTART = re.compile(r"\b(restartRequired|515)\b")


def is_sound(channel: Channel) -> bool:
    close = channel.close
    if channel.apart or close is None or not channel.verdicts or not channel.redials:
        return False
    if taker_of_the_update(channel.handler, channel.source.root) is not None:
        return False
    sights = list(sights_of("baileys-channel", channel))
    if not all(is_answered(channel, sight) for sight in sights):
        return False
    if exits_with_an_error(channel, sights) or gives_up(channel, close):
        return False
    if any(dials_at_once(channel, call, []) for call in channel.redials if close.holds(call)):
        return False
    timers = list(timers_of(channel, close))
    return bool(timers) and all(is_paced(channel, close, timer) for timer in timers)


def is_answered(channel: Channel, sight: Sight) -> bool:
    """Whether the host's own means answer what a rule has seen, as far as it is asked for."""
    match sight.finding.rule:
        case ids.CHANNEL_GIVES_UP:
            return is_tried_again(channel, sight.node)
        case ids.RECONNECT_AFTER_STOP:
            return is_flagged(channel, sight.node)
        case rule:
            return rule not in SILENT


def is_tried_again(channel: Channel, call: SgNode) -> bool:
    """Whether another attempt follows one that fails: ``connect().catch(() => later())``."""
    for outer in call.ancestors():
        if outer.kind() == "try_statement":
            handler = outer.field("handler")
            if handler is not None and any(leads(channel, each) for each in calls(handler)):
                return True
        if outer.kind() != "call_expression" or not callee_of(outer).endswith(".catch"):
            continue
        for given in arguments_of(outer):
            named = any(helper.call == given.text() for helper in channel.helpers)
            if named or any(leads(channel, each) for each in calls(given)):
                return True
    return False


def is_flagged(channel: Channel, function: SgNode) -> bool:
    """Whether a function that ends the socket sets a flag that the loop asks for."""
    assert channel.close is not None
    loop = (channel.connect.node, channel.logic, *(helper.node for helper in channel.helpers))
    asked = {
        name
        for place in loop
        for test in nodes_of(place, "if_statement")
        if (condition := test.field("condition")) is not None
        for name in names_of(condition)
    }
    return any(
        (left := node.field("left")) is not None and left.text() in asked
        for node in nodes_of(function, "assignment_expression")
    )


def exits_with_an_error(channel: Channel, sights: list[Sight]) -> bool:
    of_rule = (each.finding for each in sights if each.finding.rule == ids.AUTH_FAILURE_EXIT)
    seen = (finding.message for finding in of_rule)
    helpers = (call for helper in channel.helpers for call in calls(helper.node))
    return any(message.startswith("exit ") for message in seen) or any(
        callee_of(call) == "process.exit" and [a.text() for a in arguments_of(call)] != ["0"]
        for call in helpers
    )


def gives_up(channel: Channel, close: Branch) -> bool:
    """Whether the loop ends after some attempts."""
    places = [(call, close.node) for call in channel.redials if close.holds(call)]
    for helper in channel.helpers:
        places += [(call, helper.node) for call in calls(helper.node) if leads(channel, call)]
    return any(limit_on(call, where) is not None for call, where in places)


def leads(channel: Channel, call: SgNode) -> bool:
    return channel.is_connect_call(call) or channel.helper_of(call) is not None


def dials_at_once(channel: Channel, call: SgNode, seen: list[str]) -> bool:
    """Whether a call connects without a timer: itself, or by the functions it calls."""
    if channel.is_deferred(call) or is_in_timer(call) or is_for_a_restart(channel, call):
        return False
    if channel.is_connect_call(call):
        return True
    helper = channel.helper_of(call)
    if helper is None or helper.call in seen:
        return False
    inner = [each for each in calls(helper.node) if leads(channel, each)]
    return any(dials_at_once(channel, each, [*seen, helper.call]) for each in inner)


def is_in_timer(call: SgNode) -> bool:
    """Whether a call stands in an argument of a timer."""
    return any(
        outer.kind() == "call_expression" and callee_of(outer) in TIMERS
        for outer in call.ancestors()
    )


def is_for_a_restart(channel: Channel, call: SgNode) -> bool:
    """``if (code === 515) connect()``: right after pairing, and no failure."""
    for test, condition, _, holds in sides_around(call):
        if holds and within(test, channel.logic):
            sides = re.split(r"&&|\|\|", condition.text())
            if all(RESTART.search(side) and "!=" not in side for side in sides):
                return True
    return False


def timers_of(channel: Channel, close: Branch) -> Iterator[SgNode]:
    """The timers of the loop: those that reconnect, in the close branch and in its helpers."""
    for place in (close.node, *(helper.node for helper in channel.helpers)):
        for call in calls(place):
            if callee_of(call) not in TIMERS:
                continue
            inside = (c for c in calls(call) if not same(c, call))
            if channel.is_deferred(call) or any(leads(channel, each) for each in inside):
                yield call


def is_paced(channel: Channel, close: Branch, timer: SgNode) -> bool:
    """Whether a timer's delay grows, is capped and has jitter, and the timer is the only one."""
    given = arguments_of(timer)
    if callee_of(timer) != "setTimeout" or len(given) < 2:
        return False
    loop = (close.node, *(helper.node for helper in channel.helpers))
    parts = list(parts_of(channel, given[1], loop, []))
    called = {callee_of(call) for part in parts for call in calls(part)}
    return (
        any(grows(part, loop) for part in parts)
        and "Math.min" in called
        and any(RANDOM.match(each) for each in called)
        and is_alone(timer, loop)
    )


def parts_of(
    channel: Channel, node: SgNode, loop: tuple[SgNode, ...], seen: list[str]
) -> Iterator[SgNode]:
    """An expression, and what the names in it stand for: variables and functions of the file."""
    yield node
    for call in calls(node):
        function = call.field("function")
        target = resolve(function, channel.source.root) if function is not None else None
        if target is not None and callee_of(call) not in seen and not leads(channel, call):
            yield from parts_of(channel, target, loop, [*seen, callee_of(call)])
    for name in {plain(each) for each in walk(node)} - {"", *seen}:
        for value in values_of(name, loop):
            yield from parts_of(channel, value, loop, [*seen, name])


def plain(node: SgNode) -> str:
    """``delay`` and ``this.delay``; empty for any other node."""
    if node.kind() == "identifier":
        return node.text()
    found = re.fullmatch(r"(this|\w+)\.#?\w+", node.text())
    return node.text() if node.kind() == "member_expression" and found else ""


def values_of(name: str, loop: tuple[SgNode, ...]) -> Iterator[SgNode]:
    """The values that the loop assigns to a variable, in declarations and assignments."""
    for place in loop:
        for kind, target, value in (
            ("variable_declarator", "name", "value"),
            ("assignment_expression", "left", "right"),
        ):
            for node in nodes_of(place, kind):
                left, right = node.field(target), node.field(value)
                if left is not None and right is not None and left.text() == name:
                    yield right


def grows(part: SgNode, loop: tuple[SgNode, ...]) -> bool:
    """Whether an expression multiplies by something that the loop itself makes larger."""
    for node in walk(part):
        operator = node.field("operator")
        sign = operator.text() if operator is not None else ""
        exponential = sign in ("**", "<<") or (
            node.kind() == "call_expression" and callee_of(node) == "Math.pow"
        )
        if exponential and any(counts_up(name, loop) for name in names_of(node)):
            return True
        doubled = node.kind() == "binary_expression" and sign == "*"
        if doubled and any(is_multiplied(name, loop) for name in names_of(node)):
            return True
    return False


def names_of(node: SgNode) -> set[str]:
    return {plain(each) for each in walk(node)} - {""}


def counts_up(name: str, loop: tuple[SgNode, ...]) -> bool:
    """Whether a name counts up: ``attempts++``, ``attempts += 1``, ``f(attempts + 1)``."""
    counted = re.escape(name)
    for place in loop:
        for node in walk(place):
            text = node.text() if node.kind() in COUNTING else ""
            if re.fullmatch(rf"{counted}\s*(\+\+|\+=\s*1|=\s*{counted}\s*\+\s*1)", text):
                return True
            if text == f"++{name}":
                return True
            if node.kind() == "binary_expression" and is_passed_on(node, counted):
                return True
    return False


COUNTING = ("update_expression", "augmented_assignment_expression", "assignment_expression")


def is_passed_on(node: SgNode, counted: str) -> bool:
    parent = node.parent()
    given = parent is not None and parent.kind() == "arguments"
    return given and re.fullmatch(rf"{counted}\s*\+\s*1", node.text()) is not None


def is_multiplied(name: str, loop: tuple[SgNode, ...]) -> bool:
    """``delay = Math.min(delay * 2, CAP)``, ``delay *= 2``."""
    return any(
        (left := node.field("left")) is not None
        and (right := node.field("right")) is not None
        and left.text() == name
        and (
            node.text().startswith(f"{name} *=")
            or any(
                each.kind() == "binary_expression"
                and (sign := each.field("operator")) is not None
                and sign.text() == "*"
                and name in names_of(each)
                for each in walk(right)
            )
        )
        for place in loop
        for kind in ("assignment_expression", "augmented_assignment_expression")
        for node in nodes_of(place, kind)
    )


def is_alone(timer: SgNode, loop: tuple[SgNode, ...]) -> bool:
    """Whether the timer's handle is cleared before, or its presence turns a second one away."""
    kept = timer.parent()
    left = (kept.field("left") or kept.field("name")) if kept is not None else None
    handle = left.text() if left is not None else ""
    if not handle:
        return False
    for place in loop:
        for call in calls(place):
            given = [each.text() for each in arguments_of(call)]
            if callee_of(call) == "clearTimeout" and given == [handle]:
                return True
        for test in nodes_of(place, "if_statement"):
            condition, taken = test.field("condition"), test.field("consequence")
            if condition is None or taken is None or handle not in names_of(condition):
                continue
            if taken.kind() == "return_statement" or taken.find(kind="return_statement"):
                return True
    return False
