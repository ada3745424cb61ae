"""supervisord: its programs, with every file that its configuration includes.

A section that stands in several files counts as one, and the last file that sets something wins
(``[include]`` is read pattern by pattern, each in the order of the names). So a file of skillgen's
beside the program's own is enough. ``supervisorctl update`` puts it in force, and starts
the program anew.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from modify.units.bot_project import BotProject
from modify.units.managers import supervisord as reader
from modify.units.managers.supervisord import SECTION, SETTING, Program
from modify.units.model import UnitText
from modify.units.process_managers import faults_of
from skill import __version__
from skill.commands.shell import quoted
from skill.edit import apply_edits
from skill.finding import Finding
from skill.guard import supervisord as guard
from skill.guard.command import default_guard
from skill.guard.files import Wanted, read
from skill.guard.systemd import SYSTEM_WIDE
from skill.guard.unit import Unit
from skill.host import Host
from skill.options import Options, ServiceOptions
from skill.service import record
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.clean_exit import edits_of, held_back
from skill.service.logs import starts_in
from skill.service.model import UNKNOWN, Look, Policy, Service, Starts
from skill.service.place import started_here
from skill.service.tools import Tools

TITLE = "supervisord"
USUAL = ("/etc/supervisor/supervisord.conf", "/etc/supervisord.conf")
IN_FOLDER = ("supervisord.conf", "etc/supervisord.conf")
"""Where supervisord itself looks, from where it was started and for all."""
EXPANSION = re.compile(r"%\((\w+)\)[sd]|%%")
SPAWNED = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ INFO spawned: '([^']+)' with pid", re.M
)
BY_UPDATE = "supervisord puts it in force by update, which starts the bot anew"
STAMP = "%Y-%m-%d %H:%M:%S"
"""Bytes of the log that are read, from its end: a start takes some 70."""
LARGEST = 1_000_000
HEADER = "; Restart policy by skillgen {version}: a session that is over stays down."
UNDO = "; Take it back with: skillgen service {root} --revert"


@dataclass(frozen=True)
class Daemon:
    """A configuration, and the process that runs with it, if one does."""

    main: Path
    pid: int | None = None
    folder: str = ""
    control: str = "supervisorctl"
    owner: int = 0

    def unasked(self, root: Path) -> str:
        """Why supervisorctl is not called, or nothing: a configuration can make it load code."""
        if self.pid is None:
            return "no supervisord runs"
        if Path(os.path.realpath(self.main)).is_relative_to(root):
            return "its configuration lies in the bot's folder, and nothing there is run"
        if self.owner not in (0, os.geteuid()):
            return "it belongs to another user"
        return ""


@dataclass
class Section:
    """A program's settings of all files. lines: name -> file, line, value, in their order."""

    name: str
    first: Path
    lines: dict[str, tuple[Path, int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Supervised:
    """What a Service keeps: the daemon, the section, and it as one program."""

    daemon: Daemon
    section: Section
    program: Program
    patterns: tuple[str, ...]


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    found = daemons()
    if not found:
        yield Look(TITLE, "absent", "no supervisord runs here, and it has no configuration")
        return
    for daemon in found:
        content = content_of(daemon.main)
        if content is None:
            yield Look(TITLE, "failed", f"{daemon.main}: cannot be read")
            continue
        yield Look(TITLE, "looked")
        patterns = includes(daemon, content)
        for section in sections(files_of(daemon, patterns)):
            service = of_section(host, tools, daemon, section, patterns)
            if service is not None:
                yield service


def daemons() -> list[Daemon]:
    """Those that run, else the configuration that one would start with."""
    running = list(processes())
    if running:
        return running
    return [Daemon(path) for path in map(Path, USUAL) if os.path.isfile(path)][:1]


def processes() -> Iterator[Daemon]:
    """The supervisord processes of this machine that this user may look at."""
    for path in sorted(glob.glob("/proc/[0-9]*/cmdline")):
        try:
            words = Path(path).read_bytes().decode("utf-8", "replace").split("\0")
            named = next((w for w in words[:3] if os.path.basename(w) == "supervisord"), None)
            folder = os.readlink(os.path.join(os.path.dirname(path), "cwd")) if named else ""
            owner = os.stat(path).st_uid
        except OSError:
            continue
        if named is None:
            continue
        given = configuration(words)
        candidates = [given] if given else [*IN_FOLDER, *USUAL]
        mains = [Path(folder, candidate) for candidate in candidates]
        main = next((main for main in mains if os.path.isfile(main)), None)
        beside = Path(named).with_name("supervisorctl")
        is_trusted = os.path.isabs(named) and owner in (0, os.geteuid()) and os.path.exists(beside)
        control = str(beside) if is_trusted else "supervisorctl"
        if main is not None:
            yield Daemon(main, int(path.split("/")[2]), folder, control, owner)


def configuration(words: list[str]) -> str:
    for position, word in enumerate(words):
        if word in ("-c", "--configuration"):
            return "".join(words[position + 1 : position + 2])
        if word.startswith("--configuration="):
            return word.partition("=")[2]
    return ""


def content_of(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST)
    except OSError:
        return None


def setting(content: bytes, section: str, name: str) -> str:
    """A setting of one section, or nothing."""
    inside = False
    for line in content.splitlines():
        head = SECTION.match(line)
        if head:
            inside = head[1].decode("utf-8", "replace") == section
        elif inside and (found := SETTING.match(line)) and found[1].decode() == name:
            return found[3].decode("utf-8", "replace")
    return ""


def expanded(text: str, here: Path, name: str = "") -> str:
    known = {"here": str(here), "program_name": name, "process_num": "0", "group_name": name}
    return EXPANSION.sub(
        lambda found: "%" if found[1] is None else known.get(found[1], found[0]), text
    )


def includes(daemon: Daemon, content: bytes) -> tuple[str, ...]:
    here = daemon.main.parent
    files = expanded(setting(content, "include", "files"), here)
    return tuple(os.path.join(here, pattern) for pattern in files.split())


def files_of(daemon: Daemon, patterns: tuple[str, ...]) -> list[Path]:
    """The files of a configuration in the order in which they are read."""
    more = [Path(path) for pattern in patterns for path in sorted(glob.glob(pattern))]
    return [daemon.main, *more]


def sections(paths: list[Path]) -> list[Section]:
    """Each program with the settings of all these files."""
    found: dict[str, Section] = {}
    for path in paths:
        current: Section | None = None
        for number, line in enumerate((content_of(path) or b"").splitlines(), 1):
            head = SECTION.match(line)
            if head:
                name = head[1].decode("utf-8", "replace")
                is_program = name.startswith("program:")
                current = found.setdefault(name, Section(name, path)) if is_program else None
                continue
            read_as = SETTING.match(line)
            if current is None or read_as is None or line[:1] in b" \t;#":
                continue
            name = read_as[1].decode().lower()
            current.lines[name] = (path, number, read_as[3].decode("utf-8", "replace"))
    return list(found.values())


def as_program(section: Section, host: Host) -> Program:
    """The section as the rules take it, one setting a line."""
    lines = [f"{name}={value}" for name, (_, _, value) in section.lines.items()]
    content = "\n".join([f"[{section.name}]", *lines, ""]).encode("utf-8", "surrogateescape")
    text = UnitText(str(section.first), content, 0, len(content), "supervisord")
    [program] = reader.read(text, BotProject(host))
    return program


def of_section(
    host: Host, tools: Tools, daemon: Daemon, section: Section, patterns: tuple[str, ...]
) -> Service | None:
    here = daemon.main.parent
    name = section.name.partition(":")[2]

    def value(key: str) -> str:
        path, _, text = section.lines.get(key, (here, 0, ""))
        return expanded(text, path.parent if key in section.lines else here, name)

    try:
        words = shlex.split(value("command"))
    except ValueError:
        return None
    folder = value("directory") or daemon.folder
    started = started_here(words, folder, host)
    if started is None:
        return None
    program = replace(as_program(section, host), started=started)
    service = Service(TITLE, "supervisord", name, started, section.first)
    service.own = Supervised(daemon, section, program, patterns)
    files = dict.fromkeys(path for path, _, _ in section.lines.values())
    service.more = tuple(path for path in files if path != section.first)
    service.policy = Policy(reader.restarts(program).restart)
    service.state = state_of(host, tools, daemon, name)
    service.starts = starts_of(daemon, name)
    if started.kind == "side":
        return service
    service.is_guarded = "skillgen/guard.cjs" in value("environment")
    found = [placed(sight.finding, section) for sight in faults_of(program, Options())]
    service.findings = held_back(found, host)
    if started.kind == "unknown":
        service.obstacles.append(f"{UNKNOWN}: {started.why}")
    return service


def placed(finding: Finding, section: Section) -> Finding:
    """The finding where the files have it: a line of the program is one of its settings."""
    rows = [(section.first, 1, ""), *section.lines.values()]
    path, line, _ = rows[min(finding.line, len(rows)) - 1]
    return replace(finding, path=str(path), line=line, column=1)


def control(daemon: Daemon, *words: str) -> tuple[str, ...]:
    return (daemon.control, "-c", str(daemon.main), *words)


def state_of(host: Host, tools: Tools, daemon: Daemon, name: str) -> str:
    unasked = daemon.unasked(host.root)
    if unasked:
        return f"not known: {unasked}"
    answer = tools.ask(*control(daemon, "status"))
    for line in answer.out.splitlines():
        words = line.split(None, 2)
        if len(words) > 1 and words[0].partition(":")[0] == name:
            state = "active (running)" if words[1] == "RUNNING" else words[1].lower()
            return f"{state}, {words[2]}" if len(words) > 2 else state
    return f"not known: {answer.reason}"


def starts_of(daemon: Daemon, name: str) -> Starts:
    """By the daemon's own log."""
    content = content_of(daemon.main) or b""
    named = expanded(setting(content, "supervisord", "logfile"), daemon.main.parent)
    path = Path(daemon.folder or "/", named or "supervisord.log")
    return starts_in(path, SPAWNED, STAMP, lambda what: what.partition(":")[0] == name)


def plan(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """A file beside the program's own that settles what the rules find."""
    own: Supervised = service.own
    daemon, name, path = own.daemon, service.name, place_for(own)
    unasked = daemon.unasked(host.root) if daemon.pid is not None else ""
    changes = Changes(unasked=unasked and f"{TITLE}: {unasked}")
    if daemon.pid is not None:
        # Not stop and start: a program that has changed is replaced by update alone.
        steps = (Step(control(daemon, "update", name)),)
        changes.restart.append(Restart(name, steps))
    files = [file for file in files_of(daemon, own.patterns) if file != path]
    base = next((each for each in sections(files) if each.name == own.section.name), own.section)
    program = as_program(base, host)
    settings = settings_of(program, host)
    if choice.guard:
        settings.append(guarding(host, own, base, program, choice, changes))
    elif own.section.lines.get("environment", (None,))[0] == path and service.is_guarded:
        settings.append(f"environment={own.section.lines['environment'][2]}")
    if not settings:
        return changes
    if path is None:
        changes.guards.clear()
        changes.todo.append(
            f"{daemon.main}: includes no folder, so no file can stand beside it; in "
            f"[{base.name}] set: {' '.join(settings)}"
        )
        return changes
    head = [HEADER.format(version=__version__), UNDO.format(root=quoted(host.root))]
    content = "\n".join([*head, f"[{base.name}]", *settings, ""]).encode("utf-8", "surrogateescape")
    before = read(path)
    changes.wanted.append(Wanted(path, before, content))
    following = (f"supervisorctl -c {quoted(daemon.main)} update {quoted(name)}",)
    if daemon.pid is not None:
        changes.reload.append(Step(control(daemon, "reread")))
        # Whether it is in force by now, supervisord does not say.
        changes.next += following if content != before else ()
        changes.notes += [BY_UPDATE] if content != before else []
    changes.by_hand += [*heredoc(path, content, "sudo "), *following]
    restart = changes.restart[0].steps if changes.restart else ()
    reload = tuple(changes.reload)
    kept = (path, host.root, name, before, content, reload, restart, following, following)
    changes.remember.append(partial(record.remember, host, record.Record(*kept)))
    return changes


def guarding(
    host: Host,
    own: Supervised,
    base: Section,
    program: Program,
    choice: ServiceOptions,
    changes: Changes,
) -> str:
    """The setting that loads the guard."""
    # The daemon is root's as a rule, and the program's user cannot look into its home.
    is_own = (
        own.daemon.main.is_relative_to(os.path.expanduser("~")) and "user" not in program.settings
    )
    place = choice.guard_file.absolute() if choice.guard_file else None
    place = place or (default_guard() if is_own else SYSTEM_WIDE)
    folder = Path(own.daemon.folder or base.first.parent)
    unit = Unit(folder / base.first.name, program.text.content, "supervisord", host)
    changes.guards.append((unit, place))
    return guard.environment(unit, program.settings, place)


def settings_of(program: Program, host: Host) -> list[str]:
    """What the rules change, as settings."""
    edits = edits_of(faults_of(program, Options()), host)
    content = apply_edits(program.text.content, edits)
    text = UnitText(program.text.path, content, 0, len(content), "supervisord")
    [after] = reader.read(text, BotProject(host))
    known = program.settings
    return [
        f"{name}={found.value}"
        for name, found in after.settings.items()
        if name not in known or known[name].value != found.value
    ]


def place_for(own: Supervised) -> Path | None:
    """Where a file is read after the program's own; None where no folder is included."""
    name = own.section.name.partition(":")[2]
    for pattern in own.patterns:
        folder, suffix = os.path.dirname(pattern), os.path.splitext(pattern)[1]
        stem = own.section.first.stem if str(own.section.first.parent) == folder else name
        path = os.path.join(folder, f"{stem}.skillgen-restart{suffix}")
        if fnmatch.fnmatch(path, pattern):
            return Path(path)
    return None
