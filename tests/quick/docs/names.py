"""What a page names of this repository: files, modules, functions, make targets, sections."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.quick.docs.pages import FENCE, fenced, inline

ROOMS = "skill|add|modify|tests|docs"
PATH = re.compile(rf"(?<![\w./-])(?:{ROOMS})/[\w./*-]*(?:::\w+)?")
MODULE = re.compile(rf"(?<![\w./-])(?:{ROOMS})(?:\.[A-Za-z_]\w*)+(?![\w/])")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)((?: [A-Z_]+=\S+)*)")
# A word in capitals stands for a name of the reader's: tests/hosts/NAME.
STAND_IN = re.compile(r"\b[A-Z]{2,}\b(?!\.md)")


def paths(page: str) -> Iterator[str]:
    """Paths below a room of this repository, wherever they stand in the page."""
    for found in PATH.findall(page):
        yield found.rstrip(".")


def modules(page: str) -> Iterator[str]:
    yield from MODULE.findall(page)


def make_commands(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each target of make that a reader is to call, with the variables that go with it."""
    for text in (*fenced(page, "sh"), *inline(page)):
        for target, given in MAKE.findall(text):
            yield target, re.findall(r"([A-Z_]+)=", given)


def sections(page: str) -> set[str]:
    """The names by which links reach the page's headings."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", page), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def is_there(checkout: Path, path: str) -> bool:
    """Whether a path exists, and defines what follows its ``::``."""
    file, _colons, name = path.partition("::")
    found = list(checkout.glob(STAND_IN.sub("*", file.rstrip("/"))))
    return bool(found) and (not name or all(name in defined(one) for one in found))


def is_module(checkout: Path, dotted: str) -> bool:
    """Whether a dotted name is a module, or what a module or one of its classes defines."""
    at, rest = checkout, dotted.split(".")
    while rest and (at / rest[0]).is_dir():
        at /= rest.pop(0)
    file = at / "__init__.py"
    if rest and (at / f"{rest[0]}.py").is_file():
        file = at / f"{rest.pop(0)}.py"
    return not rest or (file.is_file() and ".".join(rest) in defined(file))


@cache
def defined(file: Path) -> set[str]:
    """What a Python file defines: ``name``, and ``Class.name`` of what stands in a class."""
    return set(_names(ast.parse(file.read_bytes()), ""))


def _names(body: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in body.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _names(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + name.id for name in targets if isinstance(name, ast.Name))
