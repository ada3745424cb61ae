"""Promise 3: what was applied is taken back byte for byte; what others did since stays."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import __version__, transaction
from skill.errors import SkillgenError
from skill.options import Options
from skill.plan import Change, Plan
from skill.render.python import render_python_module
from skill.render.style import Style
from skill.render.typescript import render_channel_module
from tests.quick.transaction.conftest import (
    CHANNEL,
    MODULE,
    PATCHED,
    SCRIPT,
    tree_of,
    without_state,
)

PATH = "src/channels/whatsapp.ts"
ADDED = "src/channels/reconnect/index.ts"


@pytest.fixture
def before(host: Path) -> object:
    return tree_of(host)


@pytest.fixture
def applied(host: Path, before: object, plan_for: Callable[[Path], Plan]) -> Path:
    transaction.apply(plan_for(host))
    return host


def rewrite(host: Path, path: str, old: bytes | None, new: bytes, rule: str = "x") -> None:
    transaction.apply(Plan(host, Options(), (Change(path, old, new, 0o644, (rule,)),)))


def test_the_tree_is_what_it_was(applied: Path, before: object) -> None:
    assert (applied / PATH).read_bytes() == PATCHED
    assert (applied / "start.sh").stat().st_mode & 0o777 == 0o755
    result = transaction.revert(applied)
    assert result is not None
    assert sorted(result.removed) == [ADDED, "tools/a b/run.sh"]
    assert sorted(result.restored) == [PATH, "start.sh"]
    assert tree_of(applied) == before


def test_git_sees_no_state(applied: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=applied, check=True)
    seen = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=applied, capture_output=True, check=True
    )
    assert b".skillgen" not in seen.stdout


def test_a_folder_that_holds_something_of_theirs_stays(applied: Path) -> None:
    (applied / "tools/theirs.txt").write_text("mine\n")
    transaction.revert(applied)
    assert (applied / "tools/theirs.txt").read_text() == "mine\n"
    assert not (applied / "tools/a b").exists()


def test_what_they_changed_elsewhere_in_the_file_stays(applied: Path) -> None:
    edited = PATCHED.replace(b"// no newline at the end", b"\r\n\r\n// theirs\r\n")
    (applied / PATH).write_bytes(edited)
    (applied / PATH).chmod(0o600)
    result = transaction.revert(applied)
    assert result is not None
    assert result.merged == [PATH]
    expected = CHANNEL.replace(b"// no newline at the end", b"\r\n\r\n// theirs\r\n")
    assert (applied / PATH).read_bytes() == expected
    assert (applied / PATH).stat().st_mode & 0o777 == 0o600, "their mode too"
    assert not (applied / ".skillgen").exists()


def test_a_conflict_loses_nothing(applied: Path) -> None:
    theirs = PATCHED.replace(b"await reconnect.turn()", b"await reconnect.turn(theirs)")
    (applied / PATH).write_bytes(theirs)
    result = transaction.revert(applied)
    assert result is not None
    [conflict] = result.conflicts
    assert conflict.path == PATH
    assert (applied / PATH).read_bytes() == theirs
    assert (applied / ADDED).read_bytes() == MODULE, "what it imports stays"
    assert b"always" in (applied / "start.sh").read_bytes(), "the rest is taken back"
    assert conflict.merge
    assert b"<<<<<<<" in (applied / conflict.merge).read_bytes()

    again = transaction.revert(applied)
    assert again is not None
    assert [item.path for item in again.conflicts] == [PATH]

    (applied / PATH).write_bytes(b"settled by hand\n")
    last = transaction.revert(applied, keep=[PATH])
    assert last is not None
    assert not last.conflicts
    assert (applied / PATH).read_bytes() == b"settled by hand\n"
    assert not (applied / ADDED).exists()
    assert not (applied / ".skillgen").exists()


def test_an_added_file_that_they_edited_stays(applied: Path) -> None:
    (applied / ADDED).write_bytes(MODULE + b"export const theirs = 2;\n")
    result = transaction.revert(applied)
    assert result is not None
    assert [conflict.path for conflict in result.conflicts] == [ADDED]
    assert (applied / ADDED).read_bytes().endswith(b"theirs = 2;\n")
    assert (applied / PATH).read_bytes() == CHANNEL


FAR = {
    "words in quotes": ("a.ts", "log('Line dropped');", "log('Line, (dropped);');"),
    "quotes of YAML": ("a.yaml", "version: '1.10'", "version: 1.10"),
    "an indentation": ("a.py", "        done()", "    done()"),
    "a comma": ("a.json", '"a": [1]', '"a": [1,]'),
    "parentheses": ("a.js", "const x = a * b + c;", "const x = a * (b + c);"),
}


@pytest.mark.parametrize(("path", "old", "new"), FAR.values(), ids=FAR)
def test_every_difference_is_one(tmp_path: Path, path: str, old: str, new: str) -> None:
    lines = [f"line {number}" for number in range(9)]
    before = "\n".join(["ours = 1", *lines, old, ""])
    after = before.replace("ours = 1", "ours = 2")
    (tmp_path / path).write_text(before)
    rewrite(tmp_path, path, before.encode(), after.encode())
    (tmp_path / path).write_text(after.replace(old, new))
    result = transaction.revert(tmp_path)
    assert result is not None and result.merged == [path]
    assert (tmp_path / path).read_text() == before.replace(old, new)


def test_a_difference_in_our_own_lines_is_a_conflict(applied: Path) -> None:
    theirs = PATCHED.replace(b"\tawait", b"    await")
    (applied / PATH).write_bytes(theirs)
    result = transaction.revert(applied)
    assert result is not None
    assert [conflict.path for conflict in result.conflicts] == [PATH]
    assert (applied / PATH).read_bytes() == theirs


@pytest.mark.parametrize("ending", [".ts", ".py"])
def test_a_module_that_was_formatted_is_still_ours(tmp_path: Path, ending: str) -> None:
    path = f"whatsapp-reconnect{ending}"
    if ending == ".ts":
        text = render_channel_module(Style(), __version__)
        formatted = text.replace("'", '"').replace(";\n", "\n").replace("  ", "    ")
        formatted = re.sub(r"return (this\.\w+ \+ .+)\n", r"return (\n\1\n)\n", formatted)
    else:
        text = render_python_module(__version__, "bridge")
        formatted = text.replace('"', "'")
    assert formatted != text
    rewrite(tmp_path, path, None, text.encode())
    (tmp_path / path).write_text(formatted)
    result = transaction.revert(tmp_path)
    assert result is not None and result.removed == [path]
    rewrite(tmp_path, path, None, text.encode())
    (tmp_path / path).write_text(formatted.replace("FACTOR = 2", "FACTOR = 3"))
    edited = transaction.revert(tmp_path)
    assert edited is not None and [one.path for one in edited.conflicts] == [path]


RENAMED = {
    "typescript": ("src/wa.ts", "import { Reconnect } from './channels/reconnect/index.js';\n"),
    "required": ("src/wa.cjs", "const { Reconnect } = require('./channels/reconnect/index');\n"),
    "alias": ("lib/wa.ts", "import { Reconnect } from '@/channels/reconnect/index.js';\n"),
}


@pytest.mark.parametrize(("path", "text"), RENAMED.values(), ids=RENAMED)
def test_an_added_file_stays_while_anything_imports_it(applied: Path, path: str, text: str) -> None:
    """The owner has renamed the channel: what it imports is not taken from it."""
    (applied / PATH).unlink()
    (applied / path).parent.mkdir(parents=True, exist_ok=True)
    (applied / path).write_text(text)
    result = transaction.revert(applied)
    assert result is not None
    [conflict] = result.conflicts
    assert (conflict.path, conflict.reason) == (ADDED, f"still imported by {path}")
    assert (applied / ADDED).read_bytes() == MODULE
    assert b"always" in (applied / "start.sh").read_bytes(), "the rest is taken back"
    record = transaction.applied(applied)
    assert record is not None and record.files == (ADDED, PATH)
    # Nothing imports it any more: now it goes, and the record with it.
    (applied / path).unlink()
    (applied / PATH).write_bytes(PATCHED)
    last = transaction.revert(applied)
    assert last is not None and not last.conflicts
    assert (applied / PATH).read_bytes() == CHANNEL
    assert not (applied / ADDED).exists() and not (applied / ".skillgen").exists()


def test_what_only_names_it_keeps_nothing(applied: Path) -> None:
    """A text with the name, a module of that name elsewhere, and the file's own test."""
    (applied / "notes.md").write_text("see ./channels/reconnect/index.js\n")
    (applied / "src/other.ts").write_text("import './reconnect/index.js';\n// reconnect/index\n")
    result = transaction.revert(applied)
    assert result is not None and not result.conflicts
    assert not (applied / ADDED).exists()


