"""Drop the part of a condition that only tests a flag which nothing sets any more.

``if (again && !this.reconnecting) { this.reconnecting = true; setTimeout(…) }``: the flag kept
a second timer away. All waiting is in the gate now, which knows of one wait only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modify.kit.typescript.source import end_of, same, start_of, statements

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Range = tuple[int, int]


def idle_return(use: SgNode) -> SgNode | None:
    """The statement ``if (flag) return;``."""
    operand, operator = operand_of(use)
    condition = operand.parent()
    test = condition.parent() if condition is not None else None
    if condition is None or condition.kind() != "parenthesized_expression" or test is None:
        return None
    return test if operator == "||" and only_returns(test) else None


def idle_operand(use: SgNode) -> Range | None:
    """The ``&& !flag`` or ``flag ||`` of an ``if``'s condition."""
    operand, operator = operand_of(use)
    parent = operand.parent()
    if parent is None or parent.kind() != "binary_expression" or not decides(parent, operator):
        return None
    left, right = parent.field("left"), parent.field("right")
    if left is None or right is None:
        return None
    if same(right, operand):
        return end_of(left), end_of(right)
    return start_of(left), start_of(right)


def operand_of(use: SgNode) -> tuple[SgNode, str]:
    """The operand that a flag makes (``this.flag``, ``!this.flag``); what it would be joined by."""
    whole = use
    parent = use.parent()
    if parent is not None and parent.kind() == "member_expression":
        whole, parent = parent, parent.parent()
    if parent is not None and parent.kind() == "unary_expression" and parent.text()[0] == "!":
        return parent, "&&"
    return whole, "||"


def decides(chain: SgNode, operator: str) -> bool:
    """Whether a chain of one operator is the whole condition of an ``if``."""
    node = chain
    while node.kind() == "binary_expression":
        sign = node.field("operator")
        outer = node.parent()
        if sign is None or sign.text() != operator or outer is None:
            return False
        node = outer
    test = node.parent()
    return (
        node.kind() == "parenthesized_expression"
        and test is not None
        and test.kind() == "if_statement"
        and same(test.field("condition"), node)
    )


def only_returns(test: SgNode) -> bool:
    """``if (…) return;``, with braces or without, and no ``else``."""
    consequence = test.field("consequence")
    if test.kind() != "if_statement" or consequence is None or test.field("alternative"):
        return False
    block = consequence.kind() == "statement_block"
    inner = statements(consequence) if block else [consequence]
    return len(inner) == 1 and inner[0].text().rstrip(";") == "return"
