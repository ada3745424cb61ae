"""A Python file, parsed once: its nodes, where they lie in bytes, and what is around them.

libcst decides, the bytes are edited: every place is a byte range of the file as it was read,
so comments, line ends, tabs and the byte-order mark outside the edits cannot change.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from weakref import finalize

import libcst as cst

from modify.kit.python.nesting import too_deep
from modify.kit.python.spans import Spans
from modify.kit.python.tree import parse
from skill.edit import Edit
from skill.errors import UnreadableSource

Node = TypeVar("Node", bound=cst.CSTNode)
# libcst's own ``children`` and visitors make each node anew: a hundred times the price of this.
_ATTRIBUTES: dict[type, tuple[str, ...]] = {}
_CHILDREN: dict[cst.CSTNode, list[cst.CSTNode]] = {}
_BY_KIND: dict[cst.Module, dict[type, list[cst.CSTNode]]] = {}
BLANK = re.compile(r"whitespace|lines|^(?:header|footer|comment|newline)$")
_SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
LINE_END = re.compile(rb"\r?\n|$")
# An empty line, or one that holds a comment alone: its indentation.
COMMENT_LINE = re.compile(rb"\r?\n(?:([ \t]*)#[^\r\n]*|[ \t]*(?=\r?\n))")


class Visited(cst.CSTVisitor):
    """Which attributes of a node libcst visits, in the order of the text."""

    def __init__(self, node: cst.CSTNode) -> None:
        super().__init__()
        self.node = node
        self.attributes: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node is self.node

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self.attributes.append(attribute)


def attributes_of(node: cst.CSTNode) -> tuple[str, ...]:
    """The attributes of this kind of node that hold nodes, asked of libcst once a kind.

    Without white space, comments and blank lines, which are half of all nodes and never needed.
    """
    kind = type(node)
    if kind not in _ATTRIBUTES:
        visited = Visited(node)
        node.visit(visited)
        names = visited.attributes
        if hasattr(node, "format_spec") and "format_spec" not in names:
            names.append("format_spec")  # visited only where there is one
        _ATTRIBUTES[kind] = tuple(name for name in names if not BLANK.search(name))
    return _ATTRIBUTES[kind]


def children_of(node: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for name in attributes_of(node):
        value = getattr(node, name)
        if isinstance(value, list | tuple):
            found += value
        elif value is not None and value is not cst.MaybeSentinel.DEFAULT:
            found.append(value)
    return found


def relate(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    """Writes down every node's children, and returns every node's parent, in one walk."""
    parents: dict[cst.CSTNode, cst.CSTNode] = {}
    by_kind = _BY_KIND[module] = defaultdict(list)
    waiting: list[cst.CSTNode] = [module]
    while waiting:
        node = waiting.pop()
        by_kind[type(node)].append(node)
        children = children_of(node)
        if children:
            _CHILDREN[node] = children
            parents.update(dict.fromkeys(children, node))
            waiting += reversed(children)
    return parents


def forget(module: cst.Module) -> None:
    """Drop the entries of ``relate``, once the file is no longer referenced."""
    for nodes in _BY_KIND.pop(module).values():
        for node in nodes:
            _CHILDREN.pop(node, None)


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
        """Parse a file. Raises UnreadableSource if it is not UTF-8, or not Python to libcst."""
        offset = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
        try:
            text = content[offset:].decode("utf-8")
            if (deep := too_deep(text)) is not None:
                raise UnreadableSource(path, deep, "is nested too deeply")
            module = cst.parse_module(text)
        except UnicodeDecodeError:
            raise UnreadableSource(path, 0, "is not UTF-8") from None
        except cst.ParserSyntaxError as error:
            reason = "cannot be read as Python 3, or its syntax is newer than libcst knows"
            raise UnreadableSource(path, error.raw_line, reason) from None
        except RecursionError:
            raise UnreadableSource(path, 0, "is nested too deeply") from None
        source = cls(path, content, module, offset, relate(module))
        finalize(source, forget, module)
        return source

    # --- where ---

    @cached_property
    def _spans(self) -> Spans:
        nodes = list(inside(self.module, functions=True))
        text = self.content[self.offset :].decode("utf-8")
        return Spans(self.module, text, nodes, self._parents)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The bytes of a node: from its first token to its last."""
        start, end = self._spans.span(node)
        return start + self.offset, end + self.offset

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

    def place(self, node: cst.CSTNode) -> tuple[int, int]:
        return self.line(node), self.column(node)

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
    """Whether it is Python: this interpreter's, which is looked up fast, or libcst's."""
    if parse(content) is not None:
        return True
    try:
        if too_deep(content.decode("utf-8")) is not None:
            return False
        cst.parse_module(content)
    except (cst.ParserSyntaxError, UnicodeDecodeError, RecursionError):
        return False
    return True


# --- looking into nodes -----------------------------------------------------------------


def inside(node: cst.CSTNode, *, functions: bool = False) -> Iterator[cst.CSTNode]:
    """Every node below, in order; bodies of nested functions only on request."""
    waiting = [*reversed(_CHILDREN.get(node, ()))]
    while waiting:
        child = waiting.pop()
        yield child
        if functions or type(child) not in _SCOPES:
            waiting += reversed(_CHILDREN.get(child, ()))


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
    """The dotted name of the callee, with ``await`` taken off."""
    if isinstance(node, cst.Await):
        node = node.expression
    return dotted(node.func) if isinstance(node, cst.Call) else ""


def target_of(small: cst.Assign | cst.AnnAssign) -> cst.BaseExpression:
    """The target of an assignment; the first one of ``a = b = value``."""
    return small.targets[0].target if isinstance(small, cst.Assign) else small.target


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
