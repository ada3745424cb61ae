"""Pauses of Python loops: which calls wait, how long, and whether the number grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import libcst as cst

from modify.kit.python.source import Source, called, dotted, inside, names_in, string_of

SLEEPS = {"sleep", "asyncio.sleep", "time.sleep", "anyio.sleep", "gevent.sleep"}

Loop = cst.While | cst.For


@dataclass(frozen=True)
class Wait:
    """A pause: the call, its number, and how it waits. flat: the number never grows."""

    call: cst.Call
    number: cst.BaseExpression
    kind: Literal["sleep", "event"]
    flat: bool


def wait_of(source: Source, call: cst.Call, loop: Loop) -> Wait | None:
    name = called(call)
    arguments = {(arg.keyword.value if arg.keyword else ""): arg.value for arg in call.args}
    kind: Literal["sleep", "event"] = "sleep"
    number: cst.BaseExpression | None = None
    if name in SLEEPS:
        number = arguments.get("") or arguments.get("delay") or arguments.get("secs")
    elif name.endswith("wait_for") and call.args and called(call.args[0].value).endswith(".wait"):
        number = arguments.get("timeout")
        if number is None and len(call.args) > 1:
            number = call.args[1].value
        kind = "event"
    elif name.endswith(".wait") and call.args:
        if called(source.parent(source.parent(call) or call)).endswith("wait_for"):
            return None
        number = arguments.get("timeout") or arguments.get("")
        kind = "event"
    if number is None or (isinstance(number, cst.Integer) and number.value == "0"):
        return None
    return Wait(call, number, kind, is_flat(source, number, loop))


def is_flat(source: Source, number: cst.BaseExpression, loop: cst.CSTNode) -> bool:
    """A number, or a name that nothing in the loop's function makes grow."""
    if isinstance(number, (cst.Integer, cst.Float)):
        return True
    name = dotted(number)
    if not name:
        # ``min(2 ** n, 60)``, ``delays[n]``: computed. ``random.uniform(1, 3)`` stays flat, and
        # so does ``config["delay"]``.
        return not any(
            isinstance(found, (cst.Power, cst.Multiply))
            or (isinstance(found, cst.Subscript) and not is_setting(found))
            or called(found) == "min"
            for found in [number, *inside(number)]
        ) and not names_in(number) & grown_names(source, loop)
    return name.rpartition(".")[2] not in grown_names(source, loop)


def is_setting(node: cst.Subscript) -> bool:
    """``config["delay"]``: looked up by a name, not by the number of tries."""
    only = node.slice[0].slice if len(node.slice) == 1 else None
    return isinstance(only, cst.Index) and string_of(only.value) is not None


def grown_names(source: Source, loop: cst.CSTNode) -> set[str]:
    """Names that the loop's function computes from something: ``delay = min(delay * 2, 60)``."""
    function = source.nearest(loop, cst.FunctionDef)
    grown = set()
    for node in inside(function if function is not None else loop):
        if isinstance(node, cst.AugAssign):
            grown.add(dotted(node.target).rpartition(".")[2])
        elif isinstance(node, cst.Assign) and isinstance(
            node.value, (cst.Call, cst.BinaryOperation, cst.IfExp, cst.Subscript, cst.Await)
        ):
            grown |= {dotted(target.target).rpartition(".")[2] for target in node.targets}
    return grown - {""}
