"""Processes that no manager keeps: a bot that was started by hand, or by a script around it.

Only Linux shows a process's working directory (``/proc``). What a container, pm2 or supervisord has
started is theirs; what runs within a unit is that unit's, if it is one of the bot's services
(``skill.service.look``). A shell that waits between two starts of its loop counts as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from modify.units.locate.heredoc import resolve
from modify.units.model import UnitText
from modify.units.process_managers import faults_of
from modify.units.shell_loops import Loop, loops
from modify.units.started import Started
from modify.units.started_program import SHELLS, Reader, program_name
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.service.model import Look, Policy, Service, Starts
from skill.service.place import InstalledProject, folder_changed, started_here
from skill.service.tools import Tools

TITLE = "no manager"
PROC = Path("/proc")
CONTAINED = re.compile(r"docker|containerd|libpod|kubepods|/lxc")
UNIT = re.compile(r"/([^/\n]+\.service)(?=/|$)", re.M)
LOGIN = re.compile(r"user@\d+\.service")
"""The unit that all of a user's own processes lie in."""
KEEPERS = ("supervisord", "PM2", "pm2", "God Daemon")
LARGEST = 65_536
DEEPEST = 32
PID_FILE, SMALL = ".pid", 100


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    words: tuple[str, ...]
    folder: str


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    if not os.path.exists(PROC / "self" / "cwd"):
        yield Look(TITLE, "absent", "this system shows no processes in /proc")
        return
    yield Look(TITLE, "looked")
    running = processes()
    found = {pid: begun for pid in running if (begun := started(host, running[pid])) is not None}
    seen = set()
    for pid, begun in found.items():
        process = running[pid]
        # npm and its shell are the bot's own parents, and one bot.
        if process.parent in found or is_kept(process, running):
            continue
        service = of_process(host, process, begun, running)
        seen.add(service.path)
        yield service
    for process in running.values():
        script = script_of(process)
        if script is None or script in seen or is_kept(process, running):
            continue
        loop = next(loops_of(host, script), None)
        if loop is not None:
            seen.add(script)
            yield of_process(host, process, loop.started, running)


def processes() -> dict[int, Process]:
    """The processes whose working directory this user may see."""
    found = {}
    for entry in sorted(PROC.iterdir(), key=lambda path: path.name):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            parent = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            folder = os.readlink(entry / "cwd")
        except (OSError, IndexError):
            continue
        given = tuple(words[:-1] if words[-1] == "" else words)
        if given:
            found[int(entry.name)] = Process(int(entry.name), int(parent), given, folder)
    return found


def started(host: Host, process: Process) -> Started | None:
    begun = started_here(list(process.words), process.folder, host)
    return begun if begun is not None and begun.is_host else None


def ancestors(process: Process, running: dict[int, Process]) -> Iterator[Process]:
    for _ in range(DEEPEST):
        parent = running.get(process.parent)
        if parent is None:
            return
        yield parent
        process = parent


def groups_of(process: Process) -> str:
    try:
        return (PROC / str(process.pid) / "cgroup").read_text("utf-8", "replace")
    except OSError:
        return ""


def unit_of(process: Process) -> str:
    """The unit that it runs within, or nothing."""
    names = [name for name in UNIT.findall(groups_of(process)) if not LOGIN.fullmatch(name)]
    return str(names[-1]) if names else ""


def is_kept(process: Process, running: dict[int, Process]) -> bool:
    """Whether a container or another manager has started it."""
    return CONTAINED.search(groups_of(process)) is not None or any(
        keeper in " ".join(parent.words[:3])
        for parent in ancestors(process, running)
        for keeper in KEEPERS
    )


def of_process(
    host: Host, process: Process, begun: Started, running: dict[int, Process]
) -> Service:
    script = next(
        (path for each in (process, *ancestors(process, running)) if (path := script_of(each))),
        None,
    )
    name = script.name if script is not None else f"process {process.pid}"
    service = Service(TITLE, "script" if script is not None else "process", name, begun, script)
    service.own = unit_of(process)
    service.state = f"active (process {process.pid})"
    service.policy = Policy("no", starts_per_hour=1)
    service.starts = Starts(why="nothing counts them")
    service.notes = [f"its process id is kept in {path}" for path in pid_files(host, process)]
    if service.own:
        service.notes.append(f"runs within {service.own}")
    if script is None:
        service.obstacles.append(
            "was started by hand, and nothing starts it again; a unit comes with: skillgen apply "
            "--add-service systemd"
        )
        return service
    service.findings = list(loop_findings(host, script))
    if service.findings:
        service.policy = Policy("always")
    inside = script.is_relative_to(host.root)
    service.obstacles.append(
        "is a script of the bot's own: skillgen apply mends it, for its next start"
        if inside
        else "is a script that lies elsewhere: mend it by hand, as the finding says"
    )
    return service


def script_of(process: Process) -> Path | None:
    """The script that a shell runs."""
    if program_name(process.words[0]) not in SHELLS:
        return None
    word = next((word for word in process.words[1:] if not word.startswith("-")), "")
    path = Path(os.path.realpath(os.path.join(process.folder, word))) if word else None
    is_command = any(re.match(r"-\w*c$", each) for each in process.words[1:])
    return path if path is not None and os.path.isfile(path) and not is_command else None


def loop_findings(host: Host, script: Path) -> Iterator[Finding]:
    """What the rules find in the loops of a script."""
    for loop in loops_of(host, script):
        for sight in faults_of(loop, Options()):
            yield replace(sight.finding, path=str(script))


def loops_of(host: Host, script: Path) -> Iterator[Loop]:
    """The loops of a script around the bot."""
    try:
        content = script.read_bytes()[:LARGEST]
    except OSError:
        return
    text = UnitText(str(script), content, 0, len(content), "shell")
    project = InstalledProject(host, str(script.parent))
    if not script.is_relative_to(host.root):
        # Its own text says where it goes, or it is no matter of this host.
        moved = folder_changed(["sh", content.decode("utf-8", "replace")], project)
        if moved is None:
            return
        project.base = str(host.root / moved)
    reader = Reader(project, partial(resolve, content, text.end))
    for loop in loops(text, reader.shell):
        if loop.started.is_host:
            yield loop


def pid_files(host: Host, process: Process) -> Iterator[str]:
    """The files in the host that hold the number of this process."""
    for file in host.files.values():
        is_one = file.path.endswith(PID_FILE) and file.size < SMALL
        if is_one and host.read(file.path).strip() == str(process.pid).encode():
            yield file.path
