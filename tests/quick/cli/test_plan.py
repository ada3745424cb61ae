"""The plan by itself: what is parsed again, and what is left when a host has its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.edit import Addition, Edit, Patch
from skill.errors import SkillgenError
from skill.host import Host
from skill.options import Options
from skill.plan import Change, make_plan, options_as_data, options_from_data, verify
from tests.quick.cli.conftest import ADDED

PLIST = b'<?xml version="1.0"?>\n<plist version="1.0"><dict><key>A</key><true/></dict></plist>\n'


@pytest.mark.parametrize(
    ("path", "before", "broken"),
    [
        ("package.json", b"{}", b"{,}"),
        ("bot.plist", PLIST, PLIST.replace(b"</dict>", b"")),
        ("bot.py", b"x = 1\n", b"x = = 1\n"),
    ],
)
def test_what_no_longer_parses_is_refused(path: str, before: bytes, broken: bytes) -> None:
    verify(Change(path, before, before, 0o644))
    with pytest.raises(SkillgenError, match=f"{path}: would not parse"):
        verify(Change(path, before, broken, 0o644))
    with pytest.raises(SkillgenError):
        verify(Change(path, None, broken, 0o644))


def test_json_with_comments_stays_as_it_was() -> None:
    verify(Change("tsconfig.json", b"// c\n{}", b"// c\n{ }", 0o644))


def test_an_edited_module_of_ours_is_left(host: Path) -> None:
    (host / "src/added.ts").write_bytes(ADDED + b"// mine\n")
    plan = make_plan(Host(host), Options())
    assert [change.path for change in plan.changes] == ["src/whats app.bot.ts"]
    assert [note.path for note in plan.notes if note.kind == "drift"] == ["src/added.ts"]


def test_an_older_module_of_ours_is_replaced(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skill.render.typescript.module_identity", lambda _text: ("0.0.9", True))
    (host / "src/added.ts").write_bytes(b"// skillgen 0.0.9\n")
    (host / "src/added.ts").chmod(0o600)
    [change] = [c for c in make_plan(Host(host), Options()).changes if c.path == "src/added.ts"]
    assert (change.after, change.mode) == (ADDED, 0o600)


def test_edits_that_change_nothing_are_no_change(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = Patch(edits={"README.md": [Edit(0, 1, b"a", "x")]})
    monkeypatch.setattr("modify.examine", lambda _host, _options: patch)
    assert make_plan(Host(host), Options()).changes == ()


def test_additions_come_first(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = Patch(
        edits={"README.md": [Edit(0, 1, b"A", "x")]},
        additions={"z.ts": Addition("z.ts", b"z", ("x",))},
    )
    monkeypatch.setattr("modify.examine", lambda _host, _options: patch)
    assert [change.path for change in make_plan(Host(host), Options()).changes] == [
        "z.ts",
        "README.md",
    ]


def test_options_survive_a_saved_plan() -> None:
    options = Options(select=frozenset({"a", "b"}), start_limit=7, add_service="systemd")
    assert options_from_data(options_as_data(options)) == options
