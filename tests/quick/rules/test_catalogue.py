"""The catalogue: each id once, with a page, a fix, detectors, and tests of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from modify.rules import KINDS, by_id, ids, rule_ids

HEADINGS = ["What it finds", "Why it is bad", "What is done", "When it is handed off"]
# Seen by the codemod of what it patches, and described on the rule's page.
WITHOUT_DETECTORS = {ids.STALE_SKILL_COPY}
every_rule = pytest.mark.parametrize("rule_id", rule_ids())


def test_each_name_of_an_id_is_a_rule() -> None:
    named = {name: value for name, value in vars(ids).items() if name.isupper()}
    assert set(named.values()) <= set(rule_ids())
    assert all(name == value.upper().replace("-", "_") for name, value in named.items())


@every_rule
def test_page(rule_id: str) -> None:
    rule = by_id(rule_id)
    assert rule.id == rule_id
    assert rule.summary.endswith(".")
    assert [line for line in rule.page.splitlines() if line in HEADINGS] == HEADINGS


@every_rule
def test_detectors(rule_id: str) -> None:
    rule = by_id(rule_id)
    assert rule.kinds <= set(KINDS)
    assert bool(rule.kinds) != (rule_id in WITHOUT_DETECTORS)


def test_no_other_file_holds_an_id_as_a_string(checkout: Path) -> None:
    """A misspelt name of ``modify.rules.ids`` does not pass the type checker; a string does."""
    known = set(rule_ids())
    any_of_them = re.compile("|".join(known).encode())
    found = [
        f"{file.relative_to(checkout)}:{node.lineno} {node.value}"
        for room in ("modify", "skill")
        for file in sorted((checkout / room).rglob("*.py"))
        if file != checkout / "modify" / "rules" / "ids.py"
        if any_of_them.search(content := file.read_bytes())
        for node in ast.walk(ast.parse(content))
        if isinstance(node, ast.Constant) and node.value in known
    ]
    assert found == []
