"""A node that is not there, and the tests under which a node is run.

``part(call, "function", "property")`` is a node in any case: where one on the way is missing it is
``NOTHING``, of no kind, without a text, and false.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from modify.kit.typescript.source import within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

SIDES = (("consequence", True), ("alternative", False))


class Nothing:
    """Answers as a node does that has nothing in it."""

    def __bool__(self) -> bool:
        return False

    def kind(self) -> str:
        return ""

    def text(self) -> str:
        return ""

    def is_named(self) -> bool:
        return False

    def field(self, _name: str) -> None:
        return None

    def parent(self) -> None:
        return None

    def children(self) -> list[SgNode]:
        return []

    def find_all(self, **_rule: object) -> list[SgNode]:
        return []


NOTHING = cast("SgNode", Nothing())


class Taken(NamedTuple):
    """A side of an ``if``. holds: whether its condition is true there."""

    test: SgNode
    condition: SgNode
    side: SgNode
    holds: bool


def part(node: SgNode | None, *fields: str) -> SgNode:
    """The node in a field of a node, or in a field of that, and so on; else NOTHING."""
    for name in fields:
        node = node.field(name) if node is not None else None
    return NOTHING if node is None else node


def around(node: SgNode | None, *kinds: str) -> SgNode:
    """The parent of a node, or its parent, and so on, if each is of the kind given; else NOTHING.

    An empty kind stands for any.
    """
    for kind in kinds or ("",):
        node = node.parent() if node is not None else None
        if node is not None and kind not in ("", node.kind()):
            node = None
    return NOTHING if node is None else node


def sides_around(node: SgNode) -> Iterator[Taken]:
    """The sides of ``if`` statements that a node stands in, inside first."""
    for outer in node.ancestors():
        for name, holds in SIDES if outer.kind() == "if_statement" else ():
            condition, side = part(outer, "condition"), part(outer, name)
            if condition and side and within(node, side):
                yield Taken(outer, condition, side, holds)
