"""Finds how a handler reconnects, and how much of the old loop the new call replaces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import first_named, is_pure, plain_target
from modify.baileys.model.channel import LOGGER, TIMERS, Channel, is_log_statement
from modify.kit.typescript.functions import Function
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing_function,
    same,
    span,
    statements,
    walk,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

CHAINED = ("catch", "then", "finally")


@dataclass(frozen=True)
class Redial:
    """One place where the handler reconnects.

    call: the call that leads to the connect function. whole: the node that the new
    statement replaces. statement: whether that node is a whole statement. returns:
    whether it was returned. delay: the text of the timer's delay, if one was waited for.
    """

    call: SgNode
    whole: SgNode
    statement: bool
    returns: bool = False
    delay: str | None = None
    timed: bool = False


def outermost(channel: Channel, call: SgNode) -> Redial:
    """Climb from a redial call to the outermost node that does nothing but reconnect.

    It climbs over ``await``, ``void``, ``.catch(…)``, a timer whose callback only
    logs, clears its own handle and dials, and the assignment of that timer's handle.
    """
    node, delay, timed = call, None, False
    if channel.is_deferred(call):
        given = arguments_of(call)
        delay, timed = given[1].text() if len(given) > 1 else "0", True
    found = Redial(call, call, False, delay=delay, timed=timed)
    while True:
        parent = node.parent()
        if parent is None:
            return found
        kind = parent.kind()
        if kind == "member_expression" and same(parent.field("object"), node):
            chain = around(parent, "call_expression")
            if not chain or part(parent, "property").text() not in CHAINED:
                return found
            if not all(droppable_callback(channel, each) for each in arguments_of(chain)):
                return found  # what the host does there stays
            node = chain
            found = Redial(call, node, False, delay=delay, timed=timed)
        elif kind in ("await_expression", "parenthesized_expression") or (
            kind == "unary_expression" and parent.text().startswith("void")
        ):
            node = parent
            found = Redial(call, node, False, delay=delay, timed=timed)
        elif kind == "assignment_expression" and timed and same(parent.field("right"), node):
            node = parent
        elif kind == "arrow_function" and same(parent.field("body"), node):
            step = callback_of(parent)
            if step is None:
                return found
            node, wait = step
            delay, timed = (wait or delay), timed or wait is not None
        elif kind in ("expression_statement", "return_statement"):
            found = Redial(call, parent, True, kind == "return_statement", delay, timed)
            step = climb_block(channel, parent)
            if step is None:
                return found
            node, wait = step
            delay, timed = (wait or delay), timed or wait is not None
        else:
            return found


def climb_block(channel: Channel, statement: SgNode) -> tuple[SgNode, str | None] | None:
    """The call that a callback is given to, when its body only connects, logs and clears."""
    block, function = around(statement), around(statement, "", "")
    if function.kind() not in ("arrow_function", "function_expression"):
        return None
    if same(function, channel.logic) or same(function, channel.connect.node):
        return None
    for other in statements(block):
        if not same(other, statement) and not droppable(channel, other):
            return None
    return callback_of(function)


def droppable_callback(channel: Channel, callback: SgNode) -> bool:
    """Whether a handler given to ``.catch`` and its like only logs, counts or reconnects."""
    if callback.kind() in FUNCTION_KINDS:
        body = part(callback, "body")
        if body.kind() == "statement_block":
            return all(loop_statement(channel, each) for each in statements(body))
        if body.kind() != "call_expression":
            return is_pure(body)
        return (
            LOGGER.search(callee_of(body)) is not None
            or channel.is_connect_call(body)
            or channel.helper_of(body) is not None
            or timer_that_loops(channel, body)
        )
    if LOGGER.search(callback.text()):
        return True
    return any(  # reject, of the promise around
        callback.text() in Function(outer, "", "").parameter_names
        for outer in callback.ancestors()
        if outer.kind() in FUNCTION_KINDS
    )


def callback_of(function: SgNode) -> tuple[SgNode, str | None] | None:
    """(call, delay text) when the function is the callback of a timer or of ``.catch``."""
    call = around(function, "arguments", "call_expression")
    callee = callee_of(call)
    if callee in TIMERS:
        given = arguments_of(call)
        return call, given[1].text() if len(given) > 1 else "0"
    if callee.rpartition(".")[2] in CHAINED:
        return call, None
    return None


def droppable(channel: Channel, statement: SgNode) -> bool:
    """A statement that has no sense without the loop: a log line, a cleared handle, a count."""
    if is_log_statement(statement):
        return True
    if statement.kind() == "expression_statement":
        inner = first_named(statement)
        if inner.kind() == "update_expression":
            return True
        if inner.kind() in ("assignment_expression", "augmented_assignment_expression"):
            left = part(inner, "left")
            if left.text() == channel.first_open_parameter:
                return True  # onFirstOpen = undefined, once it is passed on
            counts = COUNTER.search(plain_target(left)) is not None
            return counts and is_pure(part(inner, "right"))
        if inner.kind() == "call_expression":
            if callee_of(inner) in ("clearTimeout", "clearInterval"):
                return True
            return channel.is_connect_call(inner) or only_dials(channel, inner)
    return False


# Names of what a reconnect loop keeps of itself. A name decides here only whether a plain
# assignment may be dropped together with the loop; the sweep keeps whatever is still read.
COUNTER = re.compile(
    r"(re|connect|attempt|retr|timer|timeout|delay|backoff|fail|tries|inflight)", re.IGNORECASE
)


def only_dials(channel: Channel, call: SgNode) -> bool:
    """``connect().catch(…)`` whose every call is a log line or leads to the connect function."""
    inner = [c for c in calls(call) if channel.is_connect_call(c) or channel.helper_of(c)]
    return bool(inner) and same(outermost_chain(inner[0]), call)


def outermost_chain(call: SgNode) -> SgNode:
    node = call
    while True:
        chain = around(node, "member_expression", "call_expression")
        if not chain or not same(part(around(node), "object"), node):
            return node
        node = chain


def is_thin(channel: Channel, helper: Function) -> bool:
    """Whether a helper is nothing but a reconnect loop: it waits, counts, logs and connects.

    Guards that return are part of a loop too; ``stop()`` and the gate do their work. A
    process exit, an ended socket or any other call makes it more than that.
    """
    body = body_of(helper.node)
    return body is not None and all(loop_statement(channel, each) for each in statements(body))


def loop_statement(channel: Channel, statement: SgNode) -> bool:
    kind = statement.kind()
    if droppable(channel, statement):
        return True
    if kind in ("lexical_declaration", "variable_declaration"):
        for declarator in statement.find_all(kind="variable_declarator"):
            value = declarator.field("value")
            if value is None:
                continue
            if value.kind() in FUNCTION_KINDS:
                body = body_of(value)
                if body is None or not all(loop_statement(channel, s) for s in statements(body)):
                    return False
            elif not is_pure(value):
                return False
        return True
    if kind == "return_statement":
        return all(c.kind() in ("return", ";") for c in statement.children())
    if kind == "if_statement":
        sides = [part(statement, "consequence")]
        sides += [c for c in part(statement, "alternative").children() if c.is_named()]
        return is_pure_or_typeof(part(statement, "condition")) and all(
            loop_block(channel, each) for each in sides
        )
    if kind == "try_statement":
        blocks = [part(statement, "body"), part(statement, "handler", "body")]
        return all(loop_block(channel, block) for block in blocks if block)
    if kind == "expression_statement":
        redials = [
            c for c in calls(statement) if channel.is_connect_call(c) or channel.helper_of(c)
        ]
        inner = first_named(statement)
        if redials:
            whole = outermost(channel, redials[0])
            return within(inner, whole.whole) or timer_that_loops(channel, inner)
        if inner.kind() == "assignment_expression":
            # a timer whose callback runs a local `run()` that dials
            return timer_that_loops(channel, part(inner, "right"))
        if inner.kind() == "call_expression":
            return (
                timer_that_loops(channel, inner)
                or re.fullmatch(
                    r"\w*(run|prune|clear)\w*", callee_of(inner).rpartition(".")[2], re.IGNORECASE
                )
                is not None
            )
        if inner.kind() == "unary_expression":
            return inner.text().startswith("void ")
    return False


def timer_that_loops(channel: Channel, node: SgNode) -> bool:
    if node.kind() != "call_expression" or callee_of(node) not in TIMERS:
        return False
    if channel.is_deferred(node):
        return True
    callback = arguments_of(node)[0] if arguments_of(node) else None
    if callback is None or callback.kind() not in FUNCTION_KINDS:
        return False
    body = body_of(callback)
    return body is None or all(loop_statement(channel, s) for s in statements(body))


def loop_block(channel: Channel, block: SgNode) -> bool:
    inside = statements(block) if block.kind() == "statement_block" else [block]
    return all(loop_statement(channel, each) for each in inside)


def is_pure_or_typeof(condition: SgNode) -> bool:
    return not any(
        n.kind() in ("call_expression", "assignment_expression", "await_expression")
        for n in walk(condition)
    )


__all__ = ["Redial", "is_thin", "outermost", "span", "within"]


def inside_helper(channel: Channel, call: SgNode) -> bool:
    """Whether a call stands in a helper of the loop: it belongs to the loop."""
    used = {
        id(h.node)
        for h in channel.helpers
        if any(channel.helper_of(r) == h for r in channel.redials)
    }
    function = enclosing_function(call)
    while function is not None:
        if any(h.node.range() == function.range() for h in channel.helpers if id(h.node) in used):
            return True
        function = enclosing_function(function)
    return False
