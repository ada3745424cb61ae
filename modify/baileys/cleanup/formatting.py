"""Lines that the rewrite made shorter, or longer, as the host's formatter would have them.

The last step: it looks only at statements in which something was changed, and leaves
alone what the host itself broke by hand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.wipes import kept_verdicts
from modify.kit.typescript.source import enclosing, end_of, same, span, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

COMMENT = re.compile(r"//|/\*")
STRING = re.compile(r"['\"`]|//|/\*")


def tidy(draft: Draft) -> None:
    for statement in draft.channel.source.root.children():
        if statement.kind() == "import_statement":
            join_import(draft, statement)
    for verdict in draft.channel.verdicts:
        join_around(draft, verdict)
    for verdict in kept_verdicts(draft.channel):
        break_test(draft, verdict)
    break_chains(draft)


def inside(draft: Draft, start: int, end: int) -> list[tuple[int, int]]:
    """The changes within a range, in order; none if one of them is larger."""
    found = sorted(c for c in draft.changes if (c[0] < end and c[1] > start) or start < c[0] < end)
    return found if all(start <= c[0] and c[1] <= end for c in found) else []


def rendered(draft: Draft, start: int, end: int) -> str:
    parts, position = [], start
    for change in inside(draft, start, end):
        parts += [draft.text[position : change[0]], draft.changes[change][0]]
        position = change[1]
    return "".join([*parts, draft.text[position:end]])


def put_whole(draft: Draft, start: int, end: int, text: str) -> None:
    """One change in the place of all those within the range."""
    within_it = inside(draft, start, end)
    rule = draft.changes[within_it[0]][1]
    for change in within_it:
        del draft.changes[change]
    draft.changes[(start, end)] = (text, rule)


def flat(draft: Draft, text: str) -> str:
    """The text on one line, as short as the style has it."""
    pad = " " if draft.layout.style.bracket_spacing else ""
    line = re.sub(r",?\s*\n\s*\}", f"{pad}}}", text)
    line = re.sub(r"\{\s*\n\s*", f"{{{pad}", line)
    line = re.sub(r"\(\s*\n\s*", "(", re.sub(r"\s*\n\s*\)", ")", line))
    return " ".join(line.split())


def join_import(draft: Draft, statement: SgNode) -> None:
    start, end = span(statement)
    before = draft.text[start:end]
    if "\n" not in before or COMMENT.search(before) or not inside(draft, start, end):
        return
    line = flat(draft, rendered(draft, start, end))
    alone = re.match(r"import (type )?\{[^,]*\}", line) is not None
    if (alone or draft.layout.fits("", line)) and not draft.layout.fits("", flat(draft, before)):
        put_whole(draft, start, end, line)


def join_around(draft: Draft, verdict: SgNode) -> None:
    """``const x =`` or ``if (`` whose expression now fits on the line."""
    declarator = enclosing(verdict, {"variable_declarator"})
    test = enclosing(verdict, {"if_statement"})
    if declarator is not None and within(verdict, declarator):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or not within(verdict, value):
            return
        start, end = end_of(name), end_of(value)
        gap = " "
        after = draft.layout.end
    elif test is not None and (condition := test.field("condition")) is not None:
        if not within(verdict, condition):
            return
        (start, end), gap, after = span(condition), "", " {"
    else:
        return
    before, text = draft.text[start:end], rendered(draft, start, end)
    if "\n" not in before or STRING.search(text) or not inside(draft, start, end):
        return
    head = draft.text[draft.channel.source.line_start(start) : start] + gap
    line = flat(draft, text)
    was = flat(draft, before)
    if draft.layout.fits(head, line + after) and not draft.layout.fits(head, was + after):
        put_whole(draft, start, end, gap + line)


def break_test(draft: Draft, verdict: SgNode) -> None:
    """``if (`` and ``const x =`` whose test was made longer than the line, one part a line."""
    around = verdict.parent()
    if around is None:
        return
    if around.kind() != "parenthesized_expression" and not same(around.field("value"), verdict):
        return
    start, end = span(around)
    first, last = draft.channel.source.line_start(start), draft.channel.source.line_end(end)
    text = rendered(draft, start, end)
    line = rendered(draft, first, last).rstrip()
    if "\n" in text or text == draft.text[start:end] or draft.layout.fits("", line):
        return
    indent = draft.channel.source.indent_at(start)
    deeper = indent + draft.layout.style.indent
    if around.kind() == "parenthesized_expression":
        parts = re.sub(r" (&&|\|\|) ", rf" \1\n{deeper}", text[1:-1])
        put_whole(draft, start, end, f"(\n{deeper}{parts}\n{indent})")
    else:
        put_whole(draft, start, end, text.replace(" = ", f" =\n{deeper}", 1))


def break_chains(draft: Draft) -> None:
    """``dial(…)`` in front of a chain that goes on below stands on a line of its own, too."""
    head = f"{draft.instance}.dial("
    for (start, end), (text, rule) in list(draft.changes.items()):
        below = re.match(r"\s*\n([ \t]*)\.\w", draft.text[end:])
        if below is None or not text.startswith(head) or start == end:
            continue
        step = draft.layout.style.indent
        lines = text.replace(head, f"{draft.instance}\n{below[1]}.dial(", 1).split("\n")
        deeper = [*lines[:2], *(step + line for line in lines[2:])]
        draft.changes[(start, end)] = ("\n".join(deeper), rule)
