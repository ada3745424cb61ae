"""Kills at a system call: ``python -m tests.slow.transaction.killing`` is the one that dies.

A killed process is a fork. One of a test process, which has thousands of tests in its memory, takes
longer than all that is done in it; so a small process forks, and is told what to do line by line.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from skill import transaction
from skill.errors import SkillgenError
from skill.transaction import key
from tests.quick.transaction.conftest import make_plan_by_hand

WRITERS = ("open", "write", "fsync", "fchmod", "rename", "unlink", "mkdir", "rmdir")
KILLED = 77
ACTIONS: dict[str, Callable[[Path], object]] = {
    "key": key.load_or_make,
    "apply": lambda root: transaction.apply(make_plan_by_hand(root)),
    "recover": transaction.recover,
    "revert": transaction.revert,
}


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


class Killing:
    """The small process, from the side of the tests."""

    def __enter__(self) -> Killing:
        command = [sys.executable, "-m", "tests.slow.transaction.killing"]
        root = Path(__file__).resolve().parents[3]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)

    def run_killed(
        self, action: str, root: Path, at: int, *, after: bool = False, undoing: int = 0
    ) -> bool:
        """Act in a process that dies without any clean-up at call ``at``; returns if it did.

        undoing: at call ``at`` the disk is full, and the kill comes this many calls later.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        state = os.environ["XDG_STATE_HOME"]
        self._process.stdin.write(json.dumps([action, str(root), state, at, after, undoing]) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in (0, KILLED)
        return code == KILLED


def main() -> None:
    os.fsync = lambda _fd: None  # as in the tests: a kill does not cut the power
    for line in sys.stdin:
        action, root, state, at, after, undoing = json.loads(line)
        os.environ["XDG_STATE_HOME"] = state
        child = os.fork()
        if child == 0:
            _act(ACTIONS[action], Path(root), at, after, undoing)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _act(action: Callable[[Path], object], root: Path, at: int, after: bool, undoing: int) -> None:
    """Act, and end this process."""
    try:
        if undoing:
            _refused(action, root, at, undoing)
        else:
            with Fault(at, lambda: os._exit(KILLED), after):
                action(root)
    except BaseException as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def _refused(action: Callable[[Path], object], root: Path, at: int, later: int) -> None:
    def refuse() -> None:
        fault.at += later
        fault.act = lambda: os._exit(KILLED)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Fault(at, refuse) as fault, contextlib.suppress(SkillgenError):
        action(root)


if __name__ == "__main__":
    main()
