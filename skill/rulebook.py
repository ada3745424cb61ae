"""The rules' own pages: one module a rule, found by name, read without being imported."""

from __future__ import annotations

import ast
import difflib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import modify
from skill.errors import SkillgenError

ROOMS = ("python", "units", "baileys")


@dataclass(frozen=True, slots=True)
class Rule:
    """id: ``flat-retry``; page: its docstring; summary: that page's first line."""

    id: str
    module: str
    page: str

    @property
    def summary(self) -> str:
        return self.page.partition("\n\n")[0].replace("\n", " ")


def rules() -> dict[str, Rule]:
    """Every rule by id, in order; where languages share an id, the first one's page."""
    found: dict[str, Rule] = {}
    for room in ROOMS:
        for root in modify.__path__:
            folder = Path(root) / room / "rules"
            for item in pkgutil.iter_modules([str(folder)]):
                page = ast.get_docstring(ast.parse((folder / f"{item.name}.py").read_bytes()))
                name = item.name.replace("_", "-")
                module = f"modify.{room}.rules.{item.name}"
                found.setdefault(name, Rule(name, module, page or name))
    return dict(sorted(found.items()))


def require_known(names: Iterable[str]) -> None:
    """Raise SkillgenError for a name that is no rule's, with the close ones."""
    known = list(rules())
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else "see skillgen rule"
            raise SkillgenError(f"no rule is named {name!r}; {hint}")


def examples(rule: Rule) -> list[tuple[str, str]]:
    """Before and after, from the rule's module (this does import it)."""
    return [
        (example[0], example[1]) for example in getattr(import_module(rule.module), "EXAMPLES", ())
    ]
