"""systemd: the drop-in that makes an installed unit safe; the owner's own files stay as they are.

What it says is what the rules would make of the unit's own files (``modify.rules.units``), so an
owner's longer pause or a limit that trips stays in force. The version of the systemd that reads it
is known here, so its pauses grow from 254 on, and before that only a bot that ends with a failure
while something else is missing gets a longer one (``modify.units.restarts``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from modify.units.managers import systemd
from modify.units.managers.systemd import DEFAULT_BURST
from modify.units.process_managers import faults_of
from skill import __version__
from skill.commands.shell import quoted
from skill.edit import apply_edits
from skill.errors import SkillgenError
from skill.guard import files as guard_files
from skill.guard import systemd as guard
from skill.guard.command import default_guard
from skill.guard.files import Wanted
from skill.guard.unit import Unit
from skill.host import Host
from skill.options import Options, ServiceOptions
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.clean_exit import edits_of
from skill.service.model import Service
from skill.service.restarts import here
from skill.service.systemd import Loaded, Manager, manager_of
from skill.service.tools import Tools
from skill.service.units import SYSTEM_FOLDERS, Files, unit_text, user_folders

NAME = "50-skillgen-restart.conf"
HEADER = re.compile(
    rb"\A# Restart policy by skillgen (\S+) \(sha256 of the rest: ([0-9a-f]{16})\)\n"
)
HOST = "# For the bot in {root}: a session that is over stays down, and a crash loop has an end."
UNDO = "# Take it back with: skillgen service {root} --revert"
SECTIONS = ("Unit", "Service")
Setting = tuple[str, str, str]
"""Section, name, value."""


def folder_of(service: Service) -> Path:
    """Where drop-ins of the service belong. Raises SkillgenError where no place is known."""
    manager: Manager = service.own.manager
    place = manager.folder
    if place is None:
        places = user_folders()[:1] if manager.is_user else SYSTEM_FOLDERS[:1]
        if not places:
            raise SkillgenError("no home folder is known; set HOME, then run the command again")
        place = places[0]
    return place / f"{service.name}.d"


def plan(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """The changes that make the service safe; none where it is right already."""
    loaded: Loaded = service.own
    path = folder_of(service) / NAME
    before = held(path)
    changes = Changes(unasked=loaded.unasked and f"{service.manager}: {loaded.unasked}")
    own = without_own(loaded.files)
    version = loaded.manager.version or version_here(tools)
    settings = list(settings_of(own, version, host))
    guarding = guard_lines(host, service, choice, before, changes)
    changes.restart.append(restarted(loaded.manager, service.name))
    if not settings and not guarding:
        return changes
    content = text(host, settings, guarding)
    changes.wanted.append(Wanted(path, before, content))
    changes.todo += overridden(own, settings)
    options, command = loaded.manager.options, loaded.manager.command
    changes.reload.append(Step(("systemctl", *options, "daemon-reload")))
    changes.by_hand += heredoc(path, content, "" if loaded.manager.is_user else "sudo ")
    changes.by_hand.append(f"{command} daemon-reload")
    name = quoted(service.name)
    if service.state.startswith("failed"):
        changes.next += [f"{command} reset-failed {name}", f"{command} start {name}"]
    elif changes.guards and content != before:
        changes.next.append(f"{command} {'restart' if service.is_running else 'start'} {name}")
    return changes


def restarted(manager: Manager, name: str) -> Restart:
    """A unit that has reached its limit is not started before ``reset-failed``."""
    command = ("systemctl", *manager.options)
    steps = Step((*command, "reset-failed", name), may_fail=True), Step((*command, "restart", name))
    return Restart(name, steps)


def held(path: Path) -> bytes | None:
    """The drop-in that is there. Raises SkillgenError for one that may not be replaced."""
    content = guard_files.read(path)
    if content is not None and not HEADER.match(content):
        raise SkillgenError(f"{path}: is not skillgen's own; move it away, then run it again")
    if content is not None and not is_intact(content):
        raise SkillgenError(f"{path}: was edited since skillgen wrote it; move it away first")
    return content


def version_here(tools: Tools) -> int:
    """The version of systemd that is installed, where no manager says its own; 0: not known."""
    found = re.match(r"systemd (\d+)", tools.ask("systemctl", "--version").out)
    return int(found[1]) if found else 0


def text(host: Host, settings: list[Setting], guarding: list[str]) -> bytes:
    """The drop-in, with a hash that shows whether it was edited since."""
    root = quoted(host.root)
    lines = [HOST.format(root=root), UNDO.format(root=root)]
    for section in SECTIONS:
        named = [f"{name}={value}" for where, name, value in settings if where == section]
        named += guarding if section == "Service" else []
        if named:
            lines += [f"[{section}]", *named]
    body = "\n".join([*lines, ""])
    header = (
        f"# Restart policy by skillgen {__version__} (sha256 of the rest: {digest(body.encode())})"
    )
    return f"{header}\n{body}".encode()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def is_intact(content: bytes) -> bool:
    header = HEADER.match(content)
    return header is not None and digest(content[header.end() :]) == header[2].decode()


def without_own(files: Files) -> Files:
    """The unit's files but for skillgen's own."""
    return Files(tuple(piece for piece in files.pieces if piece.path.name != NAME), files.unread)


def settings_of(files: Files, version: int, host: Host) -> Iterator[Setting]:
    """What the rules change in the unit, as assignments; nothing where it is right already."""
    unit = files.merged
    edits = edits_of(faults_of(here(unit, version, host), Options()), host)
    if not edits:
        return
    content = apply_edits(unit.text.content, edits)
    after = systemd.parse(unit_text(Path(unit.text.path), content))
    names = dict.fromkeys((item.section, item.name) for item in after.directives)
    for section in SECTIONS:
        for name in [name for where, name in names if where == section]:
            found, known = after.last(section, name), unit.last(section, name)
            if found is not None and (known is None or known.value != found.value):
                yield section, name, found.value
    if any(section == "Unit" for section, _ in names) and not after.last("Unit", "StartLimitBurst"):
        yield "Unit", "StartLimitBurst", str(DEFAULT_BURST)


def overridden(files: Files, settings: list[Setting]) -> Iterator[str]:
    """The settings that a drop-in that is read later sets otherwise, and so wins."""
    later = [piece for piece in files.pieces[1:] if piece.path.name > NAME]
    for section, name, value in settings:
        for piece in later:
            found = piece.parsed.last(section, name)
            if found is not None and found.value != value:
                line = piece.parsed.text.place(found.start)[0]
                yield (
                    f"{piece.path}:{line}: {name}={found.value} is read after skillgen's drop-in "
                    f"and wins; make it {name}={value} there"
                )


def as_guarded(host: Host, service: Service) -> Unit:
    """The unit as the guard's own reader takes it: all its files as one.

    Named as the unit is, where its drop-ins lie: an instance is not its template.
    """
    path = folder_of(service).parent / service.name
    return Unit(path, without_own(service.own.files).content, "systemd", host)


def guard_lines(
    host: Host, service: Service, choice: ServiceOptions, before: bytes | None, changes: Changes
) -> list[str]:
    """The lines of [Service] that load the guard: those asked for, or those there already."""
    if not choice.guard:
        return kept_lines(before or b"")
    unit = as_guarded(host, service)
    place = choice.guard_file.absolute() if choice.guard_file else None
    place = place or guard.default_guard(unit, default_guard())
    layers = [(piece.path, piece.parsed) for piece in without_own(service.own.files).pieces]
    settings = guard.settings(unit, place, layers, NAME)
    changes.todo += settings.todo
    if settings.todo:
        return kept_lines(before or b"")
    changes.guards.append((unit, place))
    mark = f"# Guard by skillgen {__version__}: the bot connects no more often than is safe."
    return [mark, *settings.lines]


def kept_lines(content: bytes) -> list[str]:
    """The guard's lines of a drop-in: they are the last of [Service]."""
    found = guard.MARK.search(content)
    return content[found.start() :].decode().rstrip("\n").split("\n") if found else []


