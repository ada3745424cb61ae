"""The close branch: every way to reconnect goes through ``dial(…)``, and 401 is not all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import names_between, names_in
from modify.baileys.cleanup.stale_logs import rewrite_stale_logs
from modify.baileys.model.channel import Channel, comparison
from modify.baileys.rewrite.codes import fallback_place, goes_by_codes
from modify.baileys.rewrite.draft import EXIT_COMMENT, Draft, closure
from modify.baileys.rewrite.ending import EXIT, ending_of
from modify.baileys.rewrite.redials import Replaced
from modify.baileys.rewrite.wipes import kept_verdicts
from modify.kit.typescript.nodes import NOTHING, around, part
from modify.kit.typescript.source import arguments_of, end_of, same, span, start_of, within
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode

FALLBACK_COMMENT = "No other code is a reason to give up"


def rewrite_close_branch(draft: Draft, replaced: Sequence[Replaced]) -> None:
    channel = draft.channel
    close = channel.close
    assert close is not None
    for each in replaced:
        if each.how == "end":
            end_instead(draft, each.redial.whole)
        elif each.how == "repeat":
            dial_around(draft, each.redial.whole)
        else:
            replace_redial(draft, each)
    redials = [call for call in channel.redials if close.holds(call)]
    if goes_by_codes(channel, redials):
        place_fallback(draft, redials)


def end_instead(draft: Draft, statement: SgNode) -> None:
    """A redial where the session is over makes room for the host's way to stop."""
    start, end = span(statement)
    source = draft.channel.source
    draft.loop |= names_between(source, start, end)
    ending = ending_of(draft)
    if ending:
        why = f"// {EXIT_COMMENT}\n{source.indent_at(start)}" if ending == EXIT else ""
        draft.put(start, end, f"{why}{ending}{draft.layout.end}", ids.AUTH_FAILURE_EXIT)
    else:
        draft.put(source.line_start(start), source.line_end(end), "", ids.AUTH_FAILURE_EXIT)


def dial_around(draft: Draft, statement: SgNode) -> None:
    """``sock = await connect()``: the whole statement is what is tried again."""
    indent, step = draft.channel.source.indent_at(start_of(statement)), draft.layout.style.indent
    inner = statement.text().replace("\n", f"\n{step}")
    head = f"{draft.floating}{draft.instance}.dial(async () => {{"
    text = f"{head}\n{indent}{step}{inner}\n{indent}}}){draft.layout.end}"
    draft.alive |= names_between(draft.channel.source, *span(statement))
    draft.put(*span(statement), text, ids.FLAT_RETRY)


def again_in_helper(draft: Draft, call: SgNode) -> str:
    """What a helper that stays dials again; nothing where the dial before it is repeated."""
    channel = draft.channel
    if channel.first_open_parameter:
        return ""
    given = [] if channel.is_deferred(call) else [each.text() for each in arguments_of(call)]
    return closure(draft.inner or channel.dialled_by(call), given)


def again(draft: Draft, call: SgNode) -> str:
    """The closure that reconnects, the first-open callback passed on."""
    channel = draft.channel
    if channel.helper_of(call) is not None:
        return closure(draft.inner or channel.connect.call, own_arguments(channel))
    if channel.is_deferred(call):
        given = [a.text() for a in arguments_of(call)[2:]]
        callee = draft.inner or channel.dialled_by(call)
        return closure(callee, given or own_arguments(channel))
    given = [a.text() for a in arguments_of(call)]
    return closure(draft.callee(call), given or own_arguments(channel))


def own_arguments(channel: Channel) -> list[str]:
    name = channel.first_open_parameter
    if name is None or not within(channel.logic, channel.connect.node):
        return []
    position = channel.connect.parameter_names.index(name)
    return channel.connect.parameter_names[: position + 1]


def replace_redial(draft: Draft, replaced: Replaced) -> None:
    """Put ``dial(…)`` in the place of an old way to reconnect."""
    channel, redial = draft.channel, replaced.redial
    again_of = again_in_helper if replaced.in_helper else again
    dialled = again_of(draft, redial.call)
    start, end = span(redial.whole)
    indent = channel.source.indent_at(start)
    tail = draft.layout.end if redial.statement else ""
    head = f"{draft.floating if redial.statement else ''}{draft.instance}.dial"
    if dialled:
        text = draft.layout.call_with_closure(indent, head, dialled, tail=tail or "\0")
    else:
        text = f"{head}(){tail}"
    text = text.replace("\0", "")
    if redial.returns and not is_last(draft, redial.whole):
        text += f"\n{indent}return{draft.layout.end}"
    draft.loop |= names_between(channel.source, start, end)
    draft.alive |= set(re.findall(r"\w+", dialled)) - {"this"}
    draft.put(start, end, text, ids.FLAT_RETRY)
    delay, first = redial.delay, redial.whole
    wait = replaced.wait
    if wait is not None:
        first, delay = wait
        draft.loop |= names_between(channel.source, *span(first))
        draft.take_line(first, ids.FLAT_RETRY)
    if redial.statement:
        rewrite_stale_logs(draft, first, delay or "")


def place_fallback(draft: Draft, redials: list[SgNode]) -> None:
    """``dial`` behind the tests for codes, whatever the code."""
    last = fallback_place(draft.channel, redials)
    assert last is not None  # shape.py has looked
    indent = draft.channel.source.indent_at(start_of(last))
    terminal, dial = (
        f"!{draft.instance}.terminal",
        f"{draft.instance}.dial({again(draft, redials[0])})",
    )
    line = draft.layout.guard(indent, terminal, (), draft.braced, dial)
    text = f"\n{indent}// {FALLBACK_COMMENT}\n{indent}{line}"
    draft.insert_at(end_of(last), text, ids.CHANNEL_GIVES_UP)


def is_last(draft: Draft, statement: SgNode) -> bool:
    assert draft.channel.close is not None
    body = draft.channel.close.body
    return bool(body) and same(body[-1], statement)


def rewrite_verdicts(draft: Draft) -> None:
    """'Not logged out' becomes 'not terminal': the policy knows every code, not just 401."""
    kept = kept_verdicts(draft.channel)
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
    operator = part(around(verdict), "operator").text()
    draft.alive |= names_in(verdict)
    if operator in ("&&", "||") and operator not in before:
        draft.insert_at(start, f"({before}", ids.AUTH_FAILURE_EXIT)
        draft.insert_at(end, ")", ids.AUTH_FAILURE_EXIT)
    else:
        draft.insert_at(start, before, ids.AUTH_FAILURE_EXIT)


def said_again(draft: Draft, verdict: SgNode) -> tuple[int, int] | None:
    """The ``|| code === 401`` that only repeats a verdict on its left."""
    both = around(verdict, "binary_expression")
    left, operator = part(both, "left"), part(both, "operator")
    if not left or not same(part(both, "right"), verdict):
        return None
    before = part(left, "right") if left.kind() == "binary_expression" else NOTHING
    alike = [each for each in ((left if comparison(left) is not None else before),) if each]
    sign = "||" if comparison(verdict) else "&&"
    known = any(
        same(each, other) and comparison(each) is comparison(verdict)
        for each in alike
        for other in draft.channel.verdicts
    )
    return (end_of(left), end_of(verdict)) if known and operator.text() == sign else None
