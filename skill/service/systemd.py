"""systemd: the units of the system and of the user, as their managers have loaded them.

Whether a unit starts the bot is told by its command line alone. What is in force comes from
``systemctl show``, where it says it from the files: a limit in ``[Service]`` that systemd does not
read is not there, a default of the manager is. Where no manager answers (no bus, no systemctl),
the files are read as systemd would, and the report says so.
"""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modify.units.process_managers import faults_of
from skill.finding import Finding
from skill.guard import values
from skill.guard.systemd import MARK
from skill.host import Host
from skill.options import Options
from skill.service import journal
from skill.service.clean_exit import held_back
from skill.service.model import UNKNOWN, Look, Service, Starts
from skill.service.place import started_here
from skill.service.restarts import Properties, here, in_force, number, policy_in, policy_of
from skill.service.tools import Tools
from skill.service.units import (
    SYSTEM_FOLDERS,
    Files,
    command_words,
    drop_ins,
    filled,
    installed,
    read_files,
    user_folders,
    with_variables,
)

ASKED = (
    "Id,LoadState,LoadError,ActiveState,SubState,UnitFileState,FragmentPath,SourcePath,"
    "DropInPaths,NeedDaemonReload,Transient,Type,ExecStart,WorkingDirectory,Environment,"
    "Restart,RestartUSec,RestartSteps,RestartMaxDelayUSec,RestartForceExitStatus,"
    "SuccessExitStatus,StartLimitIntervalUSec,StartLimitBurst,NRestarts,"
    "ExecMainStartTimestampMonotonic"
)
AT_ONCE = 200
"""Names in one call: a command line has an end."""
ARGUMENTS = re.compile(r"argv\[\]=(.*?) ; (?:ignore_errors|flags)=")
DAY = 86_400
NO_SYSTEMCTL = "no systemctl here"


@dataclass(frozen=True)
class Manager:
    """One of the two managers. version: 0 where it does not answer."""

    is_user: bool
    version: int = 0
    folder: Path | None = None

    @property
    def title(self) -> str:
        return "systemd --user" if self.is_user else "systemd"

    @property
    def options(self) -> tuple[str, ...]:
        return ("--user",) if self.is_user else ("--system",)

    @property
    def command(self) -> str:
        """For a person to type."""
        return "systemctl --user" if self.is_user else "sudo systemctl"


@dataclass(frozen=True)
class Loaded:
    """What a Service keeps of its unit. shown: empty where only the files could be read."""

    manager: Manager
    shown: Properties
    files: Files
    unasked: str = ""
    """Why the manager does not answer, or nothing."""


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    """What each manager says, and the units that have to do with the host."""
    if tools.find("systemctl") is None:
        for manager in (Manager(True), Manager(False)):
            yield Look(manager.title, "absent", NO_SYSTEMCTL)
            yield from from_files(host, manager, NO_SYSTEMCTL)
        return
    for is_user in (True, False):
        manager, why = manager_of(tools, is_user)
        if why:
            yield Look(manager.title, "failed", why)
            yield from from_files(host, manager, why)
            continue
        yield Look(manager.title, "looked")
        yield from from_manager(host, tools, manager)
    yield from of_others(host)


def of_others(host: Host) -> Iterator[Look]:
    """Root does not see the units of the user whose bot it is."""
    owner = host.root.stat().st_uid
    if os.getuid() == 0 and owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        yield Look(f"systemd --user of {name}", "failed", f"root cannot see it; run this as {name}")


def manager_of(tools: Tools, is_user: bool) -> tuple[Manager, str]:
    """A manager, and why it does not answer."""
    manager = Manager(is_user)
    answer = tools.ask(
        "systemctl", *manager.options, "show", "--property=Version", "--property=UnitPath"
    )
    if not answer.is_good:
        return manager, answer.reason
    shown = next(blocks(answer.out), {})
    version = re.match(r"\d+", shown.get("Version", ""))
    tail = "/systemd/user" if is_user else "/systemd/system"
    folders = [folder for folder in shown.get("UnitPath", "").split() if folder.endswith(tail)]
    lasting = [folder for folder in folders if not folder.startswith("/run/")]
    place = Path(lasting[0]) if lasting else None
    return Manager(is_user, int(version[0]) if version else 0, place), ""


def blocks(text: str) -> Iterator[Properties]:
    """The properties of each unit that ``systemctl show`` prints."""
    for block in text.split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        found = {name: value for name, sign, value in pairs if sign}
        if found:
            yield found


