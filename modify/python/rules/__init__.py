"""The rules for Python channels, one a module; a rule's id is its module's name with hyphens.

A rule has ``FIX`` (what the rewrite does about it) and one or more detectors: ``find(link)``
for a bridge link, ``find_client(client)`` for a neonize client, ``find_session(session)`` for
one that is made anew each time it is started, ``find_dialling(dialling)`` for what connects one
that stays, ``find_child(child)`` for a bridge that is a child process,
``find_supervisor(supervisor)`` for a loop that starts one. Each yields a Seen for each place
where the rule holds. One rewrite settles all rules of a channel: it is patched as a whole or
not at all. The docstring is the rule's page.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import libcst as cst

    from modify.kit.python.source import Source


class Seen(NamedTuple):
    """A place where a rule holds, and what is wrong there in one sentence.

    source: its file, where it is another one than the channel's.
    """

    node: cst.CSTNode
    message: str
    source: Source | None = None


def rule_id(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-")


def rule_ids() -> set[str]:
    return {found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)}


def look(channel: Any, detector: str) -> Iterator[tuple[str, str, Seen]]:
    """Every rule's findings in one channel: rule id, fix and place, by the rules' names."""
    for found in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        find = getattr(module, detector, None)
        if find is not None:
            for seen in find(channel):
                yield rule_id(module), module.FIX, seen
