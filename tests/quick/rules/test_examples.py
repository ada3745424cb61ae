"""Each rule's examples: planned as shown, once; and each rule has tests named for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify import examine
from modify.rules import KINDS, Example, by_id, ids, rule_ids
from modify.rules.frames import frame_of, hosts_of
from skill.edit import apply_edits
from skill.host import Host
from skill.options import Options

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


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("rule_id", "example"), EXAMPLES)
def test_an_example_is_what_is_planned(rule_id: str, example: Example, tmp_path: Path) -> None:
    before, after = hosts_of(example)
    write(tmp_path, before)
    patch = examine(Host(tmp_path), Options())
    path = frame_of(example.kind).path
    edits = patch.edits[path]
    assert apply_edits(before[path].encode(), edits).decode() == after[path]
    seen = {finding.rule for finding in patch.findings if not finding.is_hand_off}
    assert rule_id in seen | {edit.rule for edit in edits}
    for name, planned in patch.edits.items():
        content = apply_edits((tmp_path / name).read_bytes(), planned)
        (tmp_path / name).write_bytes(content)
    write(tmp_path, {name: addition.content.decode() for name, addition in patch.additions.items()})
    again = examine(Host(tmp_path), Options())
    assert not again.edits, "a second apply changes nothing"
    assert rule_id not in {finding.rule for finding in again.findings}


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
