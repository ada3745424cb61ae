"""The end of a session: the process ends with 0, or only this channel stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.nodes import NOTHING, around, part, sides_around
from modify.kit.typescript.source import (
    callee_of,
    enclosing_function,
    end_of,
    span,
    start_of,
    statement_around,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.cleanup.dead_code import names_in
from modify.baileys.model.host_context import is_reachable
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.shape import ends_terminal, exit_code, reconnect_flags

# Words of a condition that is about the close itself.
STATUS_NAMES = frozenset(
    ("reason", "code", "statusCode", "status", "lastDisconnect", "error", "DisconnectReason")
)


def rewrite_exits(draft: Draft) -> None:
    channel = draft.channel
    assert channel.close is not None
    for call in channel.exits:
        if draft.covered(call):
            continue
        in_qr = any(within(call, branch) for branch in channel.qr_branches)
        in_close = channel.close.holds(call)
        if not (in_qr or (in_close and ends_terminal(draft.channel, call))):
            continue
        rule = ids.QR_EXIT if in_qr else ids.AUTH_FAILURE_EXIT
        replacement = ending_of(draft)
        if replacement == "process.exit(0)":
            clean = exit_code(call) or ("?" if "exitCode" in draft.text else "0")
            if clean != "0":
                draft.put(*span(call), replacement, rule)
            continue
        if replacement:
            put_exit(draft, call, replacement, rule)
        elif draft.options.on_auth_failure == "stop-channel":
            drop(draft, statement_around_exit(call), rule)


def put_exit(draft: Draft, call: SgNode, replacement: str, rule: str) -> None:
    """Write the new ending; a timer around it that no longer fits its line is broken."""
    source, step = draft.channel.source, draft.layout.style.indent
    function = enclosing_function(call)
    timer = statement_around_exit(call)
    parts = re.fullmatch(r"setTimeout\((\(\) =>) [^\n]*?, ([\w.]+)\);?", timer.text())
    indent = source.indent_at(start_of(timer))
    line = timer.text().replace(call.text(), replacement)
    if function is None or parts is None or draft.layout.fits(indent, line):
        draft.put(*span(call), replacement, rule)
        return
    inner = f"{indent}{step}{parts.group(1)} {replacement},\n{indent}{step}{parts.group(2)}"
    text = f"setTimeout(\n{inner}{draft.layout.call_comma}\n{indent}){draft.layout.end}"
    draft.put(*span(timer), text, rule)


def ending_of(draft: Draft) -> str:
    """The call that ends the process once the session is over; "" to stop only the channel."""
    if draft.options.on_auth_failure == "stop-channel":
        return ""
    if draft.options.on_auth_failure == "exit":
        return "process.exit(0)"
    if not draft.channel.exits:
        return ""  # a host that never ends its process here has other work
    if draft.boot.shared and draft.boot.question is not None:
        return f"{draft.instance}.exitIfAlone({draft.boot.question})"
    return "process.exit(0)"


def own_condition(draft: Draft) -> str | None:
    """The host's own condition for ending its process when the session is over, if it has one.

    ``if (this.isPrimary) process.exit(0)``: the process is not for this channel alone, or is
    ending anyway. Empty where the condition means nothing outside the handler.
    """
    channel = draft.channel
    assert channel.close is not None
    exits = [e for e in channel.exits if channel.close.holds(e) and ends_terminal(draft.channel, e)]
    found = [list(conditions_of(draft, each)) for each in exits]
    if not found or not all(found):
        return None
    first = found[0]
    text = first[0][1:-1].strip() if len(first) == 1 else ""
    plain = re.fullmatch(r"!?((this\.)?\w+)", text)
    return text if plain is not None and is_reachable(channel, plain[1]) else ""


def conditions_of(draft: Draft, exit_: SgNode) -> Iterator[str]:
    """The conditions of an exit in the close branch that are not about why it was closed.

    Empty for one whose ``else`` it stands in. ``!this.closing`` is no condition: a host that
    stops has called ``stop()``, and nothing more is run.
    """
    close, verdicts = draft.channel.close, draft.channel.verdicts
    assert close is not None
    for test, condition, _, holds in sides_around(exit_):
        if not close.holds(test):
            return
        if any(within(verdict, condition) for verdict in verdicts):
            continue
        if says_not_stopping(draft, condition.text()):
            continue
        if not names_in(condition) & (reconnect_flags(draft.channel) | STATUS_NAMES):
            yield condition.text() if holds else ""


def says_not_stopping(draft: Draft, condition: str) -> bool:
    """``(!this.closing)``, where the file sets ``closing = true``."""
    flag = re.fullmatch(r"\(\s*!(?:this\.)?(\w+)\s*\)", condition)
    return flag is not None and draft.channel.uses(rf"\b{flag[1]}\s*=\s*true\b")


def drop(draft: Draft, statement: SgNode, rule: str) -> None:
    source = draft.channel.source
    start, end = source.line_start(start_of(statement)), source.line_end(end_of(statement))
    draft.put(start, end, "", rule)


def statement_around_exit(call: SgNode) -> SgNode:
    """The whole statement that ends the process: the exit itself, or the timer around it."""
    function = enclosing_function(call)
    timer = around(function, "", "") if part(function).kind() == "arrow_function" else NOTHING
    return statement_around(timer if callee_of(timer) == "setTimeout" else call)
