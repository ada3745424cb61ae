"""Every rule of Python has a page with the house's headings, and says what it does about it."""

from __future__ import annotations

from importlib import import_module

import pytest

from modify.python.rules import rule_ids

HEADINGS = ("What it does", "Why is this bad", "What is done", "When it hands off")
DETECTORS = ("find", "find_client", "find_child", "find_dialling")


@pytest.mark.parametrize("rule", sorted(rule_ids()))
def test_page(rule: str) -> None:
    module = import_module(f"modify.python.rules.{rule.replace('-', '_')}")
    page = module.__doc__ or ""
    assert page.splitlines()[0].endswith(".")
    places = [page.index(f"\n{heading}\n") for heading in HEADINGS]
    assert places == sorted(places)
    assert module.FIX and any(hasattr(module, name) for name in DETECTORS)
