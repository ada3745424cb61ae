"""wrapper-restart-always: what comes out is run by a real shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.quick.rules.test_wrapper_restart_always import CHANGED, script


def run(folder: Path, text: str, statuses: list[int]) -> list[str]:
    """Run the script with a ``node`` that ends as told; the pauses that it asks for."""
    tools = folder / "tools"
    tools.mkdir()
    (folder / "left").write_text("\n".join(map(str, statuses)) + "\n")
    (folder / "pauses").write_text("")
    node = (
        f"#!/bin/sh\ncd '{folder}'\nstatus=$(head -n 1 left)\nsed -i 1d left\n"
        'exit "${status:-99}"\n'
    )
    for name, content in {
        "node": node,
        "npm": node,
        "sleep": f"#!/bin/sh\necho \"$1\" >> '{folder}/pauses'\n",
    }.items():
        (tools / name).write_text(content)
        (tools / name).chmod(0o755)
    (folder / "run.sh").write_text(text.replace("cd /opt/bot\n", ""))
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(folder / "run.sh")], env=environment, cwd=folder, timeout=20, check=False
    )
    assert done.returncode == 0
    assert not (folder / "left").read_text().strip(), "every start took place, and no more"
    return (folder / "pauses").read_text().split()


@pytest.mark.parametrize("after", [after for _, after in CHANGED.values()], ids=CHANGED.keys())
def test_what_a_shell_makes_of_it(tmp_path: Path, after: str) -> None:
    """It ends on 0, and waits longer after each failure, five minutes at most."""
    pauses = [int(pause) for pause in run(tmp_path, script(after), [1] * 8 + [0])]
    first = 10 if "pause=10" in after else 5
    wanted = [first]
    while len(wanted) < len(pauses):
        wanted.append(wanted[-1] * 2 if wanted[-1] < 150 else 300)
    assert pauses == wanted
    assert len(pauses) == 8
