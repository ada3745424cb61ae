"""Units that Python joins from a list of lines: ``"\\n".join(["[Unit]", …])``.

One literal a line, as formatters write them, is a text that can be edited like a file: the
quotes and commas are masked, and a new line is a new element in the same quotes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property, partial

from modify.kit.python.tree import line_starts, nodes_around, parse, span
from modify.units.locate.marks import kind_of
from modify.units.locate.python_literal import holes_of, resolve, templates
from modify.units.model import MASK, Line, UnitText
from skill.edit import Edit, Range
from skill.host import Host

ELEMENT = re.compile(rb"([ \t]*)([rRfFuU]*)(['\"])(.*)\3([ \t]*,?[ \t]*(?:#.*)?)$")


class JoinedText(UnitText):
    """A list of literals, seen as the lines that they will be."""

    @cached_property
    def _masked(self) -> tuple[bytes, tuple[Range, ...]]:
        content = self.content[self.start : self.end]
        view = bytearray(content)
        for start, end in self.holes:
            view[start - self.start : end - self.start] = MASK * (end - start)
        breaks = []
        position = 0
        for line in content.splitlines(keepends=True):
            bare = line.rstrip(b"\r\n")
            found = ELEMENT.fullmatch(bytes(view[position : position + len(bare)]))
            masked = b" " * len(bare)
            if found is not None:
                start, end = found.span(4)
                masked = b" " * start + found[4] + b" " * (len(bare) - end)
            view[position : position + len(bare)] = masked
            end_of_line = position + len(bare)
            position += len(line)
            if position > end_of_line:
                breaks.append((self.start + end_of_line, self.start + position))
        return bytes(view), tuple(breaks)

    def insert_after(self, first: Line, line: Line, new: list[str], rule: str) -> Edit:
        """New elements below ``line``, indented and quoted like ``first``."""
        found = ELEMENT.fullmatch(self.content[first.start : first.end])
        indentation, quote = (found[1], found[3]) if found else (b"", b'"')
        written = self.content[line.start : line.end]
        last = ELEMENT.fullmatch(written)
        comma = b"" if last is None or b"," in last[5].partition(b"#")[0] else b","
        items = [
            self.line_break + indentation + quote + item.encode() + quote + b"," for item in new
        ]
        place = line.end
        if comma and last is not None:
            place = line.start + last.end(4) + len(quote)
        return Edit(place, place, comma + b"".join(items), rule)


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.with_suffix(".py"):
        content = host.read(file.path)
        if b"[Service]" in content and b"join(" in content:
            yield from in_source(host, file.path, content)


def in_source(host: Host, path: str, content: bytes) -> Iterator[UnitText]:
    tree = parse(content)
    if tree is None:
        return
    lines = line_starts(content)
    for node in nodes_around(tree, content, b"[Service]"):
        elements = joined(node)
        if elements is None:
            continue
        places = [span(element, lines) for element in elements]
        if len({element.lineno for element in elements}) != len(elements):
            continue  # several on one line: nothing that could be edited line by line
        start = content.rfind(b"\n", 0, places[0][0]) + 1
        end = len(content)
        found = re.compile(rb"\r?\n").search(content, places[-1][1])
        if found is not None:
            end = found.start()
        text = JoinedText(
            path,
            content,
            start,
            end,
            "systemd",
            "literal",
            holes(content, elements, places),
            resolve=partial(resolve, host, path, content, start),
        )
        regular = all(ELEMENT.fullmatch(content[line.start : line.end]) for line in text.lines)
        if regular and kind_of(text.view) == "systemd":
            yield text


def joined(node: ast.AST) -> list[ast.expr] | None:
    """The elements of ``"\\n".join([…])``, when each is a literal."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    separator = node.func.value
    if node.func.attr != "join" or not isinstance(separator, ast.Constant):
        return None
    if separator.value != "\n" or len(node.args) != 1:
        return None
    given = node.args[0]
    if not isinstance(given, ast.List | ast.Tuple) or not given.elts:
        return None
    literal = all(
        isinstance(item, ast.JoinedStr)
        or (isinstance(item, ast.Constant) and isinstance(item.value, str))
        for item in given.elts
    )
    return list(given.elts) if literal else None


def holes(content: bytes, elements: list[ast.expr], places: list[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for element, (start, end) in zip(elements, places, strict=True):
        is_formatted = isinstance(element, ast.JoinedStr)
        found += (holes_of if is_formatted else templates)(content, start, end)
    return tuple(found)