def from_manager(host: Host, tools: Tools, manager: Manager) -> Iterator[Look | Service]:
    names, templates, why = names_of(tools, manager)
    if why:
        yield Look(manager.title, "failed", why)
    seen = set()
    for shown in shown_of(tools, manager, names):
        if shown.get("Id", "") in seen:
            continue
        seen.add(shown.get("Id", ""))
        service = of_properties(host, tools, manager, shown)
        if service is not None:
            yield service
    for name in templates:
        if not any(is_instance(each, name) for each in names):
            yield from of_template(host, manager, name)


def is_instance(name: str, template: str) -> bool:
    return "@" in name and f"{name.partition('@')[0]}@.service" == template


def names_of(tools: Tools, manager: Manager) -> tuple[list[str], list[str], str]:
    """The units that are loaded or installed, the templates among the latter, and what failed."""
    plain = ("--type=service", "--no-legend", "--no-pager", "--full")
    answers = (
        tools.ask("systemctl", *manager.options, "list-units", "--all", "--plain", *plain),
        tools.ask("systemctl", *manager.options, "list-unit-files", *plain),
    )
    found = [
        line.split()[0] for answer in answers for line in answer.out.splitlines() if line.strip()
    ]
    found = [name for name in dict.fromkeys(found) if name.endswith(".service")]
    templates = [name for name in found if name.endswith("@.service")]
    why = next((answer.reason for answer in answers if not answer.is_good), "")
    return [name for name in found if name not in templates], templates, why


def shown_of(tools: Tools, manager: Manager, names: Sequence[str]) -> Iterator[Properties]:
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        # An unknown name makes the call fail; the others are printed all the same.
        answer = tools.ask(
            "systemctl", *manager.options, "show", f"--property={ASKED}", "--", *some
        )
        yield from blocks(answer.out)


def of_properties(host: Host, tools: Tools, manager: Manager, shown: Properties) -> Service | None:
    """The service in a loaded unit, if that has to do with the host."""
    if shown.get("LoadState") == "masked":
        return of_masked(host, manager, shown["Id"])
    name = shown.get("Id", "")
    paths = [Path(path) for path in (shown.get("FragmentPath", ""), *paths_in(shown)) if path]
    resolved = ARGUMENTS.search(shown.get("ExecStart", ""))
    if resolved is None or "/" in name:
        return None
    folder = shown.get("WorkingDirectory", "").lstrip("-!")
    variables = values.systemd_variables(shown.get("Environment", ""))
    # Cheap first: hundreds of units have nothing to do with the host.
    rough = with_variables(resolved[1].split(), variables)
    if started_here(rough, folder, host) is None:
        return None
    files = read_files(paths)
    words = with_variables(command_words(files.merged, resolved[1], name), variables)
    started = started_here(words, folder, host)
    if started is None:
        return None
    service = Service(
        manager.title,
        "systemd",
        name,
        started,
        paths[0] if paths else None,
        tuple(paths[1:]),
        state_of(shown),
        policy_of(shown),
        own=Loaded(manager, shown, files),
    )
    if started.kind == "side":
        return service
    service.starts = starts_of(tools, manager, name, shown)
    service.findings = findings_of(shown, files, manager.version, host)
    service.is_guarded = is_guarded(variables, files)
    service.obstacles = list(obstacles(shown, service))
    service.notes = list(notes(service, manager))
    return service


def starts_of(tools: Tools, manager: Manager, name: str, shown: Properties) -> Starts:
    """By the journal, unless it lacks the start that the manager itself knows of."""
    restarts = number(shown.get("NRestarts"))
    found = journal.starts(tools, name, manager.is_user, restarts)
    last = number(shown.get("ExecMainStartTimestampMonotonic")) or 0
    if found.day == 0 and last and time.monotonic() - last / 1e6 < DAY:
        return Starts(restarts=restarts, why="the journal holds no start of it")
    return found


def is_guarded(variables: dict[str, str], files: Files) -> bool:
    loads = "skillgen/guard.cjs" in variables.get(values.NODE_OPTIONS, "")
    return loads or any(MARK.search(piece.content) for piece in files.pieces)


def paths_in(shown: Properties) -> list[str]:
    """Paths of a list; systemd writes a blank in one as ``\\x20``."""
    found = shown.get("DropInPaths", "").split()
    return [re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), path) for path in found]


def state_of(shown: Properties) -> str:
    state = f"{shown.get('ActiveState', '?')} ({shown.get('SubState', '?')})"
    enabled = shown.get("UnitFileState")
    return f"{state}, {enabled}" if enabled else state


