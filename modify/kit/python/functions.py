"""Functions of a Python file: whose method each is, and which one a call names."""

from __future__ import annotations

import libcst as cst

from modify.kit.python.source import Source, all_of, block_of


def is_async(function: cst.FunctionDef) -> bool:
    return function.asynchronous is not None


def owner_of(source: Source, function: cst.FunctionDef) -> cst.ClassDef | None:
    """The class whose method a function is."""
    block = source.parent(function)
    above = source.parent(block) if block is not None else None
    return above if isinstance(above, cst.ClassDef) else None


def function_named(source: Source, near: cst.FunctionDef, name: str) -> cst.FunctionDef | None:
    """The method or function of this file that a call names: ``self._once``, ``run_once``."""
    owner = owner_of(source, near)
    first, _, rest = name.partition(".")
    if rest and owner is not None and "." not in rest and first in ("self", "cls"):
        scope: cst.CSTNode = owner
        wanted = rest
    elif name and not rest:
        scope, wanted = source.module, name
    else:
        return None
    body = source.module.body if scope is source.module else block_of(scope) or []
    for statement in body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == wanted:
            return statement
    return None


def function_of(source: Source, near: cst.FunctionDef, name: str) -> cst.FunctionDef | None:
    for inner in all_of(near, cst.FunctionDef):
        if inner.name.value == name:
            return inner
    return function_named(source, near, name)
