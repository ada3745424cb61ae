"""Promise 6: killed or refused at any system call, a host ends as before or as after."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill import transaction
from skill.errors import SkillgenError
from tests.quick.transaction.conftest import make_host, make_plan_by_hand, tree_of, without_state
from tests.slow.transaction.killing import Fault, Killing


@pytest.fixture
def tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In memory where there is such a folder: these tests make some thousand hosts."""
    memory = Path("/dev/shm")
    monkeypatch.setenv("XDG_STATE_HOME", "")  # put back at the end; ``fresh`` sets it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def fresh(folder: Path) -> Iterator[Path]:
    """Hosts of users who have no key yet, so that calls which make it count as well."""
    number = 0
    while True:
        os.environ["XDG_STATE_HOME"] = str(folder / f"home {number}/state")
        yield make_host(folder / f"host {number}")
        shutil.rmtree(folder / f"host {number}")
        shutil.rmtree(folder / f"home {number}", ignore_errors=True)
        number += 1


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_apply_killed_at_every_call(tmp_path: Path, killing: Killing, after: bool) -> None:
    hosts = fresh(tmp_path)
    outcomes = set()
    for at in range(1000):
        root = next(hosts)
        before = tree_of(root)
        plan = make_plan_by_hand(root)
        killed = killing.run_killed("apply", root, at, after=after)
        if killed:
            for path, file in tree_of(root).items():
                if path in before and file is not None:
                    whole = [c.after for c in plan.changes if c.path == path]
                    assert file[0] in [before[path][0], *whole], "a file is torn"
            landed = (root / "src/channels/reconnect/index.ts").exists()
            assert landed or b"turn()" not in (root / "src/channels/whatsapp.ts").read_bytes()
        recovery = transaction.recover(root)
        done = transaction.applied(root) is not None
        outcomes.add(done)
        now = without_state(tree_of(root))
        if not done:
            assert tree_of(root) == before
        else:
            assert set(now) - set(before) == {
                "src/channels/reconnect",
                "src/channels/reconnect/index.ts",
                "tools",
                "tools/a b",
                "tools/a b/run.sh",
            }
            for change in plan.changes:
                assert now[change.path] == (change.after, change.mode)
        if recovery:
            assert recovery.outcome == ("after" if done else "before")
        assert transaction.recover(root) is None, "the second look finds nothing to do"
        transaction.revert(root)
        assert tree_of(root) == before
        if not killed:
            break
    assert at > 40
    assert outcomes == {False, True}


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_revert_killed_at_every_call(tmp_path: Path, killing: Killing, after: bool) -> None:
    hosts = fresh(tmp_path)
    for at in range(1000):
        root = next(hosts)
        before = tree_of(root)
        transaction.apply(make_plan_by_hand(root))
        patched = without_state(tree_of(root))
        killed = killing.run_killed("revert", root, at, after=after)
        recovery = transaction.recover(root)
        if transaction.applied(root) is None:
            assert tree_of(root) == before
        else:
            assert without_state(tree_of(root)) == patched
        if recovery:
            assert recovery.verb == "revert"
        transaction.revert(root)
        assert tree_of(root) == before
        if not killed:
            break
    assert at > 40


def test_recovery_killed_at_every_call(tmp_path: Path, killing: Killing) -> None:
    hosts = fresh(tmp_path)
    with Fault(-1, lambda: None) as count:
        transaction.apply(make_plan_by_hand(next(hosts)))
    late = range(count.count - 12, count.count, 3)  # the renames and what comes after them
    for first in (5, 13, 30, 65, 85, *late):
        for at in range(200):
            root = next(hosts)
            before = tree_of(root)
            killing.run_killed("apply", root, first)
            killed = killing.run_killed("recover", root, at)
            transaction.recover(root)
            transaction.revert(root)
            assert tree_of(root) == before
            if not killed:
                break


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
def test_refused_at_every_call(tmp_path: Path, code: int, lasting: bool) -> None:
    hosts = fresh(tmp_path)
    messages = set()
    for at in range(1000):
        root = next(hosts)
        before = tree_of(root)

        def refuse() -> None:
            if lasting:
                fault.at += 1
            raise OSError(code, os.strerror(code))

        refused = True
        with Fault(at, refuse) as fault:
            try:
                transaction.apply(make_plan_by_hand(root))
                refused = False
            except SkillgenError as error:
                messages.add(str(error))
                assert "\n" not in str(error)
                if "nothing was written" in str(error):
                    assert without_state(tree_of(root)) == before
        transaction.recover(root)
        if transaction.applied(root) is None:
            assert tree_of(root) == before
        transaction.revert(root)
        assert tree_of(root) == before
        if not refused:
            break
    assert at > 40
    assert any(os.strerror(code) in message for message in messages)


def test_refused_and_then_killed_while_undoing(tmp_path: Path, killing: Killing) -> None:
    hosts = fresh(tmp_path)
    with Fault(-1, lambda: None) as count:
        transaction.apply(make_plan_by_hand(next(hosts)))
    calls = count.count
    assert calls > 40
    for later in (1, 4, 9):
        for at in range(calls):
            root = next(hosts)
            before = tree_of(root)
            killing.run_killed("apply", root, at, undoing=later)
            transaction.recover(root)
            now = tree_of(root)
            if transaction.applied(root) is None:
                assert now == before
            else:
                for change in make_plan_by_hand(root).changes:
                    assert now[change.path] == (change.after, change.mode)
            transaction.revert(root)
            assert tree_of(root) == before
