"""Whether callers use what the connect function returns: ``dial()`` hands nothing out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from modify.baileys.model.channel import TIMERS, Channel
from modify.kit.typescript.functions import Function
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    REMEMBERED,
    arguments_of,
    callee_of,
    enclosing_function,
    nodes_of,
    same,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LISTENS = ("on", "once", "addListener", "addEventListener", "setInterval", "forEach")
PASSED_ON = ("await_expression", "parenthesized_expression", "as_expression", "non_null_expression")


def hands_out_its_socket(channel: Channel) -> bool:
    return hands_out(channel.connect.node)


@lru_cache(REMEMBERED)
def hands_out(node: SgNode) -> bool:
    """Whether a function returns something."""
    return any(returns_value(each, node) for each in nodes_of(node, "return_statement"))


def returns_value(statement: SgNode, function: SgNode) -> bool:
    """Whether a return of this very function hands something back."""
    if not same(enclosing_function(statement), function):
        return False
    return any(child.is_named() for child in statement.children())


def is_used(channel: Channel, call: SgNode) -> bool:
    """Whether the code around a call of the connect function needs its return value."""
    if not hands_out_its_socket(channel) or not channel.is_connect_call(call):
        return False
    node = call
    while (parent := node.parent()) is not None:
        kind = parent.kind()
        if kind in ("expression_statement", "unary_expression"):
            return False
        if kind == "return_statement":
            function = enclosing_function(parent)
            return function is None or not (
                same(function, channel.logic) or is_ignored_callback(function)
            )
        if kind == "arrow_function":
            return not is_ignored_callback(parent)
        if kind == "member_expression" and same(parent.field("object"), node):
            chain = parent.parent()
            if chain is None or chain.kind() != "call_expression" or takes_value(parent, chain):
                return True
            node = chain
        elif kind in PASSED_ON:
            node = parent
        else:
            return True
    return False


def takes_value(member: SgNode, chain: SgNode) -> bool:
    """``.then((sock) => …)`` and whatever is read of the result itself."""
    method = member.field("property")
    name = method.text() if method is not None else ""
    if name in ("catch", "finally"):
        return False
    if name != "then":
        return True
    first = arguments_of(chain)[0] if arguments_of(chain) else None
    if first is None or first.kind() not in FUNCTION_KINDS:
        return first is not None
    return bool(Function(first, "", "").parameters)


def is_ignored_callback(function: SgNode) -> bool:
    """Whether the return value of a callback is ignored: a timer's or a listener's."""
    arguments = function.parent()
    call = arguments.parent() if arguments is not None else None
    if call is None or call.kind() != "call_expression":
        return False
    callee = callee_of(call)
    return callee in TIMERS or callee.rpartition(".")[2] in LISTENS
