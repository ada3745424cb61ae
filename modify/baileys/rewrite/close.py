"""The close branch: every way to dial again goes through ``dial(…)``, and 401 is not all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_between, names_in
from modify.baileys.model.channel import Channel, comparison
from modify.baileys.model.reconnect_loop import Redial, droppable_callback, is_thin, outermost
from modify.baileys.model.return_value import is_used
from modify.kit.typescript.functions import Function
from modify.kit.typescript.source import (
    arguments_of,
    calls,
    enclosing,
    end_of,
    same,
    span,
    start_of,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.cleanup.stale_logs import rewrite_stale_logs
from modify.baileys.rewrite.codes import goes_by_codes, is_over, place_fallback
from modify.baileys.rewrite.draft import Draft, closure
from modify.baileys.rewrite.ending import ending_of
from modify.baileys.rewrite.wipes import kept_verdicts


def rewrite_close_branch(draft: Draft) -> None:
    channel = draft.channel
    close = channel.close
    assert close is not None
    redials = [call for call in channel.redials if close.holds(call)]
    for call in redials:
        if draft.covered(call):
            continue
        if is_over(channel, call) and end_instead(draft, call):
            continue
        helper = channel.helper_of(call)
        if helper is not None and (draft.gentle or not is_thin(channel, helper)):
            inside_helper(draft, helper)
        elif is_used(channel, call):
            dial_around(draft, call)
        else:
            climb = outermost_chain_only if draft.gentle else outermost
            replace_redial(draft, climb(channel, call), again(draft, call))
    if goes_by_codes(channel, redials):
        place_fallback(draft, redials, again(draft, redials[0]))


def end_instead(draft: Draft, call: SgNode) -> bool:
    """A redial where the session is over makes room for the host's way to stop."""
    found = outermost(draft.channel, call)
    parent = found.whole.parent()
    if not found.statement or parent is None or parent.kind() != "statement_block":
        return False
    start, end = span(found.whole)
    source = draft.channel.source
    draft.loop |= names_between(source, start, end)
    ending = ending_of(draft)
    if ending:
        draft.put(start, end, f"{ending}{draft.layout.end}", ids.AUTH_FAILURE_EXIT)
    else:
        draft.put(source.line_start(start), source.line_end(end), "", ids.AUTH_FAILURE_EXIT)
    return True


def dial_around(draft: Draft, call: SgNode) -> None:
    """``sock = await connect()``: the whole statement is what is tried again."""
    statement = enclosing(call, {"expression_statement"})
    assert statement is not None  # has_known_shape() has looked
    indent, step = draft.channel.source.indent_at(start_of(statement)), draft.layout.style.indent
    inner = statement.text().replace("\n", f"\n{step}")
    head = f"{draft.instance}.dial(async () => {{"
    text = f"{head}\n{indent}{step}{inner}\n{indent}}}){draft.layout.end}"
    draft.alive |= names_between(draft.channel.source, *span(statement))
    draft.put(*span(statement), text, ids.FLAT_RETRY)


def inside_helper(draft: Draft, helper: Function) -> None:
    """A helper that does more than loop stays; only its dialling goes through the gate."""
    for call in calls(helper.node):
        channel = draft.channel
        if channel.dialled_by(call) in channel.connect_texts and not draft.covered(call):
            if is_used(channel, call):
                dial_around(draft, call)
                continue
            callee = draft.inner or channel.dialled_by(call)
            given = [] if channel.is_deferred(call) else [a.text() for a in arguments_of(call)]
            again = "" if channel.first_open_parameter else closure(callee, given)
            replace_redial(draft, outermost_chain_only(channel, call), again)


def again(draft: Draft, call: SgNode) -> str:
    """The closure that dials again, the first-open callback passed on."""
    channel = draft.channel
    if channel.helper_of(call) is not None:
        return closure(draft.inner or channel.connect.call, own_arguments(draft))
    if channel.is_deferred(call):
        given = [a.text() for a in arguments_of(call)[2:]]
        callee = draft.inner or channel.dialled_by(call)
        return closure(callee, given or own_arguments(draft))
    given = [a.text() for a in arguments_of(call)]
    return closure(draft.callee(call), given or own_arguments(draft))


def own_arguments(draft: Draft) -> list[str]:
    channel = draft.channel
    name = channel.first_open_parameter
    if name is None or not within(channel.logic, channel.connect.node):
        return []
    position = channel.connect.parameter_names.index(name)
    return channel.connect.parameter_names[: position + 1]


