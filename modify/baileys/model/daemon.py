"""Tells a bot that keeps running from a script that pairs once and exits.

Pairing scripts hold the same handler on purpose: they make one attempt, or one more after
a restart (515), and end. A gate would only make them wait.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.model.channel import TIMERS, Branch, Channel
from modify.baileys.model.reconnect_loop import CHAINED
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    same,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LOOPS = frozenset(("for_statement", "for_in_statement", "while_statement", "do_statement"))
HANDS_ON = re.compile(r"^\s*export\b|\bexports\b", re.MULTILINE)
LISTENS = re.compile(r"['\"]messages\.(upsert|update)['\"]")


def why_not_a_daemon(channel: Channel) -> str | None:
    """Why a channel file is left alone, or None for a bot that keeps running."""
    opened = channel.open
    if opened is not None:
        ends = [call for call in calls(opened.node) if callee_of(call) == "process.exit"]
        if any(always(call, opened) for call in ends):
            return "pairs once and exits when the connection opens"
        if (
            any(re.search(r"(^|\.)(end|logout)$", callee_of(call)) for call in calls(opened.node))
            and not listens(channel)
            and not (channel.redials and serves_a_program(channel))
        ):
            return "closes the connection as soon as it is open"
    if not channel.redials and not channel.is_gated and is_timed(channel):
        return "ends by itself after a set time"
    if (
        not listens(channel)
        and not channel.redials
        and not channel.is_gated
        and dials_once(channel)
        and not hands_itself_out(channel)
        and not serves_a_program(channel)
    ):
        return "connects once and never again"
    return None


def always(call: SgNode, branch: Branch) -> bool:
    """Not under a condition of its own, as in a bot that can also pair only."""
    condition = enclosing(call, {"if_statement"})
    return condition is None or not branch.holds(condition)


def is_timed(channel: Channel) -> bool:
    """Whether the connect function sets a timer that ends the process, whatever comes."""
    return any(
        callee_of(call) == "setTimeout"
        and same(enclosing_function(call), channel.connect.node)
        and any(callee_of(inner) == "process.exit" for inner in calls(call))
        for call in calls(channel.connect.node)
    )


def dials_once(channel: Channel) -> bool:
    """Whether the file itself calls the connect function, and never in a loop."""
    outside = [call for call in channel.connect_calls if not within(call, channel.connect.node)]
    return bool(outside) and all(enclosing(call, LOOPS) is None for call in outside)


def hands_itself_out(channel: Channel) -> bool:
    """``onClose(update, connect)`` in the connect function: it is for others to reconnect.

    Where the listener is another file's, also ``listen(sock, () => this.connect())``.
    """
    connect = channel.connect.node
    for node in channel.source.names.get(channel.connect.name, []):
        call = call_given(node)
        if call is not None and within(node, connect) and callee_of(call) not in TIMERS:
            return True
    if not same(channel.logic, channel.socket_call):
        return False
    closures = (enclosing_function(call) for call in channel.connect_calls)
    takers = (call_given(closure) for closure in closures if closure is not None)
    return any(
        taker is not None and callee_of(taker).rpartition(".")[2] not in (*TIMERS, *CHAINED)
        for taker in takers
    )


def serves_a_program(channel: Channel) -> bool:
    """Whether the file hands functions to a program that goes on: a bot's own pairing command."""
    text = channel.source.text
    return HANDS_ON.search(text) is not None and "process.exit" not in text


def call_given(node: SgNode) -> SgNode | None:
    """The call that a node is an argument of."""
    given = node.parent()
    return given.parent() if given is not None and given.kind() == "arguments" else None


def listens(channel: Channel) -> bool:
    return LISTENS.search(channel.source.text) is not None


def unbounded_retry(channel: Channel) -> bool:
    """Whether a pairing script connects again after a flat pause, without counting its tries."""
    close = channel.close
    if close is None:
        return False
    for call in calls(close.node):
        if callee_of(call) not in TIMERS:
            continue
        callback = arguments_of(call)[:1]
        dials = any(channel.is_connect_call(c) for c in calls(call)) or any(
            c.text() in channel.connect_texts for c in callback
        )
        counted = re.search(
            r"\b\w*(attempt|retr|tries|count)\w*\s*(<|>|<=|>=)", close.node.text(), re.I
        )
        if dials and not counted and close.holds(call):
            return True
    return False
