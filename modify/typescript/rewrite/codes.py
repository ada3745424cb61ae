"""Close branches that go by single status codes: a code that none of them names is no end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.typescript.channel import Channel, comparison, leaves, sides
from modify.typescript.rewrite.draft import Draft
from modify.typescript.source import end_of, same, start_of, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

CODE = re.compile(r"^(\w*DisconnectReason\??\.\w+|[45]\d\d)$")
FALLBACK_COMMENT = "No other code is a reason to give up"


def is_over(channel: Channel, call: SgNode) -> bool:
    """Whether a call stands where the session is known to be over, and nothing else is."""
    for outer in call.ancestors():
        condition, taken = outer.field("condition"), outer.field("consequence")
        if outer.kind() != "if_statement" or condition is None or taken is None:
            continue
        if within(call, taken) and any(
            comparison(verdict) is True and condition.text().strip("() ") == verdict.text()
            for verdict in channel.verdicts
        ):
            return True
    return False


def goes_by_codes(channel: Channel, redials: list[SgNode]) -> bool:
    """Whether every redial of the close branch is for codes that it names."""
    return bool(redials) and all(is_for_one_code(channel, call) for call in redials)


def is_for_one_code(channel: Channel, call: SgNode) -> bool:
    for outer in call.ancestors():
        if not within(outer, channel.logic):
            return False
        condition, taken = outer.field("condition"), outer.field("consequence")
        if outer.kind() == "if_statement" and condition is not None and taken is not None:
            if within(call, taken) and names_a_code(condition):
                return True
        elif outer.kind() == "switch_case":
            value = outer.field("value")
            if value is not None and CODE.match(value.text()):
                return True
    return False


def names_a_code(condition: SgNode) -> bool:
    tests = [test for test in condition.find_all(kind="binary_expression") if comparison(test)]
    return any(CODE.match(side.text().strip("()")) for test in tests for side in sides(test))


def has_place_for_fallback(channel: Channel) -> bool:
    """Whether the end of the close branch is a block's end that is reached."""
    close = channel.close
    last = close.body[-1] if close is not None and close.body else None
    return last is not None and close is not None and not (leaves(last) or same(last, close.node))


def place_fallback(draft: Draft, again: str) -> None:
    """``dial`` at the end of the close branch, whatever the code."""
    close = draft.channel.close
    assert close is not None
    indent = draft.channel.source.indent_at(start_of(close.body[0]))
    terminal, dial = f"!{draft.instance}.terminal", f"{draft.instance}.dial({again})"
    line = draft.layout.guard(indent, terminal, (), draft.braced, dial)
    text = f"\n{indent}// {FALLBACK_COMMENT}\n{indent}{line}"
    draft.insert_at(end_of(close.body[-1]), text, "channel-gives-up")
