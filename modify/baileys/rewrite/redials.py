"""What takes the place of each redial of a close branch, and how much goes with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from modify.baileys.model.channel import Channel
from modify.baileys.model.reconnect_loop import Redial, droppable_callback, is_thin, outermost
from modify.baileys.model.return_value import is_used
from modify.baileys.rewrite.codes import is_over
from modify.kit.typescript.functions import Function
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import arguments_of, calls, enclosing, span, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

How = Literal["dial", "end", "repeat"]

# await delay(5000), await new Promise((resolve) => setTimeout(resolve, 5000))
WAIT = re.compile(
    r"^await\s+(?:(?:\w+\.)?(?:delay|sleep|wait|setTimeout)"
    r"|new\s+Promise(?:<\w+>)?\(\s*\(?(?P<done>\w+)\)?\s*=>\s*setTimeout)"
    r"\(\s*(?(done)(?P=done)\s*,\s*)(?P<delay>[\d_]+(?:\s*\*\s*[\d_]+)?)\s*\)(?(done)\s*\));?$"
)


@dataclass(frozen=True)
class Replaced:
    """A redial and how it is replaced.

    ``dial``: by ``dial(…)``. ``end``: by the host's way to stop, for the session is over there.
    ``repeat``: its whole statement is what ``dial(…)`` runs, as it keeps what the call returns.
    in_helper: it stands in a function that stays.
    """

    how: How
    redial: Redial
    in_helper: bool = False

    @property
    def wait(self) -> tuple[SgNode, str] | None:
        """The flat wait right before it, and its delay: all waiting is in the gate."""
        previous = self.redial.whole.prev() if self.redial.statement else None
        found = WAIT.search(previous.text()) if previous is not None else None
        return (previous, found["delay"]) if previous is not None and found else None

    @property
    def goes(self) -> list[tuple[int, int]]:
        """The ranges of the host's code that it takes the place of."""
        wait = self.wait if self.how == "dial" else None
        return [span(self.redial.whole), *([span(wait[0])] if wait else [])]


def replaced_redials(channel: Channel, keeps_loop: bool) -> list[Replaced]:
    """keeps_loop: the timers and counters around the calls stay."""
    close = channel.close
    assert close is not None
    found: list[Replaced] = []
    for call in channel.redials:
        if not close.holds(call):
            continue
        for each in _replaced(channel, call, keeps_loop):
            if not any(within(each.redial.call, other.redial.whole) for other in found):
                found.append(each)
    return found


def _replaced(channel: Channel, call: SgNode, keeps_loop: bool) -> Iterator[Replaced]:
    whole = outermost(channel, call)
    in_block = whole.statement and around(whole.whole).kind() == "statement_block"
    if in_block and is_over(channel, call):
        yield Replaced("end", whole)
        return
    helper = channel.helper_of(call)
    if helper is not None and stays(channel, helper, keeps_loop):
        for dialled in calls(helper.node):
            if channel.dialled_by(dialled) in channel.connect_texts:
                yield _called(channel, dialled, outermost_chain_only(channel, dialled), True)
        return
    chain = outermost_chain_only(channel, call) if keeps_loop else whole
    yield _called(channel, call, chain, False)


def _called(channel: Channel, call: SgNode, redial: Redial, in_helper: bool) -> Replaced:
    if not is_used(channel, call):
        return Replaced("dial", redial, in_helper)
    statement = enclosing(call, {"expression_statement"})
    assert statement is not None  # shape.py has looked
    return Replaced("repeat", Redial(call, statement, True), in_helper)


def stays(channel: Channel, helper: Function, keeps_loop: bool) -> bool:
    """Whether a helper that reconnects is more than the loop: only its calls are replaced."""
    return keeps_loop or not is_thin(channel, helper)


def outermost_chain_only(channel: Channel, call: SgNode) -> Redial:
    """The call with its ``.catch``, without the timer that the host keeps around it.

    A ``.then`` or ``.finally`` stays: ``dial`` returns a promise, too.
    """
    node = call
    while True:
        outer = around(node)
        chain = around(outer)
        if (
            chain.kind() == "call_expression"
            and part(outer, "property").text() == "catch"
            and all(droppable_callback(channel, each) for each in arguments_of(chain))
        ):
            node = chain
            continue
        if outer.kind() == "expression_statement":
            return Redial(call, outer, True)
        return Redial(call, node, False)
