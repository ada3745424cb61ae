"""docs/rules/ holds each rule's page as its file has it."""

from __future__ import annotations

from tests.quick.docs.rule_pages import FOLDER, pages


def test_the_pages_are_current() -> None:
    there = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    assert there == pages(), "make them anew: make rule-pages"
