"""Channels that an earlier skillgen patched: their gate moves from the function to the dial.

It wrote ``const attempt = await reconnect.turn();`` into the connect function and
``if (!reconnect.observe(update, attempt, sock)) return;`` into the listener. Both go, and the call
that makes the socket is wrapped instead; the rest of that rewrite stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.sockets import hold_sockets, why_not_held
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    span,
    statement_around,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode

RULE = ids.UNGATED_CONNECT
MESSAGE = "it waits in its connect function, as an earlier version of skillgen had it"
FIX = "each attempt waits for its turn: the call that makes the socket is wrapped"
RETURNS = re.compile(r"\{?\s*return;?\s*\}?")
WAITS = re.compile(r"(const\s+\w+\s*=\s*)?await\s+[\w.]+\.turn\(\);?")
# (events['connection.update'] && reconnect.observe(…)), on one line or several
LAST_OF_ALL = re.compile(r"^\(\s*(?P<first>[^&]*?)\s*&&\s*[\w.]+\.observe\([^()]*\)\s*\)$")


def why_not_upgraded(channel: Channel) -> str | None:
    """Why a channel in the earlier form stays as it is, or None."""
    unheld = why_not_held(channel)
    if unheld is not None:
        return unheld
    for call in calls_of_gate(channel, "observe"):
        if guard_of(call) is None and batch_test_of(call) is None:
            return "its listener was changed after it was patched"
    turns = list(calls_of_gate(channel, "turn"))
    if len(turns) != 1 or not is_alone(turns[0]):
        return "its connect function was changed after it was patched"
    return None


def upgrade(draft: Draft) -> None:
    """Plan the edits of a channel that :func:`why_not_upgraded` has nothing against."""
    channel = draft.channel
    assert channel.gate is not None
    for turn in calls_of_gate(channel, "turn"):
        draft.take_line(statement_around(turn), RULE)
    for look in calls_of_gate(channel, "observe"):
        guard, test = guard_of(look), batch_test_of(look)
        if guard is not None:
            draft.take_line(guard, RULE)
        elif test is not None:
            found = LAST_OF_ALL.match(test.text())
            assert found is not None
            draft.put(*span(test), f"({found['first']})", RULE)
    for saving in calls_of_gate(channel, "saving"):
        given = arguments_of(saving)
        if len(given) == 1:
            draft.put(*span(saving), given[0].text(), RULE)
    hold_sockets(draft, channel.gate)


def calls_of_gate(channel: Channel, method: str) -> Iterator[SgNode]:
    """The calls of a method of the channel's Reconnect object, in its file."""
    for call in calls(channel.source.root):
        if callee_of(call) == f"{channel.gate}.{method}":
            yield call


def guard_of(look: SgNode) -> SgNode | None:
    """The ``if (!reconnect.observe(…)) return;`` around a call, or None where it is another."""
    test = around(look, "unary_expression", "parenthesized_expression", "if_statement")
    leaves = RETURNS.fullmatch(part(test, "consequence").text()) is not None
    return test if leaves and not part(test, "alternative") else None


def batch_test_of(look: SgNode) -> SgNode | None:
    """The condition ``(events['connection.update'] && reconnect.observe(…))`` around a call."""
    for outer in look.ancestors():
        if outer.kind() == "parenthesized_expression":
            return outer if LAST_OF_ALL.match(outer.text()) else None
    return None


def is_alone(turn: SgNode) -> bool:
    """Whether a statement does nothing but wait: ``const attempt = await reconnect.turn();``."""
    return WAITS.fullmatch(statement_around(turn).text()) is not None
