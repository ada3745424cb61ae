"""What ends skillgen ends the host's commands, and leaves no folder and no half of a patch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.e2e.harness import tree
from tests.slow.simulate.test_signals import WAIT_S, below, processes, until

ENDLESS = "sleep 7531 & sleep 7532"


@pytest.fixture
def bot(checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "host"
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / "tests/hosts/v1-class", root, ignore=leave)
    package = {"type": "module", "scripts": {"test": ENDLESS}}
    (root / "package.json").write_text(json.dumps(package), "utf-8")
    return root


@pytest.fixture(params=["what works here", "no fence"])
def started(
    request: pytest.FixtureRequest, bot: Path, tmp_path: Path, checkout: Path
) -> Iterator[subprocess.Popen[str]]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    path = os.environ["PATH"]
    if request.param == "no fence":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/sleep").symlink_to(shutil.which("sleep") or "")
        path = str(tmp_path / "bin")
    child = subprocess.Popen(
        [sys.executable, "-m", "skill", "apply", "--verify", str(bot)],
        cwd=checkout,
        env={"PATH": path, "TMPDIR": str(temporary), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()
    child.communicate()


def asleep(pid: int) -> dict[int, str]:
    """All processes below, once a command of the host's and what it left are among them."""
    found = below(pid)
    return found if {"sleep 7531", "sleep 7532"} <= set(found.values()) else {}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_signal_leaves_neither_process_nor_folder(
    started: subprocess.Popen[str], name: str, bot: Path, tmp_path: Path
) -> None:
    before = tree(bot)
    found = until(lambda: asleep(started.pid))
    assert isinstance(found, dict)
    started.send_signal(signal.Signals[name])
    _, error = started.communicate(timeout=WAIT_S)
    until(lambda: not set(found) & set(processes()))
    until(lambda: not list((tmp_path / "tmp").iterdir()))
    assert tree(bot) == before
    assert not (bot / ".skillgen").exists()
    if name != "SIGKILL":
        assert started.returncode == 130
        assert error.splitlines()[-1].startswith("skillgen: stopped")
        assert "Traceback" not in error
