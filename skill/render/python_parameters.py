"""Parameters of the Python reconnect module that a host never gives: taken out of its source.

Only a keyword that is None by default, and is used as ``if name and …:`` or ``… if name else
other``: so that it can be seen what is left of the function without it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
WIDTH = 79


def keywords(source: str) -> frozenset[str]:
    """The names of the parameters that can be left out, where no call in the source gives them."""
    tree = ast.parse(source)
    found = {name for function in _functions(tree) for name in _optional(function)}
    given = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    return frozenset(found - given)


def without(source: str, names: Collection[str]) -> str:
    """The source without those parameters and the code that runs if they are given."""
    lines = source.split("\n")
    tree = ast.parse(source)
    # From the end, so that the places before it stay right.
    for function in sorted(_functions(tree), key=lambda found: -found.lineno):
        gone = [name for name in _optional(function) if name in names]
        for name in gone:
            for node in sorted(_places(function, name), key=lambda found: -found.lineno):
                _take_out(lines, node)
        if gone:
            _document(lines, function, gone)
            _sign(lines, function, gone)
    return "\n".join(lines)


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]


def _optional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        name = argument.arg
        if not (isinstance(default, ast.Constant) and default.value is None):
            continue
        inside = {id(use) for place in _places(function, name) for use in ast.walk(place)}
        uses = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
        if all(id(use) in inside for use in uses):
            yield name


def _places(function: ast.AST, name: str) -> Iterator[ast.If | ast.IfExp]:
    for node in ast.walk(function):
        if isinstance(node, ast.If | ast.IfExp):
            test = node.test
            if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
                test = test.values[0]
            if isinstance(test, ast.Name) and test.id == name:
                yield node


def _take_out(lines: list[str], node: ast.If | ast.IfExp) -> None:
    row, end_row = node.lineno - 1, node.end_lineno or 0
    if isinstance(node, ast.If):
        lines[row:end_row] = []
        return
    line = lines[row]
    other = line[node.orelse.col_offset : node.orelse.end_col_offset]
    start, end = node.col_offset, node.end_col_offset or 0
    if line[:start].endswith(" ("):
        start, end = start - 1, end + 1
    lines[row] = line[:start] + other + line[end:]


def _document(
    lines: list[str], function: ast.FunctionDef | ast.AsyncFunctionDef, gone: list[str]
) -> None:
    """Remove from the docstring the paragraphs that mention the parameters."""
    text, node = ast.get_docstring(function), function.body[0]
    if text is None:
        return
    parts = [part for part in text.split("\n\n") if not any(name in part for name in gone)]
    margin = " " * node.col_offset
    told = "\n\n".join(parts).split("\n")
    told[0] = f'"""{told[0]}'
    told = [*told[:-1], told[-1] + '"""'] if len(told) == 1 else [*told, '"""']
    lines[node.lineno - 1 : node.end_lineno] = [(margin + line).rstrip() for line in told]


def _sign(
    lines: list[str], function: ast.FunctionDef | ast.AsyncFunctionDef, gone: list[str]
) -> None:
    """The first lines of the function: on one line, if they fit."""
    parts = [part for name, part in _parts(function.args) if name not in gone]
    parts = parts[: -1 if parts[-1] == "*" else None]
    word = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    returned = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    margin = " " * function.col_offset
    whole = f"{margin}{word} {function.name}({', '.join(parts)}){returned}:"
    signed = [whole]
    if len(whole) > WIDTH:
        listed = (f"{margin}    {part}," for part in parts)
        signed = [f"{margin}{word} {function.name}(", *listed, f"{margin}){returned}:"]
    lines[function.lineno - 1 : _body_start(lines, function)] = signed


def _parts(given: ast.arguments) -> Iterator[tuple[str, str]]:
    """The parameters, by their names, as they are written."""
    bare = [None] * (len(given.args) - len(given.defaults))
    for argument, default in zip(given.args, [*bare, *given.defaults], strict=True):
        yield argument.arg, _part(argument, default)
    if given.vararg is not None:
        yield given.vararg.arg, "*" + ast.unparse(given.vararg)
    elif given.kwonlyargs:
        yield "*", "*"
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield argument.arg, _part(argument, default)


def _part(argument: ast.arg, default: ast.expr | None) -> str:
    value = f" = {ast.unparse(default)}" if default is not None else ""
    return ast.unparse(argument) + value


def _body_start(lines: list[str], function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The number of the line that ends with the colon before the body."""
    row = function.lineno
    while not lines[row - 1].rstrip().endswith(":"):
        row += 1
    return row