def replace_redial(draft: Draft, redial: Redial, again: str) -> None:
    """Put ``dial(…)`` in the place of an old way to dial again."""
    channel = draft.channel
    start, end = span(redial.whole)
    indent = channel.source.indent_at(start)
    tail = draft.layout.end if redial.statement else ""
    if again:
        text = draft.layout.call_with_closure(
            indent, f"{draft.instance}.dial", again, tail=tail or "\0"
        )
    else:
        text = f"{draft.instance}.dial(){tail}"
    text = text.replace("\0", "")
    if redial.returns and not is_last(draft, redial.whole):
        text += f"\n{indent}return{draft.layout.end}"
    draft.loop |= names_between(channel.source, start, end)
    draft.alive |= set(re.findall(r"\w+", again)) - {"this"}
    draft.put(start, end, text, ids.FLAT_RETRY)
    delay, first = redial.delay, redial.whole
    wait = wait_before(redial)
    if wait is not None:
        first, delay = wait
        draft.loop |= names_between(channel.source, *span(first))
        draft.take_line(first, ids.FLAT_RETRY)
    if redial.statement:
        rewrite_stale_logs(draft, first, delay or "")


# await delay(5000), await new Promise((resolve) => setTimeout(resolve, 5000))
WAIT = re.compile(
    r"^await\s+(?:(?:\w+\.)?(?:delay|sleep|wait|setTimeout)"
    r"|new\s+Promise(?:<\w+>)?\(\s*\(?(?P<done>\w+)\)?\s*=>\s*setTimeout)"
    r"\(\s*(?(done)(?P=done)\s*,\s*)(?P<delay>[\d_]+(?:\s*\*\s*[\d_]+)?)\s*\)(?(done)\s*\));?$"
)


def wait_before(redial: Redial) -> tuple[SgNode, str] | None:
    """A flat wait right before the redial, and its delay: all waiting is in the gate."""
    previous = redial.whole.prev() if redial.statement else None
    found = WAIT.search(previous.text()) if previous is not None else None
    return (previous, found["delay"]) if previous is not None and found else None


def is_last(draft: Draft, statement: SgNode) -> bool:
    assert draft.channel.close is not None
    body = draft.channel.close.body
    return bool(body) and same(body[-1], statement)


def rewrite_verdicts(draft: Draft) -> None:
    """'Not logged out' becomes 'not terminal': the policy knows every code, not just 401."""
    kept = kept_verdicts(draft)
    for node in draft.channel.verdicts:
        if draft.covered(node):
            continue
        if any(same(node, each) for each in kept):
            ask_first(draft, node)
            continue
        again = said_again(draft, node)
        if again is not None:
            draft.seeds |= names_in(node)
            draft.put(*again, "", ids.AUTH_FAILURE_EXIT)
            continue
        terminal = f"{draft.instance}.terminal"
        text = terminal if comparison(node) else f"!{terminal}"
        start, end = span(node)
        draft.seeds |= names_in(node)
        draft.put(start, end, text, ids.AUTH_FAILURE_EXIT)


def ask_first(draft: Draft, verdict: SgNode) -> None:
    """``reconnect.terminal && code === 401``: the gate may have one more try for this code."""
    equal = comparison(verdict)
    terminal = f"{draft.instance}.terminal"
    before = f"{terminal} && " if equal else f"!{terminal} || "
    start, end = span(verdict)
    around = verdict.parent()
    operator = around.field("operator") if around is not None else None
    draft.alive |= names_in(verdict)
    if operator is not None and operator.text() in ("&&", "||") and operator.text() not in before:
        draft.insert_at(start, f"({before}", ids.AUTH_FAILURE_EXIT)
        draft.insert_at(end, ")", ids.AUTH_FAILURE_EXIT)
    else:
        draft.insert_at(start, before, ids.AUTH_FAILURE_EXIT)


def said_again(draft: Draft, verdict: SgNode) -> tuple[int, int] | None:
    """The ``|| code === 401`` that only repeats a verdict on its left."""
    parent = verdict.parent()
    if parent is None or parent.kind() != "binary_expression":
        return None
    left, right, operator = parent.field("left"), parent.field("right"), parent.field("operator")
    if left is None or right is None or not same(right, verdict) or operator is None:
        return None
    before = left.field("right") if left.kind() == "binary_expression" else None
    alike = [left] if comparison(left) is not None else [before] if before is not None else []
    sign = "||" if comparison(verdict) else "&&"
    known = any(
        same(each, other) and comparison(each) is comparison(verdict)
        for each in alike
        for other in draft.channel.verdicts
    )
    return (end_of(left), end_of(verdict)) if known and operator.text() == sign else None


def outermost_chain_only(channel: Channel, call: SgNode) -> Redial:
    """The call with its ``.catch``, without the timer that the host keeps around it.

    A ``.then`` or ``.finally`` stays: ``dial`` returns a promise, too.
    """
    node = call
    while True:
        parent = node.parent()
        chain = parent.parent() if parent is not None else None
        method = parent.field("property") if parent is not None else None
        if (
            chain is not None
            and chain.kind() == "call_expression"
            and method is not None
            and method.text() == "catch"
            and all(droppable_callback(channel, each) for each in arguments_of(chain))
        ):
            node = chain
            continue
        if parent is not None and parent.kind() == "expression_statement":
            return Redial(call, parent, True)
        return Redial(call, node, False)
