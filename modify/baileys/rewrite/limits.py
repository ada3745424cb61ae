"""Loops that end after some attempts: whether they may is up to the host's maintainers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import leaves
from modify.kit.typescript.nodes import NOTHING, part
from modify.kit.typescript.source import callee_of, calls, end_of, nodes_of, start_of, within

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
        condition = part(outer, "condition") if outer.kind() == "if_statement" else NOTHING
        if not within(redial, condition) and counts(condition):
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
        condition = part(sibling, "condition")
        if counts(condition) and ends(part(sibling, "consequence")):
            yield condition


def ends(taken: SgNode) -> bool:
    return leaves(taken) or any(callee_of(call) == "process.exit" for call in calls(taken))


def counts(condition: SgNode) -> bool:
    """Whether a condition compares a number of attempts with a limit."""
    return any(
        part(test, "operator").text() in MORE
        and any(COUNT.search(part(test, side).text()) for side in ("left", "right"))
        for test in nodes_of(condition, "binary_expression")
    )
