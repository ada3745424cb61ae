"""Promise 3: what was applied is taken back byte for byte; what others did since stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import transaction
from skill.errors import SkillgenError
from skill.options import Options
from skill.plan import Change, Plan
from tests.transaction.conftest import CHANNEL, MODULE, PATCHED, tree_of, without_state

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


def test_a_formatter_between_changes_nothing(applied: Path, before: object) -> None:
    (applied / ADDED).write_bytes(b"export const reconnect = 1\n")
    (applied / PATH).write_bytes(PATCHED.replace(b"\t", b"    ") + b"\r\n")
    result = transaction.revert(applied)
    assert result is not None
    assert not result.conflicts
    assert tree_of(applied) == before


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
