"""Every unit rule is documented, and its id is its file's name."""

from __future__ import annotations

from types import ModuleType

import pytest

from modify.units.rules import all_rules, rule_id, unit_rules

HEADINGS = ("What it does", "Why is this bad", "What is done", "When it hands off")


def test_every_rule_is_found() -> None:
    assert sorted(rule_id(rule) for rule in all_rules()) == [
        "compose-restart-always",
        "fault-asserting-test",
        "launchd-keep-alive",
        "pm2-autorestart",
        "supervisord-autorestart",
        "systemd-restart-always",
        "systemd-start-limit",
        "wrapper-restart-always",
    ]
    assert [rule_id(rule) for rule in unit_rules("launchd")] == ["launchd-keep-alive"]


@pytest.mark.parametrize("rule", list(all_rules()), ids=rule_id)
def test_page(rule: ModuleType) -> None:
    page = rule.__doc__ or ""
    assert [line for line in page.splitlines() if line in HEADINGS] == list(HEADINGS)
    assert rule_id(rule) == rule.ID
    assert rule.EXAMPLES
    assert all(before != after for before, after in rule.EXAMPLES)
