"""``stop()`` where the host ends the socket, and credentials that are written before a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.model.socket_enders import enders_of
from modify.kit.typescript.source import arguments_of, body_of, callee_of, calls, same, span
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import Draft


def place_stop(draft: Draft) -> None:
    """``stop()`` first in every function that ends the link on purpose."""
    channel = draft.channel
    placed: list[SgNode] = []
    for function in enders_of(channel):
        block = body_of(function)
        if block is None or any(same(block, other) for other in placed):
            continue
        placed.append(block)
        draft.insert_first(
            block, f"{draft.instance}.stop(){draft.layout.end}", ids.RECONNECT_AFTER_STOP
        )


def await_credentials(draft: Draft) -> None:
    """A restart right after pairing (515) waits until the credentials are written."""
    channel = draft.channel
    if ".process(" in channel.registration.text():
        await_in_process(draft)
        return
    for call in calls(channel.connect.node):
        given = arguments_of(call)
        if not callee_of(call).endswith(".ev.on") or len(given) < 2:
            continue
        if given[0].text().strip("'\"`") != "creds.update":
            continue
        handler = given[1]
        if handler.kind() == "identifier" or (
            handler.kind() == "member_expression" and "Handler" not in handler.text()
        ):
            draft.put(
                *span(handler),
                f"{draft.instance}.saving({handler.text()})",
                ids.NO_CONNECT_DEADLINE,
            )
            draft.alive |= names_in(handler)
            return


def await_in_process(draft: Draft) -> None:
    """``if (events['creds.update']) await saveCreds();`` in the function for all events."""
    for test in draft.channel.handler.find_all(kind="if_statement"):
        condition, block = test.field("condition"), test.field("consequence")
        if condition is None or block is None or "creds.update" not in condition.text():
            continue
        made = list(calls(block))
        callee = made[0].field("function") if len(made) == 1 else None
        if callee is not None and callee.kind() in ("identifier", "member_expression"):
            text = f"{draft.instance}.saving({callee.text()})"
            draft.put(*span(callee), text, ids.NO_CONNECT_DEADLINE)
            draft.alive |= names_in(callee)
        return
