"""The gate and the eye: the first statements of the connect function and of the handler."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.rewrite.early_returns import last_guard
from modify.kit.typescript.functions import Function, pattern_names
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    body_of,
    end_of,
    line_of,
    same,
    span,
    start_of,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import Draft


def place_gate(draft: Draft) -> None:
    block = body_of(draft.channel.connect.node)
    assert block is not None
    line = f"const {draft.attempt} = await {draft.instance}.turn(){draft.layout.end}"
    guard = last_guard(draft.channel)
    if guard is None:
        draft.insert_first(block, line, ids.UNGATED_CONNECT)
        return
    indent = draft.channel.source.indent_at(start_of(guard))
    place = draft.channel.source.line_end(end_of(guard))
    if draft.text[end_of(guard) : place].strip():  # more code in the same line
        draft.insert_at(end_of(guard), f"\n{indent}{line}\n{indent}", ids.UNGATED_CONNECT)
    else:
        draft.insert_at(place, f"{indent}{line}\n", ids.UNGATED_CONNECT)


def place_eye(draft: Draft) -> None:
    channel = draft.channel
    source = channel.source
    handler = channel.handler
    inline = handler.kind() in FUNCTION_KINDS and same(handler, channel.logic)
    assigned = same(channel.logic, assigned_handler(draft))
    block = body_of(channel.logic)
    if (
        (inline or assigned)
        and block is not None
        and channel.registration.text().find(".process(") < 0
    ):
        indent = draft.inner_indent(block)
        update, taken = channel.update_name, ""
        if update is None:
            update, taken = destructured(draft, indent)
        draft.insert_first(block, look_at(draft, indent, update) + taken, ids.NO_CONNECT_DEADLINE)
        return
    wrap_handler(draft, source.indent_at(start_of(channel.registration)))


def assigned_handler(draft: Draft) -> SgNode | None:
    """A function kept in a property inside the connect function: it sees the attempt."""
    logic = draft.channel.logic
    return logic if within(logic, draft.channel.connect.node) else None


def look_at(draft: Draft, indent: str, update: str) -> str:
    """The eye's statement: return from the handler on an event of an earlier attempt."""
    arguments = [update, draft.attempt, draft.receiver]
    return draft.layout.guard(indent, f"!{draft.instance}.observe", arguments, draft.braced)


def destructured(draft: Draft, indent: str) -> tuple[str, str]:
    """(the eye's argument, the statement after it) for ``({ connection, … }) => {``.

    The parameter gets a name and is taken apart in the next statement. Where the
    formatter has put it on a line of its own, it stays: a shorter parameter would
    make it reformat the whole handler.
    """
    parameter = parameter_pattern(draft)
    names = dict(pattern_names(parameter))
    pattern = " ".join(parameter.text().split())
    alone = line_of(parameter) != line_of(draft.channel.registration)
    if alone and all(names.get(key) == key for key in ("connection", "lastDisconnect", "qr")):
        return draft.layout.braces("connection, lastDisconnect, qr"), ""
    taken = names_in(draft.channel.logic)
    update = next(n for n in ("update", "state", "connectionUpdate") if n not in taken)
    whole = draft.channel.logic.field("parameters")
    bare = whole is not None and whole.text() == f"({parameter.text()})"
    arrow = draft.channel.logic.kind() == "arrow_function" and not draft.layout.style.arrow_parens
    target = whole if whole is not None and bare and arrow else parameter
    draft.put(*span(target), update, ids.NO_CONNECT_DEADLINE)
    return update, f"\n{indent}const {pattern} = {update}{draft.layout.end}"


def parameter_pattern(draft: Draft) -> SgNode:
    parameter = Function(draft.channel.logic, "", "").parameters[0]
    return parameter.field("pattern") or parameter


def wrap_handler(draft: Draft, indent: str) -> None:
    """Put the eye between the event and a handler that is defined elsewhere."""
    channel, layout = draft.channel, draft.layout
    step = layout.style.indent
    handler = channel.handler
    if channel.registration.text().find(".process(") >= 0:
        eye_in_process(draft)
        return
    if handler.kind() in FUNCTION_KINDS and body_of(handler) is not None:
        block = body_of(handler)
        parameter = Function(handler, "", "").parameter_names
        assert block is not None
        name = parameter[0] if parameter else "update"
        look = look_at(draft, draft.inner_indent(block), name)
        draft.insert_first(block, look, ids.NO_CONNECT_DEADLINE)
        return
    target = re.sub(r"\.bind\(.*\)$", "", handler.text(), flags=re.DOTALL)
    if handler.kind() in FUNCTION_KINDS:  # (u) => this.onUpdate(u)
        body = handler.field("body")
        name = Function(handler, "", "").parameter_names[0]
        inner = body.text() if body is not None else ""
    else:
        name, inner = "update", f"{target}(update)"
    guard = look_at(draft, indent + step, name)
    lines = f"{indent}{step}{guard}\n{indent}{step}{inner}{layout.end}"
    text = f"{layout.arrow(name)} {{\n{lines}\n{indent}}}"
    draft.put(*span(handler), text, ids.NO_CONNECT_DEADLINE)


def eye_in_process(draft: Draft) -> None:
    """Put the eye into ``ev.process(events => { if (events['connection.update']) … })``.

    The host still gets the other events of the batch, whatever the eye returns.
    """
    for test in draft.channel.handler.find_all(kind="if_statement"):
        condition, block = test.field("condition"), test.field("consequence")
        if condition is None or block is None or block.kind() != "statement_block":
            continue
        event = re.sub(r"^\(\s*|\s*\)$", "", condition.text())
        if event not in draft.channel.update_texts - {draft.channel.update_name}:
            continue
        if test.field("alternative") is not None:
            continue
        layout = draft.layout
        indent = draft.channel.source.indent_at(start_of(test))
        look = f"{draft.instance}.observe({event}, {draft.attempt}, {draft.receiver})"
        if layout.fits(indent, f"if ({event} && {look}) {{"):
            text = f"({event} && {look})"
        else:
            deeper = indent + layout.style.indent
            text = f"(\n{deeper}{event} &&\n{deeper}{look}\n{indent})"
        draft.put(*span(condition), text, ids.NO_CONNECT_DEADLINE)
        return
    why = "the place where the update is taken out was not found"
    draft.leave(draft.channel.registration, why)
