"""A finding's fix is what is done: the close branch of a held channel is not rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify import examine
from skill.host import Host
from skill.options import Options

HELD = ("unknown-shape", "split-listener", "session-map", "shared-maker", "awaited-listener")
REWRITTEN = ("v1-class", "module-functions", "js-esm")


@pytest.mark.parametrize("name", HELD)
def test_no_fix_of_a_held_channel_speaks_of_its_close_branch(checkout: Path, name: str) -> None:
    patch = examine(Host(checkout / "tests/hosts" / name), Options())
    channels = [one for one in patch.findings if one.path.endswith((".ts", ".js"))]
    assert channels
    assert {one.fix for one in channels if not one.is_hand_off} == {
        "each attempt waits for its turn: at most 20 in any hour, across restarts"
    }


@pytest.mark.parametrize("name", REWRITTEN)
def test_where_it_is_rewritten_the_fix_says_so(checkout: Path, name: str) -> None:
    patch = examine(Host(checkout / "tests/hosts" / name), Options())
    fixes = {one.fix for one in patch.findings if one.rule == "flat-retry"}
    assert fixes == {"waits 5 s, 10 s, 20 s … 5 min instead"}
