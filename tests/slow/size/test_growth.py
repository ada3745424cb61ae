"""Twice the host, at most 2.3 times the work: counted in calls, as a machine's time says little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from skill.host import Host
from skill.options import Options
from skill.plan import Change, make_plan
from skill.report.diff import diff, diff_of
from tests.bench import growth

SIZES = {
    "listeners in one function": 300,
    "channels in one file": 100,
    "channels, a file each": 20,
    "files": 300,
    "continued lines of a unit": 2_000,
    "Python channels, a file each": 8,
    "Python dials in one file": 100,
}


def calls(root: Path) -> int:
    """The calls that it takes to plan a host's change and to show it."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    host = Host(root)
    sys.setprofile(count)
    try:
        diff_of(make_plan(host, Options()).changes)
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("kind", SIZES)
def test_work_grows_no_faster_than_the_host(kind: str, tmp_path: Path) -> None:
    make, _ = growth.KINDS[kind]
    size = SIZES[kind]
    for name, part in (("warm", 3), ("one", size), ("two", 2 * size)):
        make(tmp_path / name, part)
    calls(tmp_path / "warm")  # imports, and what is rendered once
    one, two = calls(tmp_path / "one"), calls(tmp_path / "two")
    assert two < 2.3 * one, f"{one:,} calls, then {two:,}"


@pytest.mark.parametrize("lines", [400, 4_000])
def test_a_diff_of_many_equal_lines_applies(lines: int, tmp_path: Path) -> None:
    before = b"".join(b"f%d() {\n  x\n}\n\n" % n for n in range(lines))
    after = b"".join(
        b"f%d() {\n  x\n%s}\n\n" % (n, b"  y\n" if n % 7 == 0 else b"") for n in range(lines)
    )
    (tmp_path / "bot.ts").write_bytes(before)
    patch = diff(Change("bot.ts", before, after, 0o644, ()))
    command = ["git", "apply", "-"]
    subprocess.run(command, cwd=tmp_path, input=patch, check=True)
    assert (tmp_path / "bot.ts").read_bytes() == after
    assert patch.count(b"\n+  y") == len(range(0, lines, 7))
    assert b"\n-" not in patch.partition(b"@@")[2]


def test_a_file_of_more_listeners_than_are_told_apart_is_held(tmp_path: Path) -> None:
    growth.functions(tmp_path / "host", 65)
    plan = make_plan(Host(tmp_path / "host"), Options())
    (text,) = (c.after for c in plan.changes if c.path == "bot.ts")
    assert text is not None
    assert text.count(b"reconnect.socket(makeWASocket, ") == 65
    (held,) = (note for note in plan.notes if note.kind == "held")
    assert "it has more than 64 listeners" in held.message
    assert {finding.rule for finding in plan.findings} == {"ungated-connect"}


def test_a_file_of_64_listeners_is_rewritten(tmp_path: Path) -> None:
    growth.functions(tmp_path / "host", 64)
    plan = make_plan(Host(tmp_path / "host"), Options())
    assert any(note.kind == "rewritten" for note in plan.notes)


def test_a_python_file_of_more_dials_than_are_told_apart_is_handed_off(tmp_path: Path) -> None:
    growth.python_loops(tmp_path / "host", 65)
    plan = make_plan(Host(tmp_path / "host"), Options())
    assert [finding.message for finding in plan.hand_offs] == ["connects in 65 places"]
    assert not plan.changes
