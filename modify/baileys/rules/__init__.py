"""The rules for channel files, one a module; a rule's id is its module's name with hyphens.

A channel rule has ``FIX`` (what the rewrite does about it) and ``find(channel)``, which
yields a Seen for each place where it holds. They concern the same bytes, so there is one
rewrite for all of them (``modify.baileys.rewrite``): a channel file is patched as a
whole or not at all. The docstring is the rule's page.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from modify.baileys.model.channel import Channel
from modify.kit.typescript.source import column_of, line_of
from skill.finding import Finding

if TYPE_CHECKING:
    from ast_grep_py import SgNode


class Seen(NamedTuple):
    """A place where a rule holds, and what is wrong there in one sentence."""

    node: SgNode
    message: str


def rule_id(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-")


def channel_rules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        if hasattr(module, "find"):
            yield module


def rule_ids() -> set[str]:
    return {rule_id(module) for module in channel_rules()}


def look(channel: Channel) -> Iterator[tuple[ModuleType, Seen]]:
    """Every rule's findings in one channel, in the order of the rules' names."""
    for module in channel_rules():
        for seen in module.find(channel):
            yield module, seen


def findings_in(channel: Channel) -> list[Finding]:
    """What the rules see in one channel, each with the fix of its rule."""
    return [
        Finding(
            channel.source.path,
            line_of(seen.node),
            column_of(seen.node),
            rule_id(module),
            seen.message,
            module.FIX,
        )
        for module, seen in look(channel)
    ]
