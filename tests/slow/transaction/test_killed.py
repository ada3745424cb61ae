"""Promise 6: killed or refused at any system call, a host ends as before or as after."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skill import transaction
from skill.errors import SkillgenError
from tests.quick.transaction.conftest import make_host, make_plan_by_hand, tree_of, without_state

WRITERS = ("open", "write", "fsync", "fchmod", "rename", "unlink", "mkdir", "rmdir")
KILLED = 77


class Fault:
    """Counts the system calls that can change something; acts at the chosen one."""

    def __init__(self, at: int, act: Callable[[], None], after: bool = False) -> None:
        self.count, self.at, self.act, self.after = 0, at, act, after
        self.real = {name: getattr(os, name) for name in WRITERS}

    def __enter__(self) -> Fault:
        for name in WRITERS:
            setattr(os, name, self._wrap(name))
        return self

    def __exit__(self, *_error: object) -> None:
        for name, function in self.real.items():
            setattr(os, name, function)

    def _wrap(self, name: str) -> Callable[..., Any]:
        real = self.real[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            if name == "open" and not (len(args) > 1 and args[1] & os.O_CREAT):
                return real(*args, **kwargs)
            mine = self.count
            self.count += 1
            if mine == self.at and not self.after:
                if name == "write":  # torn: half of it got there
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                self.act()
            try:
                return real(*args, **kwargs)
            finally:
                if mine == self.at and self.after:
                    self.act()

        return call


def run_killed(action: Callable[[], object], at: int, after: bool) -> bool:
    """Run ``action`` in a child that dies without any clean-up at call ``at``."""
    child = os.fork()
    if child == 0:
        try:
            with Fault(at, lambda: os._exit(KILLED), after):
                action()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


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
def test_apply_killed_at_every_call(tmp_path: Path, after: bool) -> None:
    hosts = fresh(tmp_path)
    outcomes = set()
    for at in range(1000):
        root = next(hosts)
        before = tree_of(root)
        plan = make_plan_by_hand(root)
        killed = run_killed(lambda plan=plan: transaction.apply(plan), at, after)
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
def test_revert_killed_at_every_call(tmp_path: Path, after: bool) -> None:
    hosts = fresh(tmp_path)
    for at in range(1000):
        root = next(hosts)
        before = tree_of(root)
        transaction.apply(make_plan_by_hand(root))
        patched = without_state(tree_of(root))
        killed = run_killed(lambda root=root: transaction.revert(root), at, after)
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


def test_recovery_killed_at_every_call(tmp_path: Path) -> None:
    hosts = fresh(tmp_path)
    with Fault(-1, lambda: None) as count:
        transaction.apply(make_plan_by_hand(next(hosts)))
    late = range(count.count - 12, count.count, 3)  # the renames and what comes after them
    for first in (5, 13, 30, 65, 85, *late):
        for at in range(200):
            root = next(hosts)
            before = tree_of(root)
            plan = make_plan_by_hand(root)
            run_killed(lambda plan=plan: transaction.apply(plan), first, False)
            killed = run_killed(lambda root=root: transaction.recover(root), at, False)
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


def test_refused_and_then_killed_while_undoing(tmp_path: Path) -> None:
    hosts = fresh(tmp_path)
    with Fault(-1, lambda: None) as count:
        transaction.apply(make_plan_by_hand(next(hosts)))
    calls = count.count
    assert calls > 40
    for later in (1, 4, 9):
        for at in range(calls):
            root = next(hosts)
            before = tree_of(root)

            def apply(root: Path = root, at: int = at, later: int = later) -> None:
                def refuse() -> None:
                    fault.at += later
                    fault.act = lambda: os._exit(KILLED)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

                plan = make_plan_by_hand(root)
                with Fault(at, refuse) as fault, contextlib.suppress(SkillgenError):
                    transaction.apply(plan)

            run_killed(apply, -1, False)
            transaction.recover(root)
            now = tree_of(root)
            if transaction.applied(root) is None:
                assert now == before
            else:
                for change in make_plan_by_hand(root).changes:
                    assert now[change.path] == (change.after, change.mode)
            transaction.revert(root)
            assert tree_of(root) == before
