"""Python source through ``ast``, without looking at all of it: a large file has a million nodes.

Parsing is fast (written in C), walking is not. So a byte search finds the lines, and only the
nodes around those are visited.
"""

from __future__ import annotations

import ast
import codecs
import re
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from functools import lru_cache

from skill.edit import Range

Function = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=16)
def parse(content: bytes) -> ast.Module | None:
    """The tree; None if this Python cannot read it: Python 2, newer syntax, no source at all.

    The last few are cached: several readers share a tree, and none changes it.
    """
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=16)
def line_starts(content: bytes) -> list[int]:
    first = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    return [first, *(found.end() for found in re.finditer(rb"\r\n|\n|\r", content))]


def span(node: ast.AST, lines: list[int]) -> Range:
    """ast counts columns in bytes of UTF-8."""
    assert isinstance(node, ast.expr)
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return lines[node.lineno - 1] + node.col_offset, lines[end_line - 1] + end_column


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement, in the order of ``ast.walk``; expressions hold none and are passed over."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.stmt):
            yield node
        for name in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting.extend(getattr(node, name, ()))


def nodes_around(tree: ast.Module, content: bytes, *marks: bytes) -> list[ast.AST]:
    """The nodes that reach over a line with one of the marks, in the order of ``ast.walk``."""
    starts = line_starts(content)
    places = {place for mark in marks for place in positions(content, mark)}
    lines = sorted({bisect_right(starts, place) for place in places})
    found: list[ast.AST] = []
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if reaches(node, lines):
            found.append(node)
            waiting.extend(ast.iter_child_nodes(node))
    return found


def reaches(node: ast.AST, lines: list[int]) -> bool:
    """Whether a node stands on one of the lines (sorted) or around it."""
    last = getattr(node, "end_lineno", None)
    if last is None:
        return True  # such as a function's parameters, which have no place of their own
    decorators = getattr(node, "decorator_list", None)
    first = decorators[0].lineno if decorators else node.lineno  # type: ignore[attr-defined]
    index = bisect_left(lines, first)
    return index < len(lines) and lines[index] <= last


def positions(content: bytes, mark: bytes) -> Iterator[int]:
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)
