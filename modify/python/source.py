"""A Python file, parsed once: its nodes, where they lie in bytes, and what is around them.

libcst decides, the bytes are edited: every place is a byte range of the file as it was read,
so comments, line ends, tabs and the byte-order mark outside the edits cannot change.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import libcst as cst
from libcst.metadata import (
    ByteSpanPositionProvider,
    CodeSpan,
    MetadataWrapper,
)

from skill.edit import Edit
from skill.errors import UnreadableSource

Node = TypeVar("Node", bound=cst.CSTNode)
# libcst's own ``children`` runs a visitor each time: a hundred times the price of this.
_CHILDREN: dict[cst.CSTNode, list[cst.CSTNode]] = {}
_BY_KIND: dict[cst.Module, dict[type, list[cst.CSTNode]]] = {}
_SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
LINE_END = re.compile(rb"\r?\n|$")
# An empty line, or one that holds a comment alone: its indentation.
COMMENT_LINE = re.compile(rb"\r?\n(?:([ \t]*)#[^\r\n]*|[ \t]*(?=\r?\n))")


class Family(cst.CSTVisitor):
    """Writes down every node's parent and children, in one walk."""

    def __init__(self, root: cst.Module, parents: dict[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self.root = root
        self.parents = parents
        self.path: list[tuple[cst.CSTNode, list[cst.CSTNode]]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        _BY_KIND.setdefault(self.root, {}).setdefault(type(node), []).append(node)
        if self.path:
            parent, siblings = self.path[-1]
            self.parents[node] = parent
            siblings.append(node)
        self.path.append((node, []))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        node, children = self.path.pop()
        if children:
            _CHILDREN[node] = children

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        pass

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        pass


@dataclass(eq=False)
class Source:
    """path: relative to the host; content: its bytes; module: what libcst read of it."""

    path: str
    content: bytes
    module: cst.Module
    offset: int
    _parents: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, path: str, content: bytes) -> Source:
        """Raises UnreadableSource for what is no UTF-8 or no Python that libcst knows."""
        offset = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
        try:
            module = cst.parse_module(content[offset:].decode("utf-8"))
        except UnicodeDecodeError:
            raise UnreadableSource(path, 0, "is not UTF-8") from None
        except cst.ParserSyntaxError as error:
            reason = "cannot be read as Python 3, or its syntax is newer than libcst knows"
            raise UnreadableSource(path, error.raw_line, reason) from None
        except RecursionError:
            raise UnreadableSource(path, 0, "is nested too deeply") from None
        source = cls(path, content, module, offset)
        family = Family(module, source._parents)
        module.visit(family)
        return source

    # --- where ---

    @cached_property
    def _spans(self) -> Mapping[cst.CSTNode, CodeSpan]:
        """The dearest part, so only for a file in which something was found."""
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        return wrapper.resolve(ByteSpanPositionProvider)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The bytes of a node: from its first token to its last."""
        span = self._spans[node]
        return span.start + self.offset, span.start + span.length + self.offset

    def start(self, node: cst.CSTNode) -> int:
        return self.span(node)[0]

    def end(self, node: cst.CSTNode) -> int:
        return self.span(node)[1]

    def bytes_of(self, node: cst.CSTNode) -> bytes:
        start, end = self.span(node)
        return self.content[start:end]

    def text(self, node: cst.CSTNode) -> str:
        return self.bytes_of(node).decode("utf-8")

    def line(self, node: cst.CSTNode) -> int:
        return self.content.count(b"\n", 0, self.start(node)) + 1

    def column(self, node: cst.CSTNode) -> int:
        start = self.start(node)
        before = self.content[self.content.rfind(b"\n", 0, start) + 1 : start]
        return len(before.decode("utf-8", "replace").lstrip("\ufeff")) + 1

    # --- around ---

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._parents.get(node)

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        current = self.parent(node)
        while current is not None:
            yield current
            current = self.parent(current)

    def nearest(self, node: cst.CSTNode, kind: type[Node]) -> Node | None:
        return next((found for found in self.above(node) if isinstance(found, kind)), None)

    def statement(self, node: cst.CSTNode) -> cst.BaseStatement | None:
        """The whole statement, lines of its own, that a node stands in."""
        here: cst.CSTNode | None = node
        while here is not None and not isinstance(here, cst.BaseStatement):
            here = self.parent(here)
        return here

    def is_within(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        return node is outer or any(found is outer for found in self.above(node))

    # --- lines and edits ---

    def line_start(self, position: int) -> int:
        start = self.content.rfind(b"\n", 0, position) + 1
        return max(start, self.offset)

    def line_end(self, position: int) -> int:
        found = LINE_END.search(self.content, position)
        assert found is not None
        return found.start()

    def indent(self, node: cst.CSTNode) -> bytes:
        """The white space before the line that a node begins on."""
        start = self.line_start(self.start(node))
        line = self.content[start : self.line_end(start)]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    @property
    def unit(self) -> bytes:
        return self.module.default_indent.encode()

    @property
    def newline(self) -> bytes:
        first = self.content.find(b"\n")
        return b"\r\n" if first > 0 and self.content[first - 1 : first] == b"\r" else b"\n"

    def head(self, statement: cst.CSTNode) -> int:
        """Where a statement's lines begin, with the comment right above it."""
        place = self.start(statement)
        decorated = getattr(statement, "decorators", ())
        if decorated:
            place = self.start(decorated[0])
        start = self.line_start(place)
        while start > self.offset:
            above = self.line_start(start - 1)
            if not self.content[above : self.line_end(above)].lstrip().startswith(b"#"):
                break
            start = above
        return start

    def foot(self, statement: cst.CSTNode) -> int:
        """Where a statement's lines end, with the comments that its block ends with."""
        place = self.line_end(self.end(statement))
        if not isinstance(statement, cst.BaseCompoundStatement):
            return place
        depth, here = len(self.indent(statement)), place
        while found := COMMENT_LINE.match(self.content, here):
            here = found.end()
            if found[1] is not None and len(found[1]) > depth:
                place = here
            elif found[1] is not None:
                break
        return place

    def lines(self, indent: bytes, text: str) -> list[bytes]:
        """Lines of code at an indentation; four blanks in ``text`` are one step of the host's."""
        lines = []
        for line in text.split("\n"):
            bare = line.lstrip(" ")
            deep = (len(line) - len(bare)) // 4
            lines.append(indent + self.unit * deep + bare.encode() if bare else b"")
        return lines

    def before(self, statement: cst.CSTNode, text: str, rule: str) -> Edit:
        """Add lines above a statement, and above the comment that belongs to it."""
        place = self.head(statement)
        added = self.lines(self.indent(statement), text)
        return Edit(place, place, b"".join(line + self.newline for line in added), rule)

    def after(self, statement: cst.CSTNode, text: str, rule: str, indent: bytes = b"") -> Edit:
        """Add lines below a statement, at its own indentation or the one given."""
        place = self.foot(statement)
        added = self.lines(indent or self.indent(statement), text)
        return Edit(place, place, b"".join(self.newline + line for line in added), rule)

    def replace(self, node: cst.CSTNode, text: str, rule: str) -> Edit:
        start, end = self.span(node)
        return Edit(start, end, text.encode(), rule)

    def remove(self, statement: cst.CSTNode, rule: str) -> Edit:
        """Take the lines of a statement away, its own trailing comment with them."""
        start = self.line_start(self.start(statement))
        found = LINE_END.search(self.content, self.end(statement))
        assert found is not None
        return Edit(start, found.end(), b"", rule)


def parses(content: bytes) -> bool:
    try:
        cst.parse_module(content)
    except (cst.ParserSyntaxError, UnicodeDecodeError, RecursionError):
        return False
    return True


# --- looking into nodes -----------------------------------------------------------------


def inside(node: cst.CSTNode, *, functions: bool = False) -> Iterator[cst.CSTNode]:
    """Every node below, in order; bodies of nested functions only on request."""
    for child in _CHILDREN.get(node, ()):
        yield child
        if functions or type(child) not in _SCOPES:
            yield from inside(child, functions=functions)


def all_of(node: cst.CSTNode, kind: type[Node], *, functions: bool = False) -> Iterator[Node]:
    if functions and isinstance(node, cst.Module):
        yield from _BY_KIND[node].get(kind, ())  # type: ignore[misc]
        return
    for found in inside(node, functions=functions):
        if type(found) is kind:
            yield found


def dotted(node: cst.CSTNode | None) -> str:
    """``self._client.event`` of names and attributes, else an empty string."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    return ""


def called(node: cst.CSTNode | None) -> str:
    """The dotted name of what is called, with ``await`` taken off."""
    if isinstance(node, cst.Await):
        node = node.expression
    return dotted(node.func) if isinstance(node, cst.Call) else ""


def block_of(node: cst.CSTNode) -> list[cst.BaseStatement] | None:
    """The statements of a body on lines of their own; None for ``if x: y()``."""
    body = node if isinstance(node, cst.IndentedBlock) else getattr(node, "body", None)
    if isinstance(body, cst.IndentedBlock):
        return [item for item in body.body if isinstance(item, cst.BaseStatement)]
    return None


def string_of(node: cst.CSTNode | None) -> str | None:
    """The text of a plain string literal."""
    if isinstance(node, cst.SimpleString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def names_in(node: cst.CSTNode) -> set[str]:
    return {found.value for found in all_of(node, cst.Name, functions=True)}
