"""The rules as the command line shows them: each id once, with its page."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from modify.rules import Example, Rule, by_id, rule_ids
from skill.errors import SkillgenError


def rules() -> dict[str, Rule]:
    """Every rule by id, in order."""
    return {rule_id: by_id(rule_id) for rule_id in rule_ids()}


def require_known(names: Iterable[str]) -> None:
    """Raise SkillgenError for a name that is no rule's, with the close ones."""
    known = rule_ids()
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else "see skillgen rule"
            raise SkillgenError(f"no rule is named {name!r}; {hint}")


def titled(example: Example) -> list[tuple[str, str]]:
    """An example as two titles with their text: the kind of thing, before and after."""
    return [
        (f"Before, {example.kind}:", example.before),
        (f"After, {example.kind}:", example.after),
    ]
