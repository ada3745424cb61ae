"""Loops that end after some attempts: whether they may is up to the host's maintainers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import leaves
from modify.kit.typescript.source import callee_of, calls, end_of, start_of, walk, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

COUNT = re.compile(r"(attempt|retr|tries|count|fail|reconnect)\w*$", re.IGNORECASE)
MORE = (">", ">=", "<", "<=")


def limit_on(redial: SgNode, where: SgNode) -> SgNode | None:
    """The test of a counter that a redial within ``where`` depends on, if there is one.

    ``if (tries < MAX) connect()``, or ``if (tries >= MAX) return;`` in front of it.
    """
    for outer in redial.ancestors():
        if not within(outer, where):
            return None
        if outer.kind() == "if_statement":
            condition = outer.field("condition")
            if condition is not None and not within(redial, condition) and counts(condition):
                return condition
        if outer.kind() == "statement_block":
            found = next(ends_before(redial, outer.children()), None)
            if found is not None:
                return found
    return None


def ends_before(redial: SgNode, siblings: Iterable[SgNode]) -> Iterator[SgNode]:
    for sibling in siblings:
        if sibling.kind() != "if_statement" or end_of(sibling) > start_of(redial):
            continue
        condition, taken = sibling.field("condition"), sibling.field("consequence")
        if condition is not None and counts(condition) and ends(taken):
            yield condition


def ends(taken: SgNode | None) -> bool:
    return leaves(taken) or (
        taken is not None and any(callee_of(call) == "process.exit" for call in calls(taken))
    )


def counts(condition: SgNode) -> bool:
    """Whether a condition compares a number of attempts with a limit."""
    for test in walk(condition):
        operator = test.field("operator") if test.kind() == "binary_expression" else None
        if operator is None or operator.text() not in MORE:
            continue
        sides = [test.field("left"), test.field("right")]
        if any(side is not None and COUNT.search(side.text()) for side in sides):
            return True
    return False
