"""Nothing uses a socket that does not exist yet: the host may now start before the first open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.return_value import returns_value
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import (
    body_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    nodes_of,
    same,
    start_of,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import NOT_YET, Draft


def place_guards(draft: Draft) -> None:
    """Return or throw while the socket does not exist: the host now starts before it does."""
    receiver = draft.receiver
    for function in entry_points(draft):
        for block in unguarded_blocks(draft, function, receiver):
            indent = draft.inner_indent(block)
            throws = around(block, "try_statement") or (
                same(block, body_of(function)) and gives_back(function)
            )
            leave = f"throw new Error({draft.layout.quoted(NOT_YET)})" if throws else "return"
            line = draft.layout.guard(indent, f"!{receiver}", (), draft.braced, leave)
            draft.insert_first(block, line, ids.LOST_FIRST_OPEN)


def gives_back(method: SgNode) -> bool:
    """Whether callers get a value of a method: a bare ``return`` would give them none."""
    return any(returns_value(each, method) for each in nodes_of(method, "return_statement"))


def entry_points(draft: Draft) -> Iterator[SgNode]:
    """Methods that the host calls: public ones of the class, or of the adapter object."""
    channel = draft.channel
    home = channel.class_node if channel.scope == "class" else channel.owner
    if home is None:
        return
    for method in nodes_of(home, "method_definition"):
        private = any(
            c.kind() == "accessibility_modifier" and c.text() != "public" for c in method.children()
        )
        if (
            private
            or part(method, "name").text() in ("", "constructor")
            or within(method, channel.connect.node)
            or makes_the_socket(draft, method)
        ):
            continue
        yield method


def makes_the_socket(draft: Draft, method: SgNode) -> bool:
    """Whether a method gives the socket its value, or leads to the connect function."""
    channel = draft.channel
    return any(
        part(each, "left").text() == draft.receiver
        for each in nodes_of(method, "assignment_expression")
    ) or any(
        channel.is_connect_call(call) or channel.helper_of(call) is not None
        for call in calls(method)
    )


def unguarded_blocks(draft: Draft, method: SgNode, receiver: str) -> Iterator[SgNode]:
    """Innermost try blocks (or the method's body) that use the socket without asking first.

    The callback of a timer is a block of its own: what it throws, no ``try`` around the
    timer catches, and the process would end.
    """
    found: list[SgNode] = []
    body = body_of(method)
    if body is None:
        return
    tests = re.compile(
        r"(!\s*(this\.)?(is)?connected\b|!\s*{0}\b|isConnected\(|if\s*\(\s*{0}\s*(\)|&&))".format(
            re.escape(receiver)
        ),
        re.IGNORECASE,
    )
    for node in nodes_of(body, "member_expression"):
        if (
            part(node, "object").text() != receiver
            or "?." in node.text()[len(receiver) : len(receiver) + 2]
        ):
            continue
        function = enclosing_function(node)
        if function is None or not (same(function, method) or is_timer_callback(function)):
            continue
        block = enclosing(node, {"statement_block"})
        chosen = body
        while block is not None and not same(block, body):
            if around(block, "try_statement") or same(around(block), function):
                chosen = block
                break
            block = enclosing(block, {"statement_block"})
        before = draft.text[start_of(body) : start_of(node)]
        if tests.search(before) or any(same(chosen, other) for other in found):
            continue
        found.append(chosen)
    yield from found


def is_timer_callback(function: SgNode) -> bool:
    """Whether a function is what ``setInterval`` or ``setTimeout`` runs."""
    return callee_of(around(function, "", "")) in ("setInterval", "setTimeout")
