"""How often the files of a host name what the added module holds, for the test that asserts it."""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Collection, Iterator

from skill.edit import Patch, apply_edits
from skill.host import Host
from skill.render.python import Wiring
from skill.source_paths import is_among_tests


def wiring_of(host: Host, patch: Patch, module: str, callables: Collection[str]) -> Wiring:
    """The files beside an added module that import it, by their names as tests import them.

    callables: the functions and methods that a host may call. A name that is imported is counted
    whole; a method, which others may have as well, by how often the patch has brought it.
    """
    folder = posixpath.dirname(module)
    stem = posixpath.splitext(posixpath.basename(module))[0]
    found: dict[str, dict[str, int]] = {}
    for file in host.with_suffix(".py"):
        if posixpath.dirname(file.path) != folder or is_among_tests(file.path):
            continue
        before = host.read(file.path)
        after = parsed(apply_edits(before, patch.edits.get(file.path, ())))
        names = {*imported(after, stem)} if after is not None else set()
        if after is None or not names:
            continue
        grown = counted(after) - counted(parsed(before))
        least = {word: times for word, times in counted(after).items() if word in names}
        methods = set(callables) - names
        least |= {word: times for word, times in grown.items() if word in methods}
        found[absolute_name(host, file.path)] = dict(sorted(least.items()))
    return {name: least for name, least in found.items() if least}


def parsed(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imported(tree: ast.Module, stem: str) -> Iterator[str]:
    """The names that a file takes from a module with that last name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] == stem:
            yield from (alias.asname or alias.name for alias in node.names)


def counted(tree: ast.Module | None) -> Counter[str]:
    """How often each name and each attribute is used, as in add/channel/python/test_wiring.py."""
    nodes = ast.walk(tree) if tree is not None else ()
    return Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute)
    )


def absolute_name(host: Host, path: str) -> str:
    """``bot.channels.whatsapp_reconnect`` of a file in a package; else its bare name."""
    parts = posixpath.splitext(path)[0].removesuffix("/__init__").split("/")
    first = len(parts) - 1
    while first and host.exists("/".join([*parts[:first], "__init__.py"])):
        first -= 1
    return ".".join(parts[first:])
