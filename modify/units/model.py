"""The text of one service unit, where it lies in a file, and how lines in it are edited.

A unit is text inside a text: the whole of a ``*.service`` file, a template literal, a
heredoc, a block in a document. Parsing and editing need the same byte offsets, so the
parsers read a *view*: the unit's bytes with every computed part (``${nodePath}``) and
every escape masked by harmless bytes of the same length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from skill.edit import Edit, Range, apply_edits
from skill.source_paths import is_among_tests

Kind = str
"""``systemd``, ``launchd`` or one of ``modify.units.managers.KINDS``."""
Form = Literal["file", "literal", "heredoc", "document"]
# A name in the unit -> its possible texts; empty if unknown.
Resolver = Callable[[str], tuple[str, ...]]

MASK = b"x"
JAVASCRIPT_ESCAPE = re.compile(rb"\\(?:\r\n|.)", re.DOTALL)


def resolves_nothing(_name: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Line:
    """A line of the unit: its bytes without the line break, and where the break ends."""

    start: int
    end: int
    break_end: int


@dataclass(frozen=True)
class UnitText:
    """Where a unit's text lies: the bytes ``start`` to ``end`` of the file ``path``.

    holes: byte ranges that are computed when the unit is written, delimiters included.
    escaped: JavaScript escapes are in force (``\\n`` breaks a line, ``\\\\`` is one backslash).
    resolve: what a name in a hole may stand for.
    """

    path: str
    content: bytes
    start: int
    end: int
    kind: Kind
    form: Form = "file"
    holes: tuple[Range, ...] = ()
    escaped: bool = False
    resolve: Resolver = resolves_nothing

    @property
    def in_test(self) -> bool:
        return is_among_tests(self.path)

    @cached_property
    def _masked(self) -> tuple[bytes, tuple[Range, ...]]:
        """The view, and the line breaks in it."""
        view = bytearray(self.content[self.start : self.end])
        for start, end in self.holes:
            view[start - self.start : end - self.start] = MASK * (end - start)
        breaks: list[Range] = []
        if self.escaped:
            for escape in JAVASCRIPT_ESCAPE.finditer(bytes(view)):
                start, end = escape.span()
                text = escape[0][1:]
                if text == b"n":
                    # Carriage return and line feed, written as two escapes, are one break.
                    both = self.content[: self.start + start].endswith(b"\\r")
                    breaks.append((start - 2 if both else start, end))
                    view[start:end] = b" \n"
                elif text in (b"r", b"t") or text.isspace():  # the latter joins two lines
                    view[start:end] = b" " * len(escape[0])
                else:  # an escaped quote is a quote, two backslashes are one
                    view[start:end] = b" " + text
        taken = {position for start, end in breaks for position in range(start, end)}
        for found in re.finditer(rb"\r?\n", bytes(view)):
            if found.end() - 1 not in taken:
                breaks.append(found.span())
        here = self.start
        return bytes(view), tuple(sorted((start + here, end + here) for start, end in breaks))

    @property
    def view(self) -> bytes:
        return self._masked[0]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        lines = []
        start = self.start
        for end, break_end in self._masked[1]:
            lines.append(Line(start, end, break_end))
            start = break_end
        return (*lines, Line(start, self.end, self.end))

    @cached_property
    def line_break(self) -> bytes:
        """How this unit breaks its lines, as it is written in the file."""
        for line in self.lines:
            if line.break_end > line.end:
                return self.content[line.end : line.break_end]
        return b"\\n" if self.escaped else b"\n"

    def seen(self, start: int, end: int) -> bytes:
        """The view of a byte range of the file."""
        return self.view[start - self.start : end - self.start]

    def indentation(self, position: int) -> bytes:
        """The white space that begins the line of ``position``."""
        line = self.line_at(position)
        text = self.seen(line.start, line.end)
        return text[: len(text) - len(text.lstrip(b" \t"))]

    def line_at(self, position: int) -> Line:
        for line in self.lines:
            if position < line.break_end or line is self.lines[-1]:
                return line
        raise AssertionError("a unit has at least one line")

    def is_computed(self, start: int, end: int) -> bool:
        return any(hole[0] < end and start < hole[1] for hole in self.holes)

    def computes(self, pattern: bytes) -> bool:
        """Whether the code of a hole matches ``pattern``: then the unit may gain such a line."""
        return any(re.search(pattern, self.content[start:end]) for start, end in self.holes)

    def place(self, position: int) -> tuple[int, int]:
        """Line and column in the file, 1-based; the column counts characters."""
        before = self.content[:position]
        start = before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8", "replace")) + 1
        return before.count(b"\n") + 1, column

    def after(self, edits: list[Edit]) -> UnitText:
        """The same unit once the edits are made."""

        def moved(position: int) -> int:
            before = [edit for edit in set(edits) if edit.end <= position]
            return position + sum(len(edit.text) - (edit.end - edit.start) for edit in before)

        return replace(
            self,
            content=apply_edits(self.content, edits),
            end=moved(self.end),
            holes=tuple((moved(start), moved(end)) for start, end in self.holes),
        )

    def insert_after(self, first: Line, line: Line, new: list[str], rule: str) -> Edit:
        """Add lines below ``line``, indented like ``first``, where its directive begins."""
        indentation = self.indentation(first.start)
        text = b"".join(self.line_break + indentation + item.encode() for item in new)
        return Edit(line.end, line.end, text, rule)

    def remove(self, blocks: list[tuple[Line, Line]], rule: str) -> list[Edit]:
        """Take whole lines away, with the break behind them, or before them at the end."""
        gone = {
            index
            for first, last in blocks
            for index in range(self.lines.index(first), self.lines.index(last) + 1)
        }
        edits = []
        while gone:
            begin = end = min(gone)
            while end + 1 in gone:
                end += 1
            gone -= set(range(begin, end + 1))
            start, stop = self.lines[begin].start, self.lines[end].break_end
            if end == len(self.lines) - 1 and begin:
                start = self.lines[begin - 1].end
            edits.append(Edit(start, stop, b"", rule))
        return edits