def stash(host: Path) -> dict[str, bytes]:
    """What ``git stash -u`` does: the files are as they were, and what was added is gone."""
    taken = {path: (host / path).read_bytes() for path in (PATH, "start.sh", ADDED)}
    (host / PATH).write_bytes(CHANNEL)
    (host / "start.sh").write_bytes(SCRIPT)
    (host / ADDED).unlink()
    (host / "tools/a b/run.sh").unlink()
    return taken


def test_a_record_outlives_a_stash(applied: Path, before: object) -> None:
    subprocess.run(["git", "init", "-q"], cwd=applied, check=True)
    taken = stash(applied)
    result = transaction.revert(applied)
    assert result is not None and not result.restored and not result.removed
    assert result.away == sorted([PATH, "start.sh", ADDED, "tools/a b/run.sh"])
    for path, content in taken.items():
        (applied / path).parent.mkdir(parents=True, exist_ok=True)
        (applied / path).write_bytes(content)
    popped = transaction.revert(applied)
    assert popped is not None and sorted(popped.restored) == [PATH, "start.sh"]
    shutil.rmtree(applied / ".git")
    shutil.rmtree(applied / "tools", ignore_errors=True)
    assert tree_of(applied) == before


def test_a_record_that_is_to_be_forgotten_goes(applied: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=applied, check=True)
    stash(applied)
    first = transaction.revert(applied)
    assert first is not None
    transaction.revert(applied, keep=first.away)
    assert transaction.applied(applied) is None


