"""``f(x)`` becomes ``wrapper(f, x)``: the change of the call, laid out as its formatter would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modify.kit.typescript.layout import Layout
from modify.kit.typescript.source import Source, arguments_of, end_of, span, start_of

if TYPE_CHECKING:
    from ast_grep_py import SgNode


def why_not_wrapped(call: SgNode) -> str | None:
    """Why a call of a function with one argument cannot be wrapped, or None."""
    callee = call.field("function")
    assert callee is not None
    given = arguments_of(call)
    if not given:
        return "it is called without a configuration"
    if any(each.kind() == "spread_element" for each in given):
        return "its configuration is spread out of a list"
    if len(given) > 1:
        return "it is called with more than its configuration"
    if call.field("type_arguments") is not None or any(
        child.kind() in ("optional_chain", "?.") for child in (*call.children(), *callee.children())
    ):
        return "it is called in a form that cannot be wrapped"
    return None


def wrapped(
    source: Source, layout: Layout, call: SgNode, wrapper: str, holds_another: bool
) -> list[tuple[int, int, str]]:
    """(start, end, text) of the changes that hand a call's function and arguments to a wrapper."""
    callee, given = call.field("function"), call.field("arguments")
    assert callee is not None and given is not None
    begin, opened = start_of(callee), start_of(given) + 1
    name = bare(callee)
    after = source.text[opened : end_of(given)]
    gap = after[: len(after) - len(after.lstrip())]
    if "\n" in gap:  # each argument has a line of its own
        return [(begin, opened, f"{wrapper}({gap}{name},")]
    if "\n" not in call.text() and not holds_another:
        broken = on_lines(source, layout, call, wrapper)
        if broken is not None:
            return [(*span(call), broken)]
    return [(begin, opened, f"{wrapper}({name}, ")]


def bare(callee: SgNode) -> str:
    """The callee's text as an argument: ``(old ? a : b)`` needs no parentheses there."""
    inner = [child for child in callee.children() if child.is_named()]
    plain = callee.kind() == "parenthesized_expression" and len(inner) == 1
    if plain and inner[0].kind() != "sequence_expression" and "//" not in callee.text():
        return inner[0].text()
    return callee.text()


def on_lines(source: Source, layout: Layout, call: SgNode, wrapper: str) -> str | None:
    """The wrapped call over several lines, where its line fitted before and would not now."""
    callee, given = call.field("function"), arguments_of(call)
    assert callee is not None
    begin, end = span(call)
    first, last = source.line_start(begin), source.line_end(end)
    line = source.text[first:last].rstrip("\r\n")
    texts = [bare(callee), *(each.text() for each in given)]
    grown = f"{line[: begin - first]}{wrapper}({', '.join(texts)}){line[end - first :]}"
    if not layout.fits("", line) or layout.fits("", grown) or "//" in call.text():
        return None
    indent, step = source.indent_at(begin), layout.style.indent
    literal = given[-1]
    members = [child for child in literal.children() if child.is_named()]
    if literal.kind() == "object" and members:
        head = f"{wrapper}({', '.join(texts[:-1])}, {{"
        if layout.fits("", line[: begin - first] + head):
            body = ",\n".join(f"{indent}{step}{member.text()}" for member in members)
            return f"{head}\n{body}{layout.comma}\n{indent}}})"
    body = ",\n".join(f"{indent}{step}{text}" for text in texts)
    return f"{wrapper}(\n{body}{layout.call_comma}\n{indent})"
