"""A small host, a plan made by hand, and a look at a whole tree."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from skill.options import Options
from skill.plan import Change, Plan

Tree = dict[str, tuple[bytes, int] | None]

CHANNEL = b"\xef\xbb\xbfimport fs from 'fs';\r\n\tconnect();\r\n// no newline at the end"
PATCHED = CHANNEL.replace(b"\tconnect();", b"\tawait reconnect.turn();\r\n\tconnect();")
SCRIPT = b"#!/bin/sh\nRestart=always\n"
MODULE = b"export const reconnect = 1;\n"


def tree_of(root: Path) -> Tree:
    """Every file (bytes, mode) and folder (None) below ``root``."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            found[name] = None
        else:
            found[name] = (path.read_bytes(), stat.S_IMODE(status.st_mode))
    return found


def without_state(tree: Tree) -> Tree:
    """Nor the folder on its way in or out, which a refused removal leaves."""
    return {name: file for name, file in tree.items() if name.split("/")[0][:9] != ".skillgen"}


def make_host(root: Path) -> Path:
    (root / "src/channels").mkdir(parents=True)
    (root / "src/channels/whatsapp.ts").write_bytes(CHANNEL)
    (root / "src/channels/whatsapp.ts").chmod(0o640)
    (root / "start.sh").write_bytes(SCRIPT)
    (root / "start.sh").chmod(0o755)
    (root / "README.md").write_text("a host\n")
    return root


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that kills a process does not cut the power: what was written is there."""
    monkeypatch.setattr("os.fsync", lambda _fd: None)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return make_host(tmp_path / "a host")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which skillgen keeps its key: one of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    return tmp_path / "home/state/skillgen"


@pytest.fixture
def plan_for() -> Callable[[Path], Plan]:
    """The plan: two rewrites, one of them executable, and two additions, one in new folders."""
    return make_plan_by_hand


def make_plan_by_hand(root: Path) -> Plan:
    after = SCRIPT.replace(b"always", b"on-failure")
    return Plan(
        root,
        Options(),
        (
            Change("src/channels/reconnect/index.ts", None, MODULE, 0o644, ("flat-retry",)),
            Change("tools/a b/run.sh", None, b"#!/bin/sh\n", 0o755, ("flat-retry",)),
            Change("src/channels/whatsapp.ts", CHANNEL, PATCHED, 0o640, ("flat-retry",)),
            Change("start.sh", SCRIPT, after, 0o755, ("systemd-restart-always",)),
        ),
    )
