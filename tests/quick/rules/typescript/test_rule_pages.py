"""Every channel rule has a page, examples that hold, and tests of its own."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from modify.baileys.codemod import examine
from modify.baileys.rules import channel_rules, rule_id
from skill.edit import apply_edits
from skill.host import Host
from skill.options import Options
from skill.rulebook import examples, rules

HEADINGS = ("What it does", "Why is this bad", "What is done", "When it hands off")
every_rule = pytest.mark.parametrize("rule", list(channel_rules()), ids=rule_id)


def test_every_rule_is_found() -> None:
    assert sorted(rule_id(rule) for rule in channel_rules()) == [
        "auth-failure-exit",
        "channel-gives-up",
        "flat-retry",
        "lost-first-open",
        "no-connect-deadline",
        "premature-reset",
        "qr-exit",
        "reconnect-after-stop",
        "stacked-timers",
        "ungated-connect",
    ]


@every_rule
def test_page(rule: ModuleType) -> None:
    page = rule.__doc__ or ""
    assert [line for line in page.splitlines() if line in HEADINGS] == list(HEADINGS)
    assert rule.FIX


@every_rule
def test_has_tests_of_its_own(rule: ModuleType) -> None:
    name = rule_id(rule).replace("-", "_")
    assert Path(__file__).with_name(f"test_{name}.py").exists()


@every_rule
def test_examples_are_what_the_rewrite_gives(rule: ModuleType, tmp_path: Path) -> None:
    assert rule.EXAMPLES
    for number, (before, after) in enumerate(rule.EXAMPLES):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "channel.ts").write_text(before)
        patch = examine(Host(folder), Options())
        assert rule_id(rule) in {finding.rule for finding in patch.findings}
        assert not [finding for finding in patch.findings if finding.is_hand_off]
        assert apply_edits(before.encode(), patch.edits["channel.ts"]).decode() == after
        (folder / "channel.ts").write_text(after)
        assert not examine(Host(folder), Options()).findings


@every_rule
def test_its_page_shows_the_examples(rule: ModuleType) -> None:
    shown = rules()[rule_id(rule)]
    # Where languages share an id, the first one's page is shown.
    if shown.module == rule.__name__:
        assert examples(shown) == [tuple(pair) for pair in rule.EXAMPLES]
