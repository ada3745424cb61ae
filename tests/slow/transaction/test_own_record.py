"""A record of the user's own holds wherever the folder goes, and shows nothing to others."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import transaction
from skill.options import Options
from skill.plan import Change, Plan
from tests.quick.transaction.conftest import CHANNEL, PATCHED, Tree, tree_of, without_state

PATH = "src/channels/whatsapp.ts"
MAIN = Path(__file__).parents[3] / "skill" / "__main__.py"


@pytest.fixture
def before(host: Path) -> Tree:
    return tree_of(host)


@pytest.fixture
def applied(host: Path, before: Tree, plan_for: Callable[[Path], Plan]) -> Path:
    transaction.apply(plan_for(host))
    return host


def skillgen(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(MAIN), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same disk", "another disk"])
def test_it_survives_a_move_and_an_upgrade(
    applied: Path, before: Tree, tmp_path: Path, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "deeper/moved"
    moved.parent.mkdir()
    if elsewhere:  # what mv does then: new inodes
        shutil.copytree(applied, moved, symlinks=True)
        shutil.rmtree(applied)
    else:
        applied.rename(moved)
    monkeypatch.setattr("skill.transaction.journal.__version__", "9.9.9")
    monkeypatch.setattr("skill.transaction.__version__", "9.9.9")
    assert (moved / PATH).read_bytes() == PATCHED
    record = transaction.applied(moved)
    assert record is not None
    assert record.changed == ()
    transaction.revert(moved)
    assert tree_of(moved) == before


def test_it_survives_a_new_process(applied: Path, before: Tree) -> None:
    """As after a reboot: nothing but what is on disk."""
    assert "4 files" in skillgen("status", applied).stdout
    done = skillgen("revert", applied)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree_of(applied) == before


def test_a_killed_command_is_settled_after_a_move_in_a_new_process(
    host: Path, before: Tree, plan_for: Callable[[Path], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def rename(source: str, target: str, **options: int) -> None:
        real(source, target, **options)
        if target == "whatsapp.ts":
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        transaction.apply(plan_for(host))
    monkeypatch.undo()
    moved = host.rename(host.parent / "moved")
    done = skillgen("status", moved)
    assert "an earlier apply was cut short" in done.stderr
    assert b"on-failure" in (moved / "start.sh").read_bytes()
    skillgen("revert", moved)
    assert tree_of(moved) == before


def test_a_copy_of_the_host_has_its_record_too(applied: Path, before: Tree, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(applied, copy, ignore=shutil.ignore_patterns(".skillgen"))
    transaction.copy_record(applied, copy)
    transaction.revert(copy)
    assert tree_of(copy) == before
    assert (applied / PATH).read_bytes() == PATCHED


def test_a_host_in_git_that_does_not_track_it(applied: Path, before: Tree) -> None:
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=applied, check=True)
    transaction.revert(applied)
    shutil.rmtree(applied / ".git")
    assert tree_of(applied) == before


def modes_below(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_what_is_kept_of_a_file_is_readable_by_no_more_than_the_file(
    host: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host / "secret.env").write_bytes(b"TOKEN=1\nRestart=always\nend\n")
    (host / "secret.env").chmod(mode)
    seen: set[int] = set()
    real = os.open

    def opened(path: str, flags: int, *rest: int, **options: int) -> int:
        fd = real(path, flags, *rest, **options)
        if flags & os.O_CREAT and not str(path).startswith(".gitignore"):
            seen.add(stat.S_IMODE(os.fstat(fd).st_mode))
        return fd

    monkeypatch.setattr(os, "open", opened)
    old = (host / "secret.env").read_bytes()
    new = old.replace(b"always", b"on-failure")
    plan = Plan(host, Options(), (Change("secret.env", old, new, mode, ("x",)),))
    umask = os.umask(0)
    try:
        transaction.apply(plan)
        (host / "secret.env").write_bytes(new.replace(b"on-failure", b"never"))
        result = transaction.revert(host)
    finally:
        os.umask(umask)
    assert result is not None
    assert result.conflicts[0].merge
    assert seen == {0o600}, "from the first moment on"
    held = modes_below(host / ".skillgen")
    held.pop(".gitignore")
    assert len(held) >= 4
    for name, kept in held.items():
        assert kept & ~mode == 0, (name, oct(kept))


def test_what_a_kill_leaves_has_the_mode_of_its_file(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename
    (host / PATH).chmod(0o600)

    def rename(source: str, target: str, **options: int) -> None:
        if target == "whatsapp.ts":
            raise KeyboardInterrupt
        real(source, target, **options)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        transaction.apply(Plan(host, Options(), (Change(PATH, CHANNEL, PATCHED, 0o600, ("x",)),)))
    monkeypatch.undo()
    assert list(modes_below(host / "src").values()) == [0o600, 0o600]
    (host / PATH).write_bytes(b"theirs\n")
    transaction.recover(host)
    assert (host / f"{PATH}.skillgen-original").read_bytes() == CHANNEL
    assert modes_below(host / "src") == {
        "channels/whatsapp.ts": 0o600,
        "channels/whatsapp.ts.skillgen-original": 0o600,
    }
    assert without_state(tree_of(host)) == tree_of(host)


def test_a_merge_runs_no_git_of_the_hosts(
    applied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PATH with the current folder in it, or with the host's own programs."""
    (applied / "bin").mkdir()
    for name in ("git", "bin/git"):
        (applied / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/ran'\n")
        (applied / name).chmod(0o755)
    (applied / PATH).write_bytes(PATCHED + b"\r\n\r\n\r\n// theirs\r\n")
    monkeypatch.chdir(applied)
    monkeypatch.setenv("PATH", f".::{applied}/bin:{os.environ['PATH']}")
    result = transaction.revert(applied)
    assert result is not None
    assert result.merged == [PATH]
    assert not (tmp_path / "ran").exists()
