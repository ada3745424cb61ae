"""Shell completion, as the README turns it on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT

PROGRAM = [sys.executable, "-m", "skill"]


def completed(shell: str, words: list[str]) -> str:
    """The answer for the last of the words."""
    environment = {
        **os.environ,
        "_SKILLGEN_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words),
        # fish gives the word that is being typed, the others its number.
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
    }
    done = subprocess.run(
        PROGRAM, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_rules_and_folders_are_completed(shell: str) -> None:
    assert "simulate" in completed(shell, ["skillgen", "sim"])
    rules = completed(shell, ["skillgen", "check", "--ignore", "flat"])
    assert "flat-retry" in rules and "qr-exit" not in rules
    assert "systemd-start-limit" in completed(shell, ["skillgen", "rule", "systemd-s"])
    assert completed(shell, ["skillgen", "inspect", "./b"]).startswith("dir")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_a_shell_reads(shell: str) -> None:
    environment = {**os.environ, "_SKILLGEN_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        PROGRAM, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"_SKILLGEN_COMPLETE={shell}_complete" in done.stdout and "skillgen" in done.stdout
