"""The processes that run the bot: when they began, in which folder, where their output goes."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from skill.guard import values
from skill.host import Host
from skill.service import wrapper
from skill.service.wrapper import PROC, Process

STREAMS = ("1", "2")
LARGEST = 1_000_000
GUARD = "skillgen/guard.cjs"


@dataclass(frozen=True, slots=True)
class Running:
    """A process of the bot. began: seconds since 1970, None where it is not known.

    unit: the unit that it runs within, or nothing. streams: the files of its output. memory:
    where its environment says that memories are kept. options: NODE_OPTIONS. is_guarded: whether
    Node was told to load the guard; None where the environment is another user's.
    """

    pid: int
    folder: Path
    unit: str
    command: str
    began: float | None = None
    streams: tuple[Path, ...] = ()
    memory: str = ""
    options: str = ""
    is_guarded: bool | None = None


def running_of(host: Host) -> list[Running]:
    """One entry for each bot: npm, its shell and the bot itself are one."""
    if not os.path.exists(PROC / "self" / "cwd"):
        return []
    seen = wrapper.processes()
    found = {pid for pid, process in seen.items() if wrapper.started(host, process) is not None}
    # The innermost is the one that dials.
    outer = {seen[pid].parent for pid in found}
    return [described(seen[pid]) for pid in sorted(found - outer)]


def described(process: Process) -> Running:
    variables = environment_of(process.pid)
    guarded = None if variables is None else GUARD in variables.get(values.NODE_OPTIONS, "")
    return Running(
        process.pid,
        Path(process.folder),
        wrapper.unit_of(process),
        " ".join(process.words),
        began(process.pid),
        tuple(streams_of(process.pid)),
        (variables or {}).get(values.MEMORY, ""),
        (variables or {}).get(values.NODE_OPTIONS, ""),
        guarded,
    )


def environment_of(pid: int) -> dict[str, str] | None:
    """The variables that it was started with; None where they are another user's."""
    try:
        with (PROC / str(pid) / "environ").open("rb") as stream:
            content = stream.read(LARGEST)
    except OSError:
        return None
    pairs = (item.decode("utf-8", "replace").partition("=") for item in content.split(b"\0"))
    return {name: value for name, sign, value in pairs if sign}


def streams_of(pid: int) -> list[Path]:
    found = []
    for name in STREAMS:
        try:
            target = Path(os.readlink(PROC / str(pid) / "fd" / name))
        except OSError:
            continue
        if target.is_absolute() and target.is_file() and target not in found:
            found.append(target)
    return found


def began(pid: int) -> float | None:
    """By proc(5): clock ticks after the boot."""
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return boot + ticks
