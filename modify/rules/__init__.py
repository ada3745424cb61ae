"""The catalogue of rules: one file an id, its page, its examples and its detectors.

A rule's id is its file's name with hyphens, its docstring is its page (``skillgen rule ID``), and
its examples, before and after, make its tests. A detector looks at one kind of thing (``KINDS``)
and yields a Sight for each place where the rule holds. What is changed there is the matter of the
codemod: the rules of a channel concern the same bytes, so there is one rewrite for all of them.

Rooms ask ``sights_of`` and ``findings_of``, and name a rule by ``modify.rules.ids``. Rules import
the rooms' models, never the other way round, and no library of a language: a TypeScript host
never imports libcst, and ``--help`` no parser at all. A shelf is imported when it is asked.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeVar

from modify.units import managers
from skill.edit import Edit
from skill.finding import Finding

KINDS = {
    "baileys-channel": "channels",
    "bridge-link": "channels",
    "bridge-process": "channels",
    "process-loop": "channels",
    "neonize-client": "channels",
    "neonize-session": "channels",
    "neonize-dialling": "channels",
    "neonize-exit": "channels",
    "systemd": "units",
    "launchd": "units",
    **dict.fromkeys(managers.KINDS, "units"),
    "unit-assertions": "units",
}
"""What a detector may look at, and the shelf of the rules that do."""


class Text(Protocol):
    """A file or a part of one; ``place`` is the line and column of a node or an offset in it."""

    @property
    def path(self) -> str: ...
    def place(self, where: Any, /) -> tuple[int, int]: ...


class Sight(NamedTuple):
    """A place where a rule holds: the finding, the rule's own edits if it has any, the node."""

    finding: Finding
    edits: tuple[Edit, ...] = ()
    node: Any = None


Detector = Callable[..., Iterator[Sight]]
D = TypeVar("D", bound=Detector)


class Example(NamedTuple):
    """What a rule changes: the lines that matter, in the frame of their kind, or whole files."""

    kind: str
    before: str
    after: str
    is_whole: bool = False


@dataclass
class Rule:
    """fix: what is done about it, unless a detector names something else.

    ends_clean_restarts: once it is settled, a clean exit ends the bot for good.
    loses_link: the bot stays away, which no pace of its attempts mends.
    """

    module: str
    fix: str
    examples: Sequence[Example] = ()
    accept: str = ""
    ends_clean_restarts: bool = False
    loses_link: bool = False
    _detectors: list[tuple[str, Detector]] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def page(self) -> str:
        return (sys.modules[self.module].__doc__ or self.id).strip()

    @property
    def summary(self) -> str:
        return self.page.partition("\n\n")[0].replace("\n", " ")

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self._detectors}

    def detects(self, kind: str) -> Callable[[D], D]:
        """Register a detector of one kind of thing."""

        def register(detector: D) -> D:
            self._detectors.append((kind, detector))
            return detector

        return register

    def detectors(self, kind: str) -> Iterator[Detector]:
        return (detector for of, detector in self._detectors if of == kind)

    def at(
        self, text: Text, where: Any, message: str, fix: str = "", edits: Sequence[Edit] = ()
    ) -> Sight:
        """A place that is settled: by the channel's rewrite, or by these edits."""
        line, column = text.place(where)
        found = Finding(text.path, line, column, self.id, message, fix or self.fix)
        return Sight(found, tuple(edits), where)

    def hand_off(self, text: Text, where: Any, message: str, reason: str) -> Sight:
        """A place that a person has to settle."""
        line, column = text.place(where)
        found = Finding(
            text.path, line, column, self.id, message, reason=reason, accept=self.accept
        )
        return Sight(found, (), where)


def rule_ids() -> list[str]:
    """The id of every rule, from the files' names: nothing is imported."""
    return sorted(name.rpartition(".")[2].replace("_", "-") for name in _modules())


@cache
def channel_rule_ids() -> frozenset[str]:
    """The ids of the rules that look at what connects: ``stale-skill-copy`` looks at none."""
    return frozenset(rule.id for rule in _shelf("channels") if rule.kinds)


@cache
def unit_rule_ids() -> frozenset[str]:
    """The ids of the rules that look at service units."""
    return frozenset(rule.id for rule in _shelf("units"))


@cache
def ends_clean_restarts() -> tuple[str, ...]:
    """The ids of the rules after which a clean exit ends the bot for good, as KINDS has them."""
    kinds = [*KINDS]
    rules = [rule for rule in _shelf("units") if rule.ends_clean_restarts]
    rules.sort(key=lambda rule: min(map(kinds.index, rule.kinds)))
    return tuple(rule.id for rule in rules)


def by_id(rule_id: str) -> Rule:
    """A rule by its id. Raises KeyError."""
    for name in _modules():
        if name.endswith(f".{rule_id.replace('-', '_')}"):
            return _rule(name)
    raise KeyError(rule_id)


def sights_of(kind: str, *thing: Any) -> Iterator[Sight]:
    """What the rules see in one thing, by the rules' names."""
    for rule in _shelf(KINDS[kind]):
        for detect in rule.detectors(kind):
            yield from detect(*thing)


def findings_of(kind: str, *thing: Any) -> list[Finding]:
    return [sight.finding for sight in sights_of(kind, *thing)]


@cache
def _shelf(shelf: str) -> tuple[Rule, ...]:
    return tuple(_rule(name) for name in _modules() if name.split(".")[2] == shelf)


def _rule(module: str) -> Rule:
    rule = import_module(module).rule
    assert isinstance(rule, Rule)
    return rule


@cache
def _modules() -> tuple[str, ...]:
    """The modules of the rules: each shelf is a folder."""
    return tuple(
        f"{__name__}.{shelf}.{found.name}"
        for shelf in sorted(set(KINDS.values()))
        for found in pkgutil.iter_modules([f"{root}/{shelf}" for root in __path__])
    )
