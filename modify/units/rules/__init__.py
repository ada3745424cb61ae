"""The rules for service units, one a module; a rule's id is its module's name with hyphens.

A unit rule has ``KIND`` and ``check(unit, options)``, which yields a Fault for each thing
that is wrong and for nothing else. Its docstring is its page, ``EXAMPLES`` (before, after)
feed the tests, ``skillgen rule ID`` and the docs.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from modify.units.model import UnitText
from skill.edit import Edit
from skill.finding import Finding


class Fault(NamedTuple):
    """A finding and the edits that settle it; none for a hand-off."""

    finding: Finding
    edits: tuple[Edit, ...] = ()


def rule_id(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-")


def all_rules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(__path__):
        yield import_module(f"{__name__}.{found.name}")


def unit_rules(kind: str) -> Iterator[ModuleType]:
    """The rules that look at one unit of ``kind``."""
    for module in all_rules():
        if getattr(module, "KIND", None) == kind:
            yield module


def fault(
    text: UnitText, position: int, rule: str, message: str, fix: str, edits: list[Edit]
) -> Fault:
    line, column = text.place(position)
    return Fault(Finding(text.path, line, column, rule, message, fix), tuple(edits))


def hand_off(
    text: UnitText, position: int, rule: str, message: str, reason: str, accept: str
) -> Fault:
    line, column = text.place(position)
    found = Finding(text.path, line, column, rule, message, reason=reason, accept=accept)
    return Fault(found)
