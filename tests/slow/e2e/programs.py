"""The programs that a trial runs: with what environment, and a host's own tools in one process."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent
LONGEST_S = 300

Tool = Literal["tsc", "prettier", "vitest"]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished program: its command, its output, its exit status."""

    command: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).decode("utf-8", "replace")

    def __str__(self) -> str:
        return f"{' '.join(self.command)}\nexit {self.code}\n{self.text}"


def environment(home: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests: no git or npm configuration, no colour."""
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", "Fixture"),
            ("EMAIL", "fixture@example.invalid"),
            ("DATE", "2026-01-01T00:00:00Z"),
        )
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "CI": "1",
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **who,
    }


class Tools:
    """tools.mjs, running. TypeScript alone takes a second to start and another for its library."""

    def __init__(self, node_tools: Path) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="tools-")
        self._process = subprocess.Popen(
            ["node", HERE / "tools.mjs", node_tools],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(Path(self._home.name)),
        )

    def run(self, tool: str, *words: str, cwd: Path) -> Run:
        assert self._process.stdin is not None and self._process.stdout is not None
        wanted = {"tool": tool, "cwd": str(cwd), "words": words}
        late = threading.Timer(LONGEST_S, self._process.kill)
        late.start()
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        late.cancel()
        assert answer, f"{tool} in {cwd}: tools.mjs has ended, {self._process.wait(10)}"
        said = json.loads(answer)
        return Run((tool, *words), said["code"], said["stdout"].encode(), said["stderr"].encode())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._home.cleanup()


@cache
def tools(node_tools: Path) -> Tools:
    """The one of this test process; it ends with it."""
    found = Tools(node_tools)
    atexit.register(found.close)
    return found
