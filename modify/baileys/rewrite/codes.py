"""Close branches that go by single status codes: a code that none of them names is no end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel, comparison, sides
from modify.kit.typescript.nodes import around, part, sides_around
from modify.kit.typescript.source import calls, same, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

CODE = re.compile(r"^(\w*DisconnectReason\??\.\w+|[45]\d\d)$")


def is_over(channel: Channel, call: SgNode) -> bool:
    """Whether a call stands where the session is known to be over, and nothing else is."""
    ends = {verdict.text() for verdict in channel.verdicts if comparison(verdict) is True}
    return any(
        each.holds and each.condition.text().strip("() ") in ends for each in sides_around(call)
    )


def goes_by_codes(channel: Channel, redials: list[SgNode]) -> bool:
    """Whether every redial of the close branch is for codes that it names."""
    return bool(redials) and all(code_tests(channel, call) for call in redials)


def helper_goes_by_codes(channel: Channel, helper: SgNode) -> bool:
    """The same of a function that the close branch calls: ``onClosed(error)``."""
    dialled = [call for call in calls(helper) if channel.dialled_by(call) in channel.connect_texts]
    return bool(dialled) and all(code_tests(channel, call, helper) for call in dialled)


def code_tests(channel: Channel, call: SgNode, around: SgNode | None = None) -> list[SgNode]:
    """The ifs and switches around a redial that let it happen for single codes, inside first."""
    found = []
    for outer in call.ancestors():
        if not within(outer, around or channel.logic):
            break
        condition, taken = part(outer, "condition"), part(outer, "consequence")
        if outer.kind() == "if_statement" and within(call, taken):
            if names_a_code(condition):
                found.append(outer)
        elif outer.kind() == "switch_statement":
            cases = [case for case in outer.find_all(kind="switch_case") if within(call, case)]
            if any(CODE.match(part(case, "value").text()) for case in cases):
                found.append(outer)
    return found


def names_a_code(condition: SgNode) -> bool:
    return any(is_code(test) for test in comparisons(condition) if comparison(test))


def is_code(test: SgNode) -> bool:
    """``code === 428``, or ``code === (A || B)``, by which people mean either."""
    return any(
        all(CODE.match(each.strip()) for each in side.text().strip("()").split("||"))
        for side in sides(test)
    )


def comparisons(condition: SgNode) -> list[SgNode]:
    return [
        test
        for test in condition.find_all(kind="binary_expression")
        if comparison(test) is not None
    ]


def asks_only_for_codes(test: SgNode) -> bool:
    """Whether a test has no veto of the host's in it, which the others would need, too."""
    condition = part(test, "condition")
    rest = condition.text()
    for each in comparisons(condition):
        if is_code(each):
            rest = rest.replace(each.text(), "")
    return re.search(r"\w", rest) is None


def fallback_place(channel: Channel, redials: list[SgNode]) -> SgNode | None:
    """The last of the tests for codes, where they stand in one block: behind it, any code comes.

    A guard of the host's around that block covers the other codes as well.
    """
    tests = [code_tests(channel, call) for call in redials]
    if not all(asks_only_for_codes(test) for each in tests for test in each):
        return None
    outermost = [first_of_chain(each[-1]) for each in tests]
    block = around(outermost[0])
    alike = all(same(each.parent(), block) for each in outermost)
    return outermost[-1] if alike and block.kind() in ("statement_block", "program") else None


def first_of_chain(test: SgNode) -> SgNode:
    """The ``if`` that an ``else if`` belongs to."""
    current = test
    for outer in test.ancestors():
        if outer.kind() == "if_statement":
            if not within(current, part(outer, "alternative")):
                break
            current = outer
        elif outer.kind() != "else_clause":
            break
    return current
