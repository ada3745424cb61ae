"""Listeners that give the connection's update to a function that is not in their file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.baileys.model.channel import LOGGER
from modify.kit.typescript.functions import first_parameter, pattern_names, resolve
from modify.kit.typescript.source import arguments_of, callee_of, calls, walk

if TYPE_CHECKING:
    from ast_grep_py import SgNode

# Calls that only forward, log or inspect their argument.
TELLS = re.compile(
    r"(^|\.)(emit|send|write|push|set|next|publish|broadcast|observe|stringify|inspect|assign|keys"
    r"|values|entries|String|Boolean|notify\w*|\w*[lL]og\w*)$"
)


def taker_of_the_update(handler: SgNode, root: SgNode) -> SgNode | None:
    """The call by which a listener hands the update, or why it was closed, to other code.

    That code then decides what happens after a close.
    """
    logic = resolve(handler, root)
    given = names_of_the_update(logic) if logic is not None else set()
    if logic is None:
        return None
    for call in calls(logic):
        callee = callee_of(call)
        if LOGGER.search(callee) or TELLS.search(callee):
            continue
        function = call.field("function")
        if function is None or resolve(function, root) is not None:
            continue
        if any(is_whole(each, given) for each in arguments_of(call)):
            return call
    return None


def names_of_the_update(logic: SgNode) -> set[str]:
    """The names by which a listener has the update itself, or its ``lastDisconnect``."""
    first = first_parameter(logic)
    if first is None:
        return set()
    if first.kind() == "identifier":
        return {first.text()}
    if first.kind() == "object_pattern":
        return {local for key, local in pattern_names(first) if key == "lastDisconnect"}
    return set()


def is_whole(argument: SgNode, names: set[str]) -> bool:
    """``update``, ``{ update, client }``, ``{ ...update }``: not a part of it."""
    if argument.kind() == "identifier":
        return argument.text() in names
    if argument.kind() != "object":
        return False
    return any(
        each.text() in names
        and each.kind() in ("identifier", "shorthand_property_identifier")
        and (parent := each.parent()) is not None
        and parent.kind() in ("object", "pair", "spread_element")
        for each in walk(argument)
    )
