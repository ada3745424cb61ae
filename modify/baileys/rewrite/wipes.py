"""Credentials that a close branch deletes: to link again at once, or because the session is over.

The first is for a person to decide. The second is an end: what deletes stays, under the
host's own code. The gate's verdicts are more than 401, and an account that is locked or
blocked for a while is no reason to throw its link away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.model.channel import Channel, comparison, leaves
from modify.kit.typescript.functions import Function, named_functions
from modify.kit.typescript.nodes import part, sides_around
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    enclosing,
    end_of,
    same,
    start_of,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

DELETES = re.compile(r"(^|\.)(rm|rmSync|rmdir|unlink|unlinkSync|rmdirSync|emptyDir(Sync)?)$")
WIPES_BY_NAME = re.compile(
    r"(^|\.)(delete|drop|clear|wipe|remove|purge|destroy)\w*(auth|cred|session)\w*$", re.IGNORECASE
)
CREDENTIALS = re.compile(r"auth|cred|session", re.IGNORECASE)
CLEAN = ("", "0", "undefined")


class Wipe(NamedTuple):
    """A deletion of credentials. call: in the branch. node: where they are deleted."""

    call: SgNode
    node: SgNode


def wipes(channel: Channel, branch: SgNode) -> Iterator[Wipe]:
    """Calls of a branch that delete the credentials, themselves or in a function of the file."""
    own = {
        function.call: deletion
        for function in named_functions(channel.source.root)
        if function.call not in channel.connect_texts
        and (deletion := deletion_in(function)) is not None
    }
    for call in calls(branch):
        callee = callee_of(call)
        if DELETES.search(callee) or WIPES_BY_NAME.search(callee):
            yield Wipe(call, call)
        elif callee in own:
            yield Wipe(call, own[callee])


def deletion_in(function: Function) -> SgNode | None:
    return next(
        (
            call
            for call in calls(function.node)
            if DELETES.search(callee_of(call)) and CREDENTIALS.search(call.text())
        ),
        None,
    )


def links_again(channel: Channel, wipe: Wipe, redials: list[SgNode]) -> bool:
    """Whether a new link may be asked for after the credentials are deleted.

    No, where that happens for a session that is over, and nothing there connects or has the
    supervisor start the process anew.
    """
    found = end_around(channel, wipe.call)
    if found is None or channel.helper_of(wipe.call) is not None:
        return True
    test, taken = found
    ends = [call for call in calls(taken) if callee_of(call) == "process.exit"]
    if any(arguments_of(call) and arguments_of(call)[0].text() not in CLEAN for call in ends):
        return True
    stops = leaves(taken) or bool(ends)
    for redial in redials:
        if within(redial, taken):
            return True
        follows = start_of(redial) > end_of(test) and not stops
        precedes = start_of(redial) < start_of(test)
        if (follows or precedes) and not is_for_other_codes(channel, redial):
            return True
    return False


def is_for_other_codes(channel: Channel, redial: SgNode) -> bool:
    return any(
        means(channel, each.condition, each.holds, over=False) for each in sides_around(redial)
    )


def end_around(channel: Channel, call: SgNode) -> tuple[SgNode, SgNode] | None:
    """The test for the end of the session around a call, and its side that holds the call."""
    close = channel.close
    for test, condition, side, holds in sides_around(call):
        if close is None or not close.holds(test):
            return None
        if means(channel, condition, holds, over=True):
            return test, side
    return None


def means(channel: Channel, test: SgNode, truth: bool, over: bool, depth: int = 0) -> bool:
    """Whether a test with the outcome ``truth`` implies that the session is over (or not)."""
    parts = [child for child in test.children() if child.is_named()]
    if test.kind() == "parenthesized_expression":
        return means(channel, parts[0], truth, over, depth)
    if test.kind() == "unary_expression" and test.text().startswith("!"):
        return means(channel, parts[0], not truth, over, depth)
    sign = part(test, "operator").text()
    if test.kind() == "binary_expression" and sign in ("&&", "||"):
        sides = [means(channel, part, truth, over, depth) for part in parts]
        return any(sides) if (sign == "&&") is truth else all(sides)
    equal = comparison(test)
    if equal is not None:
        known = any(same(verdict, test) for verdict in channel.verdicts)
        return known and (equal is truth) is over
    value = constant(channel, test) if test.kind() == "identifier" and depth < 3 else None
    return value is not None and means(channel, value, truth, over, depth + 1)


def constant(channel: Channel, name: SgNode) -> SgNode | None:
    """The value of a constant of the handler (``shouldReconnect``)."""
    for verdict in channel.verdicts:
        declarator = part(enclosing(verdict, {"variable_declarator"}))
        is_own = declarator and within(declarator, channel.logic)
        if is_own and part(declarator, "name").text() == name.text():
            return declarator.field("value")
    return None


def kept_verdicts(channel: Channel) -> list[SgNode]:
    """The tests for 'logged out' under which credentials are deleted: they stay, for 401 alone."""
    close = channel.close
    assert close is not None
    tests = [
        found[0]
        for wipe in wipes(channel, close.node)
        if (found := end_around(channel, wipe.call)) is not None
    ]
    kept = []
    for test in tests:
        condition = part(test, "condition")
        names = names_in(condition)
        for verdict in channel.verdicts:
            flag = part(enclosing(verdict, {"variable_declarator"}), "name").text()
            flagged = flag in names
            if within(verdict, condition) or (flagged and within(verdict, channel.logic)):
                kept.append(verdict)
    return kept
