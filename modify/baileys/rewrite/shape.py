"""Whether a channel can be patched at all, and whether its close branch is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.model.channel import Channel, comparison, leaves
from modify.baileys.model.host_context import auth_folder, why_no_folder
from modify.baileys.model.reconnect_loop import is_thin
from modify.baileys.model.return_value import is_used
from modify.kit.typescript.functions import Function
from modify.kit.typescript.source import (
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    line_of,
    nodes_of,
    same,
    start_of,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.codes import fallback_place, goes_by_codes, helper_goes_by_codes
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.limits import limit_on
from modify.baileys.rewrite.wipes import links_again, wipes


def obstacle(draft: Draft) -> str | None:
    """Why not even the gate can be placed, or None."""
    channel = draft.channel
    if channel.apart:
        registration = channel.registration
        if within(registration, channel.connect.node) and not same(
            registration, channel.socket_call
        ):
            return "its listener is placed on a wrapper around the socket"
        return "its listener is placed elsewhere"
    if channel.factory is not None and channel.factory.shared:
        return f"{callee_of(channel.socket_call)}() makes the sockets of other files, too"
    if not channel.connect.is_async:
        return f"the connect function {channel.connect.name} is not async: it cannot wait"
    if body_of(channel.connect.node) is None:
        return f"the connect function {channel.connect.name} has no body of its own"
    draft.folder = auth_folder(channel)
    if draft.folder is None:
        return why_no_folder(channel)
    return draft.barred or None


def has_known_shape(draft: Draft) -> bool:
    """Whether the rewrite understands the close branch; if not, record why in the draft."""
    channel = draft.channel
    close = channel.close
    if close is None:
        draft.reasons.append(
            (line_of(channel.registration), "no branch for a closed connection was found")
        )
        return False
    inside = [call for call in channel.redials if close.holds(call)]
    if not inside:
        draft.reasons.append(
            (line_of(close.node), "the close branch does not call the connect function")
        )
        return False
    if any(is_used(channel, call) and not is_assigned(call) for call in inside):
        draft.reasons.append(
            (line_of(close.node), f"the close branch uses what {channel.connect.name}() returns")
        )
        return False
    if goes_by_codes(channel, inside) and fallback_place(channel, inside) is None:
        draft.reasons.append((line_of(close.node), "only some codes are dialled again"))
        return False
    kept = [h for h in used_helpers(draft, inside) if draft.gentle or not is_thin(channel, h)]
    by_codes = next((h for h in kept if helper_goes_by_codes(channel, h.node)), None)
    if by_codes is not None:
        draft.reasons.append((line_of(by_codes.node), "only some codes are dialled again"))
        return False
    branches = [close.node, *(helper.node for helper in kept)]
    wiping = (wipe for each in branches for wipe in wipes(channel, each))
    relinked = next((wipe for wipe in wiping if links_again(channel, wipe, inside)), None)
    if relinked is not None:
        draft.reasons.append(
            (
                line_of(relinked.node),
                "credentials are deleted when the session ends, to link again at once",
            )
        )
        return False
    flag = flag_that_turns_away(channel)
    if flag is not None:
        draft.reasons.append(
            (
                line_of(channel.connect.node),
                f"the connect function does nothing while {flag} is set, and only events unset it",
            )
        )
        return False
    for exit_ in channel.exits:
        if (
            close.holds(exit_)
            and exit_code(exit_) not in ("0", "")
            and not ends_terminal(draft, exit_)
        ):
            draft.reasons.append(
                (line_of(exit_), "the process ends with an error after some attempts")
            )
            return False
    for helper in used_helpers(draft, inside):
        for call in calls(helper.node):
            if callee_of(call) == "process.exit" and exit_code(call) not in ("0", ""):
                draft.reasons.append(
                    (line_of(call), "the process ends with an error after some attempts")
                )
                return False
    limit = next(limits(channel, inside, kept), None)
    if limit is not None:
        draft.reasons.append((line_of(limit), "it gives up after some attempts"))
        return False
    return True


def limits(channel: Channel, redials: list[SgNode], kept: list[Function]) -> Iterator[SgNode]:
    """Tests of a counter in the close branch, or in a helper that stays, that end the loop."""
    close = channel.close
    assert close is not None
    for call in redials:
        found = limit_on(call, close.node)
        if found is not None:
            yield found
    for helper in kept:
        for call in calls(helper.node):
            found = limit_on(call, helper.node) if channel.is_connect_call(call) else None
            if found is not None:
                yield found


def is_assigned(call: SgNode) -> bool:
    """``sock = await connect();``: a statement that can be run again as a whole."""
    node = call.parent()
    while node is not None and node.kind() in ("await_expression", "parenthesized_expression"):
        node = node.parent()
    statement = node.parent() if node is not None else None
    return (
        node is not None
        and node.kind() == "assignment_expression"
        and statement is not None
        and statement.kind() == "expression_statement"
    )


def flag_that_turns_away(channel: Channel) -> str | None:
    """A flag that the connect function sets, and returns at once where it is set.

    ``if (connecting) return; connecting = true;``: after an attempt that brought no event, or
    threw, the next one would do nothing, and each one after it. So it is with ``if (sock)``.
    """
    connect = channel.connect.node
    raised = {
        left.text()
        for node in nodes_of(connect, "assignment_expression")
        if (left := node.field("left")) is not None
        and (right := node.field("right")) is not None
        and right.text() == "true"
        and same(enclosing_function(node), connect)
        and start_of(node) < start_of(channel.socket_call)
    }
    for test in nodes_of(connect, "if_statement"):
        condition = test.field("condition")
        if condition is None or not same(enclosing_function(test), connect):
            continue
        if start_of(test) > start_of(channel.socket_call) or not leaves(test.field("consequence")):
            continue
        for flag in sorted(raised):
            if re.search(rf"(?<![\w.!]){re.escape(flag)}\b", condition.text()):
                return flag
        sock = channel.socket_name or ""
        if sock and re.fullmatch(rf"\(\s*{re.escape(sock)}(\?\.\w+)?\s*\)", condition.text()):
            return sock
    return None


def used_helpers(draft: Draft, redials: list[SgNode]) -> Iterator[Function]:
    for call in redials:
        helper = draft.channel.helper_of(call)
        if helper is not None:
            yield helper


def ends_terminal(draft: Draft, exit_: SgNode) -> bool:
    """Whether an exit stands where the session is known to be over."""
    for outer in exit_.ancestors():
        if outer.kind() != "if_statement":
            continue
        condition = outer.field("condition")
        alternative = outer.field("alternative")
        consequence = outer.field("consequence")
        if condition is None:
            continue
        if consequence is not None and within(exit_, consequence):
            if any(within(v, condition) and comparison(v) for v in draft.channel.verdicts):
                return True
            if negated_flag(condition) in reconnect_flags(draft):
                return True
        if alternative is not None and within(exit_, alternative):
            if any(within(v, condition) and comparison(v) is False for v in draft.channel.verdicts):
                return True
            if names_in(condition) & reconnect_flags(draft):
                return True
    return False


def reconnect_flags(draft: Draft) -> set[str]:
    """Names of constants that mean 'not logged out' (``shouldReconnect``)."""
    found = set()
    for verdict in draft.channel.verdicts:
        declarator = enclosing(verdict, {"variable_declarator"})
        name = declarator.field("name") if declarator is not None else None
        if name is not None and comparison(verdict) is False:
            found.add(name.text())
    return found


def negated_flag(condition: SgNode) -> str:
    """``x`` of ``(!x)``."""
    found = re.fullmatch(r"\(\s*!(\w+)\s*\)", condition.text())
    return found.group(1) if found else ""


def exit_code(call: SgNode) -> str:
    given = arguments_of(call)
    return given[0].text() if given else ""