def test_without_git_nothing_brings_it_back(applied: Path) -> None:
    stash(applied)
    result = transaction.revert(applied)
    assert result is not None and result.away == []
    assert transaction.applied(applied) is None


def test_what_they_removed_stays_removed(applied: Path) -> None:
    (applied / ADDED).unlink()
    (applied / PATH).unlink()
    result = transaction.revert(applied)
    assert result is not None
    assert not result.conflicts
    assert not (applied / PATH).exists()
    assert not (applied / ".skillgen").exists()


def test_without_git_an_edited_file_is_a_conflict(
    applied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (applied / PATH).write_bytes(PATCHED + b"\r\n// theirs")
    monkeypatch.setenv("PATH", str(applied / "tools"))
    result = transaction.revert(applied)
    assert result is not None
    assert "git" in result.conflicts[0].reason
    assert (applied / PATH).read_bytes() == PATCHED + b"\r\n// theirs"


def test_revert_goes_back_over_every_apply(applied: Path, before: object) -> None:
    rewrite(applied, PATH, PATCHED, PATCHED + b"\r\n// second version")
    rewrite(applied, ADDED, MODULE, MODULE + b"// second version\n")
    transaction.revert(applied)
    assert tree_of(applied) == before


def test_edits_between_two_applies_stay(applied: Path) -> None:
    edited = PATCHED + b"\r\n\r\n\r\n// theirs\r\n\r\n\r\nend();\r\n"
    (applied / PATH).write_bytes(edited)
    rewrite(applied, PATH, edited, edited.replace(b"end()", b"stop()"))
    transaction.revert(applied)
    assert (applied / PATH).read_bytes() == CHANNEL + b"\r\n\r\n\r\n// theirs\r\n\r\n\r\nend();\r\n"


def test_a_lost_original_stops_the_revert(applied: Path) -> None:
    patched = without_state(tree_of(applied))
    for saved in (applied / ".skillgen/objects").iterdir():
        saved.write_bytes(b"damaged")
    with pytest.raises(SkillgenError, match="lost or damaged"):
        transaction.revert(applied)
    assert without_state(tree_of(applied)) == patched


def test_keep_names_a_file_of_ours(applied: Path) -> None:
    with pytest.raises(SkillgenError, match=r"README\.md: nothing is recorded"):
        transaction.revert(applied, keep=["README.md"])


def test_a_hosts_git_configuration_runs_nothing(applied: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=applied, check=True)
    (applied / ".git/info/attributes").write_text("* merge=evil diff=evil filter=evil\n")
    with (applied / ".git/config").open("a") as config:
        for section, keys in (("merge", ["driver"]), ("filter", ["clean", "smudge"])):
            config.write(f'[{section} "evil"]\n')
            config.writelines(f"\t{key} = touch '{tmp_path}/ran'\n" for key in keys)
        config.write(f"[core]\n\tfsmonitor = touch '{tmp_path}/ran'\n")
    (applied / PATH).write_bytes(PATCHED + b"\r\n\r\n\r\n// theirs\r\n")
    os.environ["GIT_DIR"] = str(applied / ".git")
    try:
        transaction.revert(applied)
    finally:
        del os.environ["GIT_DIR"]
    assert not (tmp_path / "ran").exists()


def test_an_edit_after_a_kill_is_kept(
    host: Path, plan_for: Callable[[Path], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the renames, then edited, then recovered."""
    real, calls = os.rename, []

    def rename(source: str, target: str, **options: int) -> None:
        real(source, target, **options)
        if target == "whatsapp.ts":
            calls.append(target)
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        transaction.apply(plan_for(host))
    monkeypatch.undo()
    assert calls == ["whatsapp.ts"]
    (host / PATH).write_bytes(b"theirs\n")
    (host / "start.sh").write_bytes(b"theirs too\n")
    recovery = transaction.recover(host)
    assert recovery is not None
    assert (host / PATH).read_bytes() == b"theirs\n"
    assert (host / "start.sh").read_bytes() == b"theirs too\n"
    if recovery.outcome == "before":
        assert recovery.kept
        assert (host / f"{PATH}.skillgen-original").read_bytes() == CHANNEL
    assert not list(host.rglob(".skillgen-*"))
