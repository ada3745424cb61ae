"""stale-skill-copy: what it leaves alone, then what it changes and hands off."""

from __future__ import annotations

from pathlib import Path

from modify import examine
from modify.rules.channels.stale_skill_copy import rule
from modify.rules.frames import frame_of
from skill.edit import Patch
from skill.host import Host
from skill.options import Options
from tests.harness import write

FRAME = frame_of(rule.examples[0].kind)
CHANNEL, TEXT = next(iter(FRAME.others.items()))


def planned(root: Path, files: dict[str, str]) -> Patch:
    write(root, files)
    return examine(Host(root), Options())


def test_a_manifest_that_names_the_module(tmp_path: Path) -> None:
    patch = planned(tmp_path, {CHANNEL: TEXT, FRAME.path: rule.examples[0].after})
    assert CHANNEL in patch.edits and FRAME.path not in patch.edits


def test_a_manifest_that_does_not(tmp_path: Path) -> None:
    patch = planned(tmp_path, {CHANNEL: TEXT, FRAME.path: rule.examples[0].before})
    assert {edit.rule for edit in patch.edits[FRAME.path]} == {rule.id}


def test_the_engine_that_keeps_the_unpatched_file(tmp_path: Path) -> None:
    kept = ".nanoclaw/base/src/channels/whatsapp.ts"
    patch = planned(tmp_path, {"src/channels/whatsapp.ts": TEXT, kept: TEXT})
    found = [finding for finding in patch.findings if finding.rule == rule.id]
    assert [(finding.path, finding.is_hand_off) for finding in found] == [(kept, True)]
