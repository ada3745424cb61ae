"""Units in string literals of Python: f-strings, ``.format`` templates, module constants.

Found with ``ast`` (no third-party parser is loaded for a unit), edited as bytes. A docstring,
a comment, a literal in pieces (``"a" "b"``) is no unit text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial

from modify.kit.python.tree import line_starts, nodes_around, parse, span
from modify.units.locate.marks import UNIT_MARKS, kind_of, may_hold_unit
from modify.units.model import UnitText
from skill.edit import Range
from skill.host import Host

LITERAL = re.compile(rb"([rRbBfFuU]*)('''|\"\"\"|'|\")")
TEMPLATE_HOLE = re.compile(rb"(?<!\{)\{[\w.]*\}(?!\})")


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.with_suffix(".py"):
        content = host.read(file.path)
        if may_hold_unit(content):
            yield from in_source(host, file.path, content)


def in_source(host: Host, path: str, content: bytes) -> Iterator[UnitText]:
    for start, end in literals(content):
        opening = LITERAL.match(content, start)
        if opening is None or not may_hold_unit(content[start:end]):
            continue
        prefix, quote = opening[1].lower(), opening[2]
        inner, stop = opening.end(), end - len(quote)
        if content[stop:end] != quote or quote in content[inner:stop]:
            continue  # several literals in a row
        holes = (
            holes_of(content, inner, stop) if b"f" in prefix else templates(content, inner, stop)
        )
        for kind in ("systemd", "launchd"):
            text = UnitText(
                path,
                content,
                inner,
                stop,
                kind,
                "literal",
                holes,
                escaped=b"r" not in prefix,
                resolve=partial(resolve, host, path, content, start),
            )
            if kind_of(text.view) == kind:
                yield text


def literals(content: bytes) -> Iterator[Range]:
    """Byte ranges of the string literals that are values and may hold a unit, in their order."""
    tree = parse(content)
    if tree is None:
        return
    lines = line_starts(content)
    nodes = nodes_around(tree, content, *UNIT_MARKS)
    skipped = set(docstrings(nodes))
    found = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
    for node in nodes:
        text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (text or isinstance(node, ast.JoinedStr)) and id(node) not in skipped:
            found.add(span(node, lines))
    yield from sorted(found)


def docstrings(nodes: list[ast.AST]) -> Iterator[int]:
    """Strings that are statements of their own: documentation, or code put out of use."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr):
            yield id(node.value)


def holes_of(content: bytes, start: int, end: int) -> tuple[Range, ...]:
    """``{…}`` of an f-string, with what is nested in it; ``{{`` is a brace."""
    holes = []
    position = start
    while position < end:
        if content[position : position + 1] != b"{":
            position += 1
        elif content[position : position + 2] == b"{{":
            position += 2
        else:
            close = closing(content, position, end)
            holes.append((position, close))
            position = close
    return tuple(holes)


def closing(content: bytes, start: int, end: int) -> int:
    depth = 0
    quote = b""
    for position in range(start, end):
        character = content[position : position + 1]
        if quote:
            quote = b"" if character == quote else quote
        elif character in (b"'", b'"'):
            quote = character
        elif character == b"{":
            depth += 1
        elif character == b"}":
            depth -= 1
            if depth == 0:
                return position + 1
    return end


def templates(content: bytes, start: int, end: int) -> tuple[Range, ...]:
    return tuple(hole.span() for hole in TEMPLATE_HOLE.finditer(content, start, end))


def resolve(host: Host, path: str, content: bytes, before: int, hole: str) -> tuple[str, ...]:
    """The possible texts of a hole, followed through the code."""
    # Lazy: few hosts hold units in Python
    from modify.kit.python import values

    line = content.count(b"\n", 0, before) + 1
    return values.resolve(host, path, line, hole)
