"""One TypeScript or JavaScript file, parsed once, and the small questions asked of its tree.

Positions are character offsets of the decoded text, as ast-grep counts them; edits are
turned into byte ranges at the very end (:meth:`Source.edit`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from skill.edit import Edit
from skill.errors import UnreadableSource
from skill.host import Host, fact

if TYPE_CHECKING:
    from ast_grep_py import SgNode

INDENT = re.compile(r"[ \t]*")
BLOCK = 4_096  # characters
ADDED = b"// Added by skillgen "  # the first line of what a host has gained
FUNCTION_KINDS = frozenset(
    [
        "function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
        "generator_function_declaration",
        "generator_function",
    ]
)
NAME_KINDS = (
    "identifier",
    "property_identifier",
    "shorthand_property_identifier",
    "shorthand_property_identifier_pattern",
    "private_property_identifier",
    "type_identifier",
)
NESTED = (*sorted(FUNCTION_KINDS), "call_expression", "if_statement", "ternary_expression")
DEEPEST = 1_000
IMPORT_TYPE = re.compile(r"""(?<!await )\bimport\((['"])[^'"\n]*\1\)(?=\.\w)""")
REMEMBERED = 4_096
"""Of so many nodes the calls and functions below are kept: the rules ask for them again and
again, and to search a whole tree for each of a file's channels takes the square of its size."""
GAP = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
GOES_ON = ("(", "[", "`")  # at the start of a line, without a semicolon before it
ENDED = ";{}([,:"
MERGE_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)


def language_of(path: str) -> str:
    """The tree-sitter grammar for a path's suffix."""
    if path.endswith((".ts", ".mts", ".cts")):
        return "typescript"
    return "tsx"  # a superset of JavaScript with and without JSX


@dataclass(eq=False)
class Source:
    """path: relative to the host. text: decoded, byte-order mark included.

    Raises UnreadableSource when the file is no UTF-8, holds merge markers or does not parse.
    """

    path: str
    text: str
    root: SgNode

    @classmethod
    def parse(cls, path: str, content: bytes) -> Source:
        from ast_grep_py import SgRoot  # heavy: only where a channel may be

        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise UnreadableSource(path, line, "is not UTF-8") from None
        if marker := MERGE_MARKER.search(text):
            line = text.count("\n", 0, marker.start()) + 1
            raise UnreadableSource(path, line, "holds an unresolved merge marker")
        root = SgRoot(text, language_of(path)).root()
        broken = first_broken(root)
        if broken is not None:
            root = SgRoot(mask_grammar_gaps(text), language_of(path)).root()
            broken = first_broken(root)
        if broken is not None:
            raise UnreadableSource(path, line_of(broken), "does not parse")
        deep = too_deep(root)
        if deep is not None:
            raise UnreadableSource(path, line_of(deep), "is nested too deeply")
        return cls(path, text, root)

    @classmethod
    def read(cls, host: Host, path: str) -> Source:
        """Return a file of the host, parsed at the first call. Raises UnreadableSource."""
        return _read(host, path)

    @classmethod
    def readable(cls, host: Host, path: str) -> Source | None:
        """Return a file of the host as ``read`` does; None for one that cannot be read."""
        try:
            return _read(host, path)
        except UnreadableSource:
            return None

    @cached_property
    def newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def names(self) -> dict[str, list[SgNode]]:
        """Every name in the file, by its text, in order."""
        index: dict[str, list[SgNode]] = {}
        for node in name_nodes(self.root):
            index.setdefault(node.text(), []).append(node)
        return index

    @cached_property
    def called(self) -> dict[str, list[SgNode]]:
        """Every call in the file, by the last part of what is called, in order."""
        index: dict[str, list[SgNode]] = defaultdict(list)
        for call in calls(self.root):
            index[callee_of(call).rpartition(".")[2]].append(call)
        return dict(index)

    def indent_at(self, position: int) -> str:
        """The white space that the line of ``position`` begins with."""
        start = self.line_start(position)
        return INDENT.match(self.text, start).group()  # type: ignore[union-attr]

    def place(self, node: SgNode) -> tuple[int, int]:
        return line_of(node), column_of(node)

    def line_start(self, position: int) -> int:
        start = self.text.rfind("\n", 0, position) + 1
        return start + 1 if start == 0 and self.text.startswith("\ufeff") else start

    def line_end(self, position: int) -> int:
        """The offset just past the line break that ends the line of ``position``."""
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end + 1

    def edit(self, start: int, end: int, text: str, rule: str = "") -> Edit:
        """A byte edit for the character range; ``text`` takes the file's line ends."""
        text = self.closed(start, end, text)
        if self.newline == "\r\n":
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return Edit(self._byte(start), self._byte(end), text.encode(), rule)

    def _byte(self, position: int) -> int:
        """The byte offset of a character, by the nearest one before it that is known."""
        known = self._bytes
        if known is None:
            return position
        step = position // BLOCK
        return known[step] + len(self.text[step * BLOCK : position].encode())

    @cached_property
    def _bytes(self) -> list[int] | None:
        """The byte offset of each block of the text; None where characters are bytes."""
        if self.text.isascii():
            return None
        blocks = range(0, len(self.text), BLOCK)
        sizes = (len(self.text[start : start + BLOCK].encode()) for start in blocks)
        return list(accumulate(sizes, initial=0))

    def closed(self, start: int, end: int, text: str) -> str:
        """The text with a semicolon, where the code behind it would go on with its statement.

        In a file without semicolons ``const x = require('x')`` and a following line that begins
        with ``(async () => {`` are one call.
        """
        body, gone = text.rstrip(), self.text[start:end].rstrip()
        if gone and not gone.endswith(";"):
            return text
        gap = GAP.match(self.text, end)
        assert gap is not None
        behind = self.text[gap.end() : gap.end() + 1]
        if behind not in GOES_ON or "\n" not in text[len(body) :] + gap.group():
            return text
        if not body:  # what was between two statements is taken away
            before = self.text[:start].rstrip()[-1:]
            return f";{text}" if gone and before not in ENDED else text
        return text if body[-1] in ENDED else f"{body};{text[len(body) :]}"


@fact
def _read(host: Host, path: str) -> Source:
    return Source.parse(path, host.read(path))


def mask_grammar_gaps(text: str) -> str:
    """The text with a name of the same length for what TypeScript allows and tree-sitter does not.

    ``import('./x.js').Y[]`` as a type: valid since TypeScript 2.9, an error in
    tree-sitter-typescript 0.23. Offsets stay as they are.
    """
    return IMPORT_TYPE.sub(lambda found: "_" * len(found.group()), text)


def first_broken(root: SgNode) -> SgNode | None:
    """An ERROR node, or a token that tree-sitter had to invent (it has no text)."""
    broken = root.find(kind="ERROR")
    if broken is not None:
        return broken
    return next((node for node in root.find_all(regex="^$") if not node.is_named()), None)


def too_deep(root: SgNode) -> SgNode | None:
    """The first node that stands in more calls, functions and tests than are looked into.

    The text of a node holds that of all nodes in it, so to read them takes the square.
    """
    nodes = root.find_all({"rule": {"any": [{"kind": kind} for kind in NESTED]}})
    ends: list[int] = []
    for node in nodes if len(nodes) > DEEPEST else ():
        start, end = span(node)
        while ends and ends[-1] <= start:
            ends.pop()
        ends.append(end)
        if len(ends) > DEEPEST:
            return node
    return None


def name_nodes(node: SgNode) -> list[SgNode]:
    """Every name below a node, in order."""
    return node.find_all({"rule": {"any": [{"kind": kind} for kind in NAME_KINDS]}})


def walk(node: SgNode) -> Iterator[SgNode]:
    """The node and all below it, in source order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += reversed(current.children())


def start_of(node: SgNode) -> int:
    return node.range().start.index


def end_of(node: SgNode) -> int:
    return node.range().end.index


def span(node: SgNode) -> tuple[int, int]:
    place = node.range()
    return place.start.index, place.end.index


def line_of(node: SgNode) -> int:
    """1-based."""
    return node.range().start.line + 1


def column_of(node: SgNode) -> int:
    """1-based."""
    return node.range().start.column + 1


def same(one: SgNode | None, other: SgNode | None) -> bool:
    if one is None or other is None:
        return one is other
    return span(one) == span(other) and one.kind() == other.kind()


def within(node: SgNode, outer: SgNode) -> bool:
    """Whether a node lies in another one, or is it. In none that is not there (``nodes.py``)."""
    if not outer:
        return False
    start, end = span(outer)
    return start <= start_of(node) and end_of(node) <= end


def enclosing(node: SgNode, kinds: frozenset[str] | set[str]) -> SgNode | None:
    """The nearest node around (not the node itself) of one of the kinds."""
    return next((outer for outer in node.ancestors() if outer.kind() in kinds), None)


def enclosing_function(node: SgNode) -> SgNode | None:
    return enclosing(node, FUNCTION_KINDS)


def body_of(function: SgNode) -> SgNode | None:
    """The block of a function, or None for an arrow with an expression body."""
    body = function.field("body")
    return body if body is not None and body.kind() == "statement_block" else None


def statements(block: SgNode) -> list[SgNode]:
    """The statements of a block, or the entries of a list or an object, comments left out."""
    return [child for child in block.children() if child.is_named() and child.kind() != "comment"]


def calls(node: SgNode) -> list[SgNode]:
    return [*nodes_of(node, "call_expression")]


@lru_cache(REMEMBERED)
def nodes_of(node: SgNode, kind: str) -> tuple[SgNode, ...]:
    """The nodes of a kind below a node, the node itself included, in order."""
    return tuple(node.find_all(kind=kind))


def callee_of(call: SgNode) -> str:
    """The text of what is called, without type arguments or optional chaining marks."""
    function = call.field("function")
    if function is None:
        return ""
    text = function.text()
    return text if text.isidentifier() else re.sub(r"\s+|\?", "", text)


def arguments_of(call: SgNode) -> list[SgNode]:
    arguments = call.field("arguments")
    return statements(arguments) if arguments is not None else []


def string_value(node: SgNode) -> str | None:
    """The text of a plain string literal, without its quotes."""
    if node.kind() != "string":
        return None
    return node.text()[1:-1]


def statement_around(node: SgNode) -> SgNode:
    """The outermost node around (or the node itself) that stands directly in a block."""
    current = node
    for outer in node.ancestors():
        if outer.kind() in ("statement_block", "program", "class_body", "switch_case"):
            return current
        current = outer
    return current
