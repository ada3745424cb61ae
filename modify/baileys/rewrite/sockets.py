"""The sockets of a channel go through its Reconnect object: that is where each dial waits.

``makeWASocket({…})`` becomes ``reconnect.socket(makeWASocket, {…})``. A function that makes the
socket elsewhere hands it out when it has dialled: ``reconnect.watch(await openSocket())``, where
``dial()`` alone has waited before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.baileys.model.return_value import hands_out_its_socket, is_used
from modify.baileys.rewrite.draft import Draft
from modify.kit.typescript.functions import named_functions
from modify.kit.typescript.nodes import around
from modify.kit.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    end_of,
    same,
    start_of,
    within,
)
from modify.kit.typescript.wrap_call import why_not_wrapped, wrapped
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def hold_sockets(draft: Draft, instance: str) -> None:
    """instance: how the channel's code names its Reconnect object."""
    for call in made_sockets(draft.channel):
        if is_configured(draft.channel, call):
            wrapper = f"{instance}.socket"
            for start, end, text in wrapped(
                draft.channel.source, draft.layout, call, wrapper, holds_another=False
            ):
                draft.put(start, end, text, ids.UNGATED_CONNECT)
        else:
            whole = around(call, "await_expression") or call
            draft.insert_at(start_of(whole), f"{instance}.watch(", ids.UNGATED_CONNECT)
            draft.insert_at(end_of(whole), ")", ids.UNGATED_CONNECT)


def why_not_held(channel: Channel) -> str | None:
    """Why the sockets of a channel cannot be made through its Reconnect object, or None."""
    for call in made_sockets(channel):
        if is_configured(channel, call):
            why = why_not_wrapped(call)
            if why is not None:
                return why
        elif hands_out_its_socket(channel) or any(
            is_used(channel, each) and not within(each, channel.logic)
            for each in channel.connect_calls
        ):
            maker, connect = callee_of(call), channel.connect.name
            return f"{maker}() makes its socket, which callers of {connect}() use"
    return None


def made_sockets(channel: Channel) -> Iterator[SgNode]:
    """The calls in the connect function that make its socket: one, or one for each case."""
    maker = callee_of(channel.socket_call)
    for call in calls(channel.connect.node):
        if same(call, channel.socket_call) or callee_of(call) == maker:
            yield call


def is_configured(channel: Channel, call: SgNode) -> bool:
    """Whether a call hands Baileys its configuration: the maker itself, or a wrapper around it."""
    given = arguments_of(call)
    if len(given) == 1 and given[0].kind() == "object":
        keys = {(each.field("key") or each).text() for each in given[0].children()}
        if "auth" in keys:
            return True
    own = (each.call for each in named_functions(channel.source.root))
    return channel.factory is None and callee_of(call) not in own
