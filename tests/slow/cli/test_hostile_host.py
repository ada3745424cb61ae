"""A command to copy names files of the host, and runs none of what they are called."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from tests.quick.cli.conftest import ADDED, Skillgen, committed


def test_commands_to_copy_quote_what_the_host_names(
    skillgen: Skillgen, host: Path, tmp_path: Path
) -> None:
    """A file's name must not become a command of whoever pastes the line."""
    evil = "src/$(touch ran) 'b' \".ts"
    (host / evil).write_bytes(ADDED)
    committed(host)
    outcome = skillgen("revert", host)
    command = outcome.err.strip().rpartition("then: ")[2]
    assert command.startswith("git revert $(git log")
    arguments = command.removeprefix("git revert $(").removesuffix(")")
    assert shlex.split(arguments)[-1] == evil
    subprocess.run(["sh", "-c", f"true {arguments.rpartition(' -- ')[2]}"], cwd=tmp_path)
    assert not (tmp_path / "ran").exists()
