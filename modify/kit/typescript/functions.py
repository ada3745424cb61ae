"""Functions of a file: how each is declared and called, and what an expression stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    REMEMBERED,
    callee_of,
    enclosing_function,
    nodes_of,
    same,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

CARRYING = ("then", "catch", "finally", "setTimeout", "setImmediate", "queueMicrotask", "nextTick")
LISTENING = ("process.on", "process.once", "process.addListener")


@dataclass(frozen=True)
class Function:
    """A function of the file. name: as declared. call: how code of this file calls it."""

    node: SgNode
    name: str
    call: str

    @property
    def parameters(self) -> list[SgNode]:
        single = self.node.field("parameter")
        if single is not None:
            return [single]
        listed = self.node.field("parameters")
        if listed is None:
            return []
        return [
            child for child in listed.children() if child.is_named() and child.kind() != "comment"
        ]

    @property
    def parameter_names(self) -> list[str]:
        names = []
        for parameter in self.parameters:
            pattern = parameter.field("pattern") or parameter.field("left") or parameter
            names.append(pattern.text())
        return names

    @property
    def is_async(self) -> bool:
        return any(child.kind() == "async" for child in self.node.children())


@lru_cache(REMEMBERED)
def named_functions(root: SgNode) -> tuple[Function, ...]:
    return tuple(
        function
        for kind in sorted(FUNCTION_KINDS)
        for node in root.find_all(kind=kind)
        if (function := named(node)) is not None
    )


@lru_cache(REMEMBERED)
def functions_by_call(root: SgNode) -> dict[str, Function]:
    """The named functions below a node, by how they are called; of two alike the last."""
    return {function.call: function for function in named_functions(root)}


def named(node: SgNode) -> Function | None:
    """How a function is declared and called, or None when it has no name of its own."""
    name = node.field("name")
    if node.kind() == "method_definition":
        if name is None or name.text() == "constructor":
            return None
        return Function(node, name.text(), f"this.{name.text()}")
    if name is not None:
        return Function(node, name.text(), name.text())
    parent, callee = node.parent(), node
    while parent is not None and parent.kind() == "call_expression":
        # `const f = () => {…}` and `(async () => {…})()` in the next line, without a semicolon:
        # a call to tree-sitter, two statements to JavaScript.
        if not same(parent.field("function"), callee):
            return None
        callee = parent
        parent = callee.parent()
    if parent is None:
        return None
    if parent.kind() == "variable_declarator":
        name = parent.field("name")
        if name is not None and name.kind() == "identifier":
            return Function(node, name.text(), name.text())
    if parent.kind() in ("public_field_definition", "field_definition"):
        name = parent.field("name") or parent.field("property")
        if name is not None:
            return Function(node, name.text(), f"this.{name.text()}")
    if parent.kind() == "pair":
        name = parent.field("key")
        if name is not None:
            return Function(node, name.text(), f"this.{name.text()}")
    return None


def first_parameter(function: SgNode) -> SgNode | None:
    parameters = Function(function, "", "").parameters
    if not parameters:
        return None
    first = parameters[0]
    return first.field("pattern") or first.field("left") or first


def pattern_names(pattern: SgNode) -> Iterator[tuple[str, str]]:
    """(key, local name) for each plain entry of a destructuring pattern."""
    for child in pattern.children():
        if child.kind() == "shorthand_property_identifier_pattern":
            yield child.text(), child.text()
        elif child.kind() == "pair_pattern":
            key, value = child.field("key"), child.field("value")
            if key is not None and value is not None and value.kind() == "identifier":
                yield key.text(), value.text()
        elif child.kind() == "object_assignment_pattern":
            left = child.field("left")
            if left is not None:
                yield left.text(), left.text()


def resolve(node: SgNode, root: SgNode) -> SgNode | None:
    """The function that an expression stands for, when it is in this file."""
    if node.kind() in FUNCTION_KINDS:
        return node
    if node.kind() == "call_expression":  # handler.bind(this)
        function = node.field("function")
        if function is not None and function.text().endswith(".bind"):
            target = function.field("object")
            return resolve(target, root) if target is not None else None
        return None
    text = re.sub(r"[!\s]", "", node.text())
    name = text.rpartition(".")[2]
    if not re.fullmatch(r"(this\.)?#?\w+", text):
        return None
    for declared in named_functions(root):
        if declared.name == name:
            return declared.node
    for assignment in nodes_of(root, "assignment_expression"):
        left, right = assignment.field("left"), assignment.field("right")
        if left is None or right is None or left.text() != text:
            continue
        if right.kind() in FUNCTION_KINDS:
            return right
    return None


def function_run_by(node: SgNode) -> SgNode | None:
    """The function that a node belongs to: a named one, a listener, or one that is assigned.

    Callbacks that only carry on what their function does (``.then``, timers, ``new Promise``)
    are passed over; it is unknown when any other callback runs.
    """
    function = enclosing_function(node)
    while function is not None and named(function) is None:
        parent = function.parent()
        if parent is None or parent.kind() == "assignment_expression":
            return function
        taker = parent.parent() if parent.kind() == "arguments" else None
        if taker is None:
            return None
        if taker.kind() == "call_expression":
            callee = callee_of(taker)
            if callee in LISTENING:
                return function
            if callee.rpartition(".")[2] not in CARRYING:
                return None
        elif taker.kind() != "new_expression":
            return None
        function = enclosing_function(function)
    return function
