"""The user's key is whole or not there, whoever is killed or comes second."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skill.transaction import key
from tests.slow.transaction.killing import Killing

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_a_kill_leaves_a_whole_key_or_none(
    state: Path, host: Path, tmp_path: Path, killing: Killing, after: bool
) -> None:
    for at in range(100):
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        killed = killing.run_killed("key", host, at, after=after)
        held = key.load(host)
        assert held is None or len(held) == 32
        made = key.load_or_make(host)
        assert held in (None, made), "a key that is there stays"
        assert key.load(host) == made
        assert os.listdir(state) == ["key"]
        if not killed:
            break
    assert at > 6


def test_two_at_once_make_one_key(state: Path, host: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from pathlib import Path
from skill.transaction.key import load_or_make
sys.stdin.read()
print(load_or_make(Path({str(host)!r})).hex())
"""
    command = [sys.executable, "-I", "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(command, **pipes) for _ in range(6)]
    for child in children:
        assert child.stdin
        child.stdin.close()
    keys = set()
    for child in children:
        assert child.stdout
        keys.add(child.stdout.read())
        assert child.wait(timeout=60) == 0
    assert len(keys) == 1
    made = key.load(host)
    assert made
    assert keys == {f"{made.hex()}\n"}