def written(host: Host, folders: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """The drop-ins in these folders that are for this host."""
    line = HOST.format(root=quoted(host.root)).encode()
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.glob(f"*.service.d/{NAME}")):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            if HEADER.match(content) and line in content.split(b"\n"):
                yield path, content


def take_back(host: Host, tools: Tools, units: tuple[str, ...]) -> Changes:
    """The changes that remove every drop-in of this host, or those of these units."""
    changes = Changes()
    for is_user in (True, False):
        manager, why = manager_of(tools, is_user)
        own = [manager.folder] if manager.folder else []
        places = [*own, *(user_folders()[:1] if is_user else SYSTEM_FOLDERS[:1])]
        found = Changes()
        for path, content in written(host, places):
            name = path.parent.name.removesuffix(".d")
            if not units or name in units or name.removesuffix(".service") in units:
                taken_back(path, content, name, manager, found)
        if found.wanted:
            found.by_hand.append(f"{manager.command} daemon-reload")
            found.reload.append(Step(("systemctl", *manager.options, "daemon-reload")))
            found.unasked = why and f"{manager.title}: {why}"
        changes.add(found)
    return changes


def taken_back(path: Path, content: bytes, name: str, manager: Manager, changes: Changes) -> None:
    if not is_intact(content):
        line = f"{path}: was edited since skillgen wrote it and is left as it is; remove it by hand"
        changes.todo.append(line)
        return
    changes.wanted.append(Wanted(path, content, None))
    changes.by_hand.append(f"{'' if manager.is_user else 'sudo '}rm {quoted(path)}")
    changes.restart.append(restarted(manager, name))
    if guard.MARK.search(content):
        changes.next.append(f"{manager.command} restart {quoted(name)}")
