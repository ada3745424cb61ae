"""The first connection: a rejection must not be the end, and must not hold up the host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import is_private, names_between
from modify.baileys.model.channel import Channel
from modify.baileys.model.reconnect_loop import inside_helper, outermost
from modify.baileys.model.return_value import hands_out_its_socket, is_used
from modify.kit.typescript.functions import Function
from modify.kit.typescript.layout import Entry
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import (
    arguments_of,
    body_of,
    enclosing_function,
    end_of,
    span,
    start_of,
    walk,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import EXIT_COMMENT, LATE_COMMENT, Draft, closure
from modify.baileys.rewrite.ending import EXIT, ending_of, own_condition

EXPORTED = (
    r"\b(export|module\.exports\s*=)\s*\{[^}]*\bNAME\b[^}]*\}"
    r"|\bexport default NAME\b|\bexports(\.\w+)?\s*=\s*NAME\b"
)


def wrap_public(draft: Draft) -> None:
    """A connect function that other files call: its callers get one that waits for its turn.

    The old one, a function or an arrow in a constant, keeps its body under a new name. Where
    callers use what it returns, nothing is wrapped (``questions.py`` reports it).
    """
    channel = draft.channel
    node = channel.connect.node
    outside = [
        call
        for call in channel.connect_calls
        if not within(call, channel.logic) and not inside_helper(channel, call)
    ]
    if any(not within(c, node) for c in outside) or not is_public(channel):
        return
    if hands_out_its_socket(channel):
        return  # its callers use the socket
    declared = declaration(node)
    names = channel.connect.parameter_names
    if declared is None or not all(re.fullmatch(r"\w+", each) for each in names):
        return
    statement, name = declared
    taken = channel.source.names
    new = next(n for n in ("openSocket", "connectOnce", "openWhatsApp") if n not in taken)
    owner = channel.connect.call.removesuffix(channel.connect.name)
    draft.inner = owner + new
    source, layout = channel.source, draft.layout
    indent = source.indent_at(start_of(statement))
    step = layout.style.indent
    block = body_of(node)
    assert block is not None
    head = " ".join(draft.text[start_of(statement) : start_of(block)].split())
    hooks = stopped_hook(draft)
    again = closure(draft.inner, names)
    dial = layout.call_with_closure(
        indent + step, f"await {draft.instance}.dial", again, hooks, tail=layout.end
    )
    end = layout.end if node.kind() == "arrow_function" else ""
    public = f"{head} {{\n{indent}{step}{dial}\n{indent}}}{end}\n\n{indent}"
    inner_head = draft.text[start_of(statement) : start_of(name)]
    inner_head = re.sub(r"^export\s+(default\s+)?", "", inner_head)
    if channel.scope == "class" and not source.path.endswith((".js", ".mjs", ".cjs", ".jsx")):
        inner_head = "private " + re.sub(r"^public\s+", "", inner_head)
    draft.put(start_of(statement), end_of(name), f"{public}{inner_head}{new}", ids.CHANNEL_GIVES_UP)
    draft.waits_to_start = True


def declaration(node: SgNode) -> tuple[SgNode, SgNode] | None:
    """The statement or member that declares a function, ``export`` included, and its name."""
    statement, name = node, part(node, "name")
    if node.kind() == "arrow_function":
        statement = around(node)
        name = part(statement, "name") or part(statement, "property")
        if statement.kind() == "variable_declarator":
            statement = around(statement)
            if not statement or "," in [child.kind() for child in statement.children()]:
                return None
    statement = around(statement, "export_statement") or statement
    return (statement, name) if name else None


def is_public(channel: Channel) -> bool:
    """Whether other files may call the connect function, by its name or by one it is given."""
    node = channel.connect.node
    declared = declaration(node)
    if declared is None:
        return False
    if channel.scope == "class":
        return not is_private(declared[0])
    if channel.scope == "closure":
        return is_handed_out(channel)
    exported = re.compile(EXPORTED.replace("NAME", re.escape(channel.connect.name)))
    return (
        declared[0].kind() == "export_statement" or exported.search(channel.source.text) is not None
    )


def is_handed_out(channel: Channel) -> bool:
    """``return { start: connect }``: a closure gives its connect function away as a value."""
    owner = channel.owner
    return owner is not None and any(
        node.text() == channel.connect.name
        and around(node).kind() in ("pair", "object", "return_statement")
        for node in walk(owner)
        if node.kind() in ("identifier", "shorthand_property_identifier")
        and not within(node, channel.connect.node)
    )


def stopped_hook(draft: Draft) -> list[Entry]:
    condition = own_condition(draft)
    if ending_of(draft) != EXIT or condition == "":
        return []
    asked = f"{condition} && " if condition else ""
    return [Entry("stopped", f"() => {asked}process.exit(0)", EXIT_COMMENT)]


def first_dials(channel: Channel) -> Iterator[SgNode]:
    """Calls that connect for the first time, and whose callers use nothing that they return."""
    for call in channel.connect_calls:
        function = enclosing_function(call)
        inside = function is not None and within(function, channel.connect.node)
        if not inside and not within(call, channel.logic) and not is_used(channel, call):
            yield call


def replaced_at_start(channel: Channel, call: SgNode) -> SgNode:
    """What ``dial(…)`` takes the place of."""
    redial = outermost(channel, call)
    if redial.statement and executor_of(call) is not None:
        return redial.whole
    return rejecting_chain(call) or call


def rewrite_starts(draft: Draft) -> None:
    """Calls that connect for the first time: a rejection must not be the end."""
    for call in first_dials(draft.channel):
        if not draft.covered(call):
            rewrite_start(draft, call)


def rewrite_start(draft: Draft, call: SgNode) -> None:
    channel = draft.channel
    draft.waits_to_start = True
    source = channel.source
    whole = replaced_at_start(channel, call)
    again = closure(draft.callee(call), [a.text() for a in arguments_of(call)])
    executor = executor_of(call)
    indent = source.indent_at(start_of(whole))
    draft.seeds |= names_between(source, *span(whole))
    draft.alive |= set(re.findall(r"\w+", again))
    if executor is None or not outermost(channel, call).statement:
        text = draft.layout.call_with_closure(
            indent, f"{draft.instance}.dial", again, stopped_hook(draft), tail="\0"
        )
        draft.put(*span(whole), text.replace("\0", ""), ids.CHANNEL_GIVES_UP)
        return
    hooks, uses_reject = hooks_for(draft, executor)
    head = f"{draft.floating}{draft.instance}.dial"
    text = draft.layout.call_with_closure(indent, head, again, hooks, tail=draft.layout.end)
    if any(hook.key == "late" for hook in hooks):
        text = f"// {LATE_COMMENT}\n{indent}{text}"
    draft.put(*span(whole), text, ids.CHANNEL_GIVES_UP)
    names = Function(executor, "", "").parameter_names[1:2]
    if not uses_reject and not any(re.search(rf"\b{name}\b", again) for name in names):
        drop_reject(draft, executor, whole)


def rejecting_chain(call: SgNode) -> SgNode | None:
    """``call.catch(…)`` when the catch is the whole chain."""
    chain = around(call, "member_expression", "call_expression")
    catches = part(around(call), "property").text() == "catch"
    return chain if chain and catches and not around(chain, "member_expression") else None


def executor_of(call: SgNode) -> SgNode | None:
    """The ``(resolve, reject) => {…}`` of a ``new Promise`` around the call."""
    function = enclosing_function(call)
    made = around(function, "", "new_expression")
    return function if part(made, "constructor").text() == "Promise" else None


def hooks_for(draft: Draft, executor: SgNode) -> tuple[list[Entry], bool]:
    """(hooks of dial, whether the executor's reject is still used)."""
    names = Function(executor, "", "").parameter_names
    resolve = names[0] if names else "undefined"
    reject = names[1] if len(names) > 1 else None
    if draft.is_adapter:
        hooks = [Entry("late", resolve)] if names else []
        if reject:
            hooks.append(Entry("stopped", reject))
        return hooks, reject is not None
    ending, condition = ending_of(draft), own_condition(draft)
    step = draft.layout.style.indent
    if ending == EXIT and condition is not None:
        ending = f"if ({condition}) {ending}" if condition else ""
    if ending == EXIT:
        hooks = [Entry("stopped", "() => process.exit(0)", EXIT_COMMENT)]
        return ([Entry("late", resolve), *hooks] if draft.boot.shared else hooks), False
    if not ending:
        if reject and is_kept(draft, executor, reject):
            return [Entry("late", resolve), Entry("stopped", reject)], True
        return [Entry("late", resolve), Entry("stopped", f"() => {resolve}()")], False
    end = draft.layout.end
    body = f"() => {{\n{step}{resolve}(){end}\n{step}{ending}{end}\n}}"
    comment = EXIT_COMMENT if EXIT in ending else ""
    return [Entry("late", resolve), Entry("stopped", body, comment)], False


def is_kept(draft: Draft, executor: SgNode, reject: str) -> bool:
    """Whether the host keeps the promise's reject for when the session is over."""
    return any(
        part(each, "right").text() == reject
        for each in executor.find_all(kind="assignment_expression")
    )


def drop_reject(draft: Draft, executor: SgNode, whole: SgNode) -> None:
    """``(resolve, reject)`` becomes ``(resolve)`` when nothing rejects any more."""
    names = Function(executor, "", "").parameters
    if len(names) < 2:
        return
    name = names[1].text()
    elsewhere = [
        node
        for node in walk(executor)
        if node.kind() in ("identifier", "shorthand_property_identifier")
        and node.text() == name
        and not within(node, whole)
        and not within(node, names[1])
    ]
    if not elsewhere:
        draft.put(end_of(names[0]), end_of(names[1]), "", ids.CHANNEL_GIVES_UP)
        if not draft.layout.style.arrow_parens and names[0].kind() == "required_parameter":
            parameters = executor.field("parameters")
            if parameters is not None:
                del draft.changes[(end_of(names[0]), end_of(names[1]))]
                draft.put(*span(parameters), names[0].text(), ids.CHANNEL_GIVES_UP)


def settles_early(draft: Draft) -> bool:
    """Whether the host goes on before the first open, so that others need not wait."""
    if not draft.waits_to_start:
        return False
    if draft.is_adapter or draft.boot.shared:
        return True
    return ending_of(draft) != EXIT or own_condition(draft) is not None
