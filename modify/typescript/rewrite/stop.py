"""``stop()`` where the host ends the socket, and credentials that are written before a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.typescript.source import (
    FUNCTION_KINDS,
    arguments_of,
    body_of,
    callee_of,
    calls,
    same,
    span,
)
from modify.typescript.sweep import names_in

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.typescript.rewrite.draft import Draft


def place_stop(draft: Draft) -> None:
    """``stop()`` first in every function that ends the link on purpose."""
    channel = draft.channel
    placed: list[SgNode] = []
    for function in channel.enders:
        block = body_of(function)
        if block is None or any(same(block, other) for other in placed):
            continue
        placed.append(block)
        draft.insert_first(
            block, f"{draft.instance}.stop(){draft.layout.end}", "reconnect-after-stop"
        )
    if not placed and channel.scope != "class":
        for function in signal_handlers(draft):
            block = body_of(function)
            if block is not None and not any(same(block, other) for other in placed):
                placed.append(block)
                draft.insert_first(
                    block, f"{draft.instance}.stop(){draft.layout.end}", "reconnect-after-stop"
                )


def signal_handlers(draft: Draft) -> Iterator[SgNode]:
    channel = draft.channel
    for call in calls(channel.source.root):
        given = arguments_of(call)
        if callee_of(call) not in ("process.on", "process.once") or len(given) < 2:
            continue
        if not re.search(r"SIG(TERM|INT)", given[0].text()):
            continue
        target = given[1]
        names = {callee_of(c) for c in calls(target)} | {target.text()}
        for function in channel.source.root.find_all(kind="variable_declarator"):
            name, value = function.field("name"), function.field("value")
            if (
                name is not None
                and name.text() in names
                and value is not None
                and value.kind() in FUNCTION_KINDS
            ):
                yield value
        for declared in channel.source.root.find_all(kind="function_declaration"):
            name = declared.field("name")
            if name is not None and name.text() in names:
                yield declared
        if target.kind() in FUNCTION_KINDS and "process.exit" in target.text():
            yield target


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
                "no-connect-deadline",
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
            draft.put(*span(callee), text, "no-connect-deadline")
            draft.alive |= names_in(callee)
        return
