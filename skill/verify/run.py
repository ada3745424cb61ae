"""One of the host's commands, run on one side, with a limit."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from skill.guard.node import is_program
from skill.storm.child import started
from skill.verify import reports
from skill.verify.checks import Check
from skill.verify.fence import Fence, environment
from skill.verify.reports import Report

MOST_OUTPUT = 4 << 20  # bytes of what a command printed last that are kept
_GRACE_S = 5.0  # for its output, after its end
_NODE_S = 20.0
NO_FENCE, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127  # exit statuses


@dataclass(frozen=True, slots=True)
class Ran:
    """One run. status: None when it did not end within the limit.

    report: None where its runner is not known, or wrote none. why: set where nothing was run,
    for what it was to run is not there.
    """

    status: int | None
    seconds: float
    last: str = ""
    report: Report | None = None
    why: str = ""

    @property
    def is_green(self) -> bool:
        return self.status == 0 and not self.why

    @property
    def is_red(self) -> bool:
        return self.status not in (0, None) and not self.why


@dataclass(frozen=True, slots=True)
class Side:
    """A copy of the host, and folders of its own beside it."""

    root: Path
    home: Path
    temporary: Path
    reports: Path


def make_side(root: Path) -> Side:
    """The side of the copy ``root``, the folder of which is its own."""
    folders = [root.parent / name for name in ("home-of-it", "tmp-of-it", "reports-of-it")]
    for folder in folders:
        folder.mkdir()
    return Side(root, *folders)


@dataclass(slots=True)
class Runner:
    """Runs checks. given: skillgen's own environment. limit_s: for each command.

    import_roots: of the host, the folders from which what changes is imported in Python.
    """

    fence: Fence
    given: Mapping[str, str]
    limit_s: float
    import_roots: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    _numbers: dict[Path, int] = field(default_factory=dict)

    def run(self, check: Check, side: Side) -> Ran | None:
        """One side of a check; None where none of its files is there. Raises StormError."""
        number = self._numbers[side.root] = self._numbers.get(side.root, 0) + 1
        report = side.reports / f"{number}.txt"
        line = check.command(report, side.root)
        if line is None:
            return None
        words = self.fence.command(
            ["/bin/sh", "-c", line], side=side.root / check.folder, temporary=side.temporary
        )
        began = time.monotonic()
        output = _Output()
        try:
            with started(
                words,
                cwd="/",
                env=self._environment(check, side),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as child:
                output.follow(child.stdout)
                try:
                    status: int | None = child.wait(self.limit_s)
                except subprocess.TimeoutExpired:
                    status = None
        except OSError as error:
            return Ran(None, 0.0, why=f"{words[0]}: cannot be started ({error.strerror})")
        seconds = time.monotonic() - began
        text = output.text()
        last = _last_line(text)
        if status == NO_FENCE and last.startswith("the fence cannot be made"):
            return Ran(status, seconds, last, why=last)
        if status in (NOT_FOUND, NOT_EXECUTABLE):
            return Ran(status, seconds, last, why=last or "its program is not there")
        found = None if status is None else reports.read(check.runner, report, text, side.root)
        return Ran(status, seconds, last, found)

    def _environment(self, check: Check, side: Side) -> dict[str, str]:
        programs: list[str] = []
        place = side.root / check.folder
        while True:
            programs.append(str(place / "node_modules/.bin"))
            if place == side.root:
                break
            place = place.parent
        if check.python is not None:
            programs.insert(0, str(check.python.parent))
        made = environment(self.given, side.home, [*programs, *self.programs])
        made["TMPDIR"] = "/tmp" if self.fence.has_namespaces else str(side.temporary)
        if check.python is not None:
            roots = [side.root / root for root in (*self.import_roots, "", "src")]
            made["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(map(str, roots)))
        return made


class _Output:
    """The end of what a command prints, read as it comes so that it never waits."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._reader: threading.Thread | None = None

    def follow(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while part := os.read(stream.fileno(), 1 << 16):
                self._kept += part
                del self._kept[:-MOST_OUTPUT]

    def text(self) -> str:
        if self._reader is not None:
            self._reader.join(_GRACE_S)
        return bytes(self._kept).decode("utf-8", "replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def own_programs(root: Path) -> tuple[str, ...]:
    """The folder of the user's own Node, where a version manager's stand-in may lie on PATH.

    Such a stand-in looks in the home folder for what to run, and the commands have another one.
    """
    node = shutil.which("node")
    if node is None or not is_program(node, root):
        return ()
    try:
        done = subprocess.run(
            [node, "-p", "process.execPath"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_NODE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    path = done.stdout.strip()
    return (os.path.dirname(path),) if path and is_program(path, root) else ()
