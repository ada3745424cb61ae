"""Each rule's examples: planned as shown, once; and each rule has tests named for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules import KINDS, Example, by_id, ids, rule_ids
from modify.rules.frames import frame_of, hosts_of
from tests import harness

EXAMPLES = [
    pytest.param(rule_id, example, id=f"{rule_id}-{number}-{example.kind}")
    for rule_id in rule_ids()
    for number, example in enumerate(by_id(rule_id).examples)
]
# Kinds in which a rule hands off whatever it finds.
HANDED_OFF = {(ids.LOGOUT_HIDDEN_BY_BRIDGE, "process-loop")}
LANGUAGES = {
    "baileys-channel": "TypeScript",
    "bridge-link": "a bridge",
    "bridge-process": "a bridge",
    "process-loop": "a bridge",
    "neonize-client": "neonize",
    "neonize-session": "neonize",
    "neonize-dialling": "neonize",
}
"""One example is enough for the kinds of things that are changed alike."""


@pytest.mark.parametrize(("rule_id", "example"), EXAMPLES)
def test_an_example_is_what_is_planned(rule_id: str, example: Example, tmp_path: Path) -> None:
    before, after = hosts_of(example)
    made = harness.patched(tmp_path, before)
    path = frame_of(example.kind).path
    assert made.text(path) == after[path]
    seen = {finding.rule for finding in made.settled}
    assert rule_id in seen | {edit.rule for edit in made.patch.edits[path]}
    assert rule_id not in {finding.rule for finding in made.again.findings}


@pytest.mark.parametrize("rule_id", rule_ids())
def test_a_rule_shows_each_language_that_it_knows(rule_id: str) -> None:
    rule = by_id(rule_id)
    kinds = {kind for kind in rule.kinds if (rule_id, kind) not in HANDED_OFF}
    wanted = {LANGUAGES.get(kind, kind) for kind in kinds}
    shown = {LANGUAGES.get(example.kind, example.kind) for example in rule.examples}
    assert rule.examples and wanted <= shown
    assert set(KINDS) >= kinds


@pytest.mark.parametrize("rule_id", rule_ids())
def test_a_rule_has_tests_of_its_own(rule_id: str) -> None:
    folder = Path(__file__).parent
    name = f"test_{rule_id.replace('-', '_')}.py"
    assert list(folder.rglob(name)), f"{name} is missing: make rule makes one"
