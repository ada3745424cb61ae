"""Whether a channel can be patched at all, and whether its close branch is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.model.channel import Channel, comparison, leaves
from modify.baileys.model.host_context import auth_folder, why_no_folder
from modify.baileys.model.return_value import is_used
from modify.kit.typescript.functions import Function
from modify.kit.typescript.nodes import around, part, sides_around
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    nodes_of,
    same,
    start_of,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.codes import fallback_place, goes_by_codes, helper_goes_by_codes
from modify.baileys.rewrite.limits import limit_on
from modify.baileys.rewrite.redials import stays
from modify.baileys.rewrite.sockets import why_not_held
from modify.baileys.rewrite.wipes import links_again, wipes


def obstacle(channel: Channel) -> str | None:
    """Why the channel cannot have a Reconnect object of its own, or None."""
    if channel.is_on_a_wrapper:
        return "its listener is placed on a wrapper around the socket"
    if same(channel.registration, channel.socket_call) or not is_in_reach(channel):
        return "its listener is placed elsewhere"
    if channel.factory is not None and channel.factory.shared:
        return f"{channel.maker}() makes the sockets of other files, too"
    return why_not_held(channel) or (None if auth_folder(channel) else why_no_folder(channel))


def is_in_reach(channel: Channel) -> bool:
    """Whether the listener's code can name the Reconnect object of the connect function."""
    home = channel.class_node if channel.scope == "class" else channel.owner
    return home is None or within(channel.logic, home)


def why_not_understood(channel: Channel, keeps_loop: bool) -> str | None:
    """What the rewrite does not understand of the close branch; None where it does.

    keeps_loop: the timers, counters and helpers around the redials are to stay.
    """
    close = channel.close
    if close is None:
        return "no branch for a closed connection was found"
    inside = [call for call in channel.redials if close.holds(call)]
    if not inside:
        return "the close branch does not call the connect function"
    if any(is_used(channel, call) and not is_assigned(call) for call in inside):
        return f"the close branch uses what {channel.connect.name}() returns"
    if goes_by_codes(channel, inside) and fallback_place(channel, inside) is None:
        return "it reconnects after some codes only"
    used = [helper for call in inside if (helper := channel.helper_of(call)) is not None]
    kept = [helper for helper in used if stays(channel, helper, keeps_loop)]
    by_codes = next((h for h in kept if helper_goes_by_codes(channel, h.node)), None)
    if by_codes is not None:
        return "it reconnects after some codes only"
    branches = [close.node, *(helper.node for helper in kept)]
    wiping = (wipe for each in branches for wipe in wipes(channel, each))
    relinked = next((wipe for wipe in wiping if links_again(channel, wipe, inside)), None)
    if relinked is not None:
        return "credentials are deleted when the session ends, to link again at once"
    flag = flag_that_turns_away(channel)
    if flag is not None:
        return f"the connect function does nothing while {flag} is set, and only events unset it"
    failing = next(exits_with_an_error(channel, used), None)
    if failing is not None:
        return "the process ends with an error after some attempts"
    limit = next(limits(channel, inside, kept), None)
    return "it gives up after some attempts" if limit is not None else None


def exits_with_an_error(channel: Channel, helpers: list[Function]) -> Iterator[SgNode]:
    """Exits of the close branch and its helpers whose status is not 0, but for a session's end."""
    close = channel.close
    assert close is not None
    for exit_ in channel.exits:
        if close.holds(exit_) and is_an_error(exit_) and not ends_terminal(channel, exit_):
            yield exit_
    for helper in helpers:
        for call in calls(helper.node):
            if callee_of(call) == "process.exit" and is_an_error(call):
                yield call


def is_an_error(exit_: SgNode) -> bool:
    return exit_code(exit_) not in ("0", "")


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
    node = around(call)
    while node.kind() in ("await_expression", "parenthesized_expression"):
        node = around(node)
    is_set = node.kind() == "assignment_expression"
    return is_set and around(node).kind() == "expression_statement"


def flag_that_turns_away(channel: Channel) -> str | None:
    """A flag that the connect function sets, and returns at once where it is set.

    ``if (connecting) return; connecting = true;``: after an attempt that brought no event, or
    threw, the next one would do nothing, and each one after it. So it is with ``if (sock)``.
    """
    connect = channel.connect.node
    raised = {
        part(node, "left").text()
        for node in nodes_of(connect, "assignment_expression")
        if part(node, "right").text() == "true"
        and same(enclosing_function(node), connect)
        and start_of(node) < start_of(channel.socket_call)
    }
    for test in nodes_of(connect, "if_statement"):
        condition = part(test, "condition")
        if not same(enclosing_function(test), connect):
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


def ends_terminal(channel: Channel, exit_: SgNode) -> bool:
    """Whether an exit stands where the session is known to be over."""
    for _, condition, _, holds in sides_around(exit_):
        asked = (each for each in channel.verdicts if within(each, condition))
        if any(comparison(verdict) is holds for verdict in asked):
            return True
        flags = {negated_flag(condition)} if holds else names_in(condition)
        if flags & reconnect_flags(channel):
            return True
    return False


def reconnect_flags(channel: Channel) -> set[str]:
    """Names of constants that mean 'not logged out' (``shouldReconnect``)."""
    found = set()
    for verdict in channel.verdicts:
        name = part(enclosing(verdict, {"variable_declarator"}), "name")
        if name and comparison(verdict) is False:
            found.add(name.text())
    return found


def negated_flag(condition: SgNode) -> str:
    """``x`` of ``(!x)``."""
    found = re.fullmatch(r"\(\s*!(\w+)\s*\)", condition.text())
    return found.group(1) if found else ""


def exit_code(call: SgNode) -> str:
    given = arguments_of(call)
    return given[0].text() if given else ""