def findings_of(shown: Properties, files: Files, version: int, host: Host) -> list[Finding]:
    """What the rules say of what is in force, at the place in the files that sets it."""
    merged, loaded = (here(unit, version, host) for unit in (files.merged, in_force(shown, files)))
    written = {sight.finding.rule: sight.finding for sight in faults_of(merged, Options())}
    found = []
    for sight in faults_of(loaded, Options()):
        own = written.get(sight.finding.rule)
        path, line = files.place(own.line) if own else (path_of(shown, files), 1)
        found.append(
            replace(
                sight.finding,
                path=str(path),
                line=line,
                column=own.column if own else 1,
                message=own.message if own else sight.finding.message,
            )
        )
    return held_back(found, host)


def path_of(shown: Properties, files: Files) -> Path:
    return files.pieces[0].path if files.pieces else Path(shown.get("FragmentPath") or shown["Id"])


def obstacles(shown: Properties, service: Service) -> Iterator[str]:
    """Why no drop-in is written for it."""
    if shown.get("Transient") == "yes":
        yield "is transient (systemd-run): it ends with its process; give the bot a unit of its own"
    elif "/generator" in shown.get("FragmentPath", ""):
        source = shown.get("SourcePath") or "a generator"
        yield f"is generated from {source}: change that"
    if service.started.kind == "unknown":
        yield f"{UNKNOWN}: {service.started.why}"


def notes(service: Service, manager: Manager) -> Iterator[str]:
    shown: Properties = service.own.shown
    if shown.get("NeedDaemonReload") == "yes":
        yield (
            "its files have changed since it was loaded: what is said here of them is not in force "
            f"before {manager.command} daemon-reload"
        )
    for path in service.own.files.unread:
        yield f"{path}: cannot be read; its place in the unit is not known"
    template = template_of(service)
    if template:
        yield f"is an instance of {template}; only this one is looked at and changed"


def template_of(service: Service) -> str:
    if service.path is not None and "@." in service.path.name and "@." not in service.name:
        return service.path.name
    return ""


def of_masked(host: Host, manager: Manager, name: str) -> Service | None:
    """A masked unit has no command: what it hides is looked for where units lie."""
    for folder in folders_of(manager):
        path = folder / name
        if os.path.isfile(path) and os.path.realpath(path) != os.devnull:
            service = of_file(host, manager, name, path, "masked")
            if service is not None:
                service.state = "masked"
                service.obstacles = [
                    f"is masked and starts nothing; to use it: {manager.command} unmask {name}"
                ]
            return service
    return None


def of_template(host: Host, manager: Manager, name: str) -> Iterator[Service]:
    for folder in folders_of(manager):
        path = folder / name
        if os.path.isfile(path):
            service = of_file(host, manager, name, path, "a template")
            if service is not None:
                service.obstacles = [
                    f"is a template, and no instance of it is loaded; start one, "
                    f"{name.replace('@.', '@NAME.')}, then run the command again"
                ]
                yield service
            return


def folders_of(manager: Manager) -> tuple[Path, ...]:
    own = (manager.folder,) if manager.folder else ()
    return (*own, *(user_folders() if manager.is_user else SYSTEM_FOLDERS))


def from_files(host: Host, manager: Manager, why: str) -> Iterator[Service]:
    """The units of a manager that does not answer, as their files say."""
    for name, path in installed(folders_of(manager)):
        service = of_file(host, manager, name, path, f"not known: {why}", why)
        if service is not None:
            yield service


def of_file(
    host: Host, manager: Manager, name: str, path: Path, state: str, unasked: str = ""
) -> Service | None:
    files = read_files([path, *drop_ins(name, folders_of(manager))])
    if not files.pieces:
        return None
    unit = files.merged
    variables: dict[str, str] = {}
    for item in unit.all("Service", "Environment"):
        variables = {**variables, **values.systemd_variables(item.value)} if item.value else {}
    words = with_variables(command_words(unit, "", name), variables)
    folder = unit.last("Service", "WorkingDirectory")
    where = command_folder(folder.value if folder else "", name)
    started = started_here(words, where, host)
    if started is None:
        return None
    more = tuple(piece.path for piece in files.pieces[1:])
    service = Service(manager.title, "systemd", name, started, path, more, state)
    service.own = Loaded(manager, {}, files, unasked)
    service.starts = Starts(why=state)
    service.policy = policy_in(replace(unit, version=manager.version))
    if started.kind != "side":
        service.findings = [
            replace(sight.finding, path=str(place[0]), line=place[1])
            for sight in faults_of(here(unit, manager.version, host), Options())
            for place in (files.place(sight.finding.line),)
        ]
        service.findings = held_back(service.findings, host)
        service.is_guarded = is_guarded(variables, files)
    if started.kind == "unknown":
        service.obstacles = [f"{UNKNOWN}: {started.why}"]
    return service


def command_folder(text: str, name: str) -> str:
    return filled(text.strip().lstrip("-").strip("\"'"), name)
