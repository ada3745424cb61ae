"""The guards of a connect function that turn a caller away while there is a link.

``if (this.connecting || this.connected) return;``: callers that ask again and again (a watchdog,
each message that is sent) get nothing from it. They must not reach the gate: a call there
asks for a new connection, and ends the one that stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.baileys.model.host_context import AUTH_STATE
from modify.kit.typescript.source import (
    body_of,
    callee_of,
    calls,
    enclosing_function,
    same,
    statements,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def last_guard(channel: Channel) -> SgNode | None:
    """The last statement before the socket that returns because of the link, or None.

    None, too, where the credentials are loaded before it: they would be stale after a wait.
    """
    marks = link_marks(channel)
    last = None
    for statement in ahead_of_socket(channel):
        if any(AUTH_STATE.search(callee_of(call)) for call in calls(statement)):
            break
        if statement.kind() == "if_statement" and turns_away(channel, statement, marks):
            last = statement
    return last


def link_marks(channel: Channel) -> set[str]:
    """Names that show the state of the link: the socket, and those set on connect and update."""
    marks = {re.sub(r"[?!]", "", channel.receiver), channel.socket_name or ""}
    for place in (channel.connect.node, channel.logic):
        for assignment in place.find_all(kind="assignment_expression"):
            left = assignment.field("left")
            if left is not None and re.fullmatch(r"(this\.)?#?\w+", left.text()):
                marks.add(left.text())
    return marks - {""}


def ahead_of_socket(channel: Channel) -> Iterator[SgNode]:
    """The statements that run before the socket is made, in order, also those inside a ``try``.

    Not where its ``catch`` ends the process: the gate's refusal is no reason for that.
    """
    block = body_of(channel.connect.node)
    while block is not None:
        inner = None
        for statement in statements(block):
            if not within(channel.socket_call, statement):
                yield statement
                continue
            body, handler = statement.field("body"), statement.field("handler")
            exits = handler is not None and any(
                callee_of(call) == "process.exit" for call in calls(handler)
            )
            if statement.kind() == "try_statement" and not exits and holds_eye(channel, body):
                inner = body
            break
        block = inner


def holds_eye(channel: Channel, block: SgNode | None) -> bool:
    """Whether all that asks for the attempt's number stands in a block."""
    logic = channel.logic if within(channel.logic, channel.connect.node) else channel.registration
    return block is not None and within(channel.registration, block) and within(logic, block)


def turns_away(channel: Channel, statement: SgNode, marks: set[str]) -> bool:
    """Whether a return in it stands under a test of the link."""
    for each in statement.find_all(kind="return_statement"):
        if not same(enclosing_function(each), channel.connect.node):
            continue
        for outer in each.ancestors():
            condition = outer.field("condition") if outer.kind() == "if_statement" else None
            if condition is not None and any(is_named(condition, mark) for mark in marks):
                return True
            if same(outer, statement):
                break
    return False


def is_named(condition: SgNode, mark: str) -> bool:
    text = condition.text().replace("?", "").replace("!.", ".")
    return re.search(rf"(?<![\w.]){re.escape(mark)}(?!\w)", text) is not None
