"""Where nodes lie in the bytes of their file, worked out for one statement at a time.

libcst knows a place only after it has written the code out again, which takes longer than
reading it. ``ast`` has the place of every statement: so just the statement that is asked about
is written out, and its nodes are counted from its beginning.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper

from modify.kit.python.tree import line_starts, statements

BLOCKS = (cst.IndentedBlock, cst.Module)
Placed = tuple[Mapping[cst.CSTNode, CodeSpan], int]


@dataclass(eq=False)
class Spans:
    """text: what the module was read from; nodes: all below the module, in their order."""

    module: cst.Module
    text: str
    nodes: list[cst.CSTNode]
    parents: Mapping[cst.CSTNode, cst.CSTNode]
    _known: dict[cst.CSTNode, Placed] = field(default_factory=dict)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The bytes of a node: from its first token to its last."""
        places, shift = self._places(self._top(node))
        place = places[node]
        return place.start + shift, place.start + place.length + shift

    def _top(self, node: cst.CSTNode) -> cst.CSTNode:
        """The statement of a block that a node stands in; the module, where there is none."""
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, BLOCKS):
                return node
            node = parent
        return self.module

    def _places(self, top: cst.CSTNode) -> Placed:
        """The places in a statement, and what is to be added to each of them."""
        if top not in self._known:
            first = top.body[0] if isinstance(top, cst.SimpleStatementLine) else top
            begin = self._begins.get(first)
            if begin is not None:
                places = written(self._alone(top))
                self._known[top] = places, begin - places[first].start
            elif top is self.module:
                self._known[top] = written(top), 0
            else:
                return self._places(self.module)
        return self._known[top]

    @cached_property
    def _begins(self) -> dict[cst.CSTNode, int]:
        """Start offset of each statement, in bytes; empty if ``ast`` and libcst disagree."""
        try:
            tree = ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {}
        kinds = (cst.BaseCompoundStatement, cst.BaseSmallStatement)
        ours = [node for node in self.nodes if isinstance(node, kinds)]
        theirs = sorted(statements(tree), key=lambda node: (node.lineno, node.col_offset))
        if len(ours) != len(theirs):
            return {}
        lines = line_starts(self.text.encode())
        return {
            node: lines[same.lineno - 1] + same.col_offset
            for node, same in zip(ours, theirs, strict=True)
        }

    def _alone(self, statement: cst.CSTNode) -> cst.Module:
        """A module of this statement, as deep in blocks as it is in the file."""
        node = statement
        while (parent := self.parents.get(node)) is not None:
            if isinstance(parent, cst.IndentedBlock):
                statement = cst.If(cst.Name("_"), parent.with_changes(body=[statement]))
            node = parent
        return self.module.with_changes(header=(), body=[statement], footer=())


def written(module: cst.Module) -> Mapping[cst.CSTNode, CodeSpan]:
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    return wrapper.resolve(ByteSpanPositionProvider)
