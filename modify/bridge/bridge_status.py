"""The statuses that a bridge sends its Python program: the branch for ``"disconnected"``.

Many bridges report only "connected" and "disconnected", so the Python half cannot tell a 401
from a dropped line until the bridge has a word of its own for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from modify.bridge.link import LinkLoop
from modify.kit.python.source import Source, all_of, block_of, string_of

LOGOUTS = ("logged_out", "loggedout", "logout", "logged-out", "unauthorized", "revoked")
LONGEST_COPY = 60


@dataclass(frozen=True)
class StatusBranch:
    """``elif status == "disconnected":``. subject: ``status``; me: the channel's name there.

    copied: the branch's first line, when it only notes that the link is down.
    """

    branch: cst.If
    subject: str
    quote: str
    me: str
    copied: str


def status_branch(link: LinkLoop) -> StatusBranch | None:
    """The branch in which the loop's class handles the status ``"disconnected"``."""
    if link.owner is None:
        return None
    found = [
        (function, branch)
        for function in all_of(link.owner, cst.FunctionDef, functions=True)
        for branch in all_of(function, cst.If)
        if literal_of(branch) == "disconnected" and function.params.params
    ]
    if len(found) != 1:
        return None
    function, branch = found[0]
    comparison = branch.test
    assert isinstance(comparison, cst.Comparison)
    literal = comparison.comparisons[0].comparator
    assert isinstance(literal, cst.SimpleString)
    block = block_of(branch)
    if not block or chained_badly(link.source, branch):
        return None
    first = link.source.text(block[0]) if len(block) == 1 else ""
    copied = first if "= False" in first and len(first) < LONGEST_COPY else ""
    me = function.params.params[0].name.value
    return StatusBranch(branch, link.source.text(comparison.left), literal.quote, me, copied)


def literal_of(branch: cst.If) -> str | None:
    """The text that a branch compares with: ``status == "disconnected"``."""
    test = branch.test
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return None
    only = test.comparisons[0]
    if not isinstance(only.operator, cst.Equal):
        return None
    return string_of(only.comparator)


def chained_badly(source: Source, branch: cst.If) -> bool:
    """An ``else`` would follow the new ``elif``: fine; a suite on one line would not."""
    return isinstance(branch.body, cst.SimpleStatementSuite)


def hears_logout(link: LinkLoop) -> bool:
    scope: cst.CSTNode = link.owner or link.function
    return any(any(word in text.lower() for word in LOGOUTS) for text in literals(scope))


def literals(scope: cst.CSTNode) -> Iterator[str]:
    """Strings that are compared with, not those that are logged."""
    for comparison in all_of(scope, cst.Comparison, functions=True):
        for node in all_of(comparison, cst.SimpleString):
            text = string_of(node)
            if text:
                yield text
