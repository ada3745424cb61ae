"""A unit file given with ``--unit``, and the changes that guard the bot it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from modify.units.bot_project import BotProject
from modify.units.locate.marks import kind_of
from modify.units.managers.compose import NAME as COMPOSE
from modify.units.managers.pm2 import NAME as PM2
from modify.units.managers.supervisord import MARK as SUPERVISORD
from modify.units.model import Kind, UnitText
from skill.errors import SkillgenError
from skill.guard.files import Wanted, read
from skill.host import Host

KINDS = ("systemd", "launchd", "compose", "pm2", "supervisord")


@dataclass(frozen=True)
class Unit:
    """A unit file. guard, memory: where the guard lies and its memory goes, if given."""

    path: Path
    content: bytes
    kind: Kind
    host: Host
    service: str | None = None
    memory: str | None = None

    @cached_property
    def text(self) -> UnitText:
        inside = self.path.is_relative_to(self.host.root)
        path = self.path.relative_to(self.host.root).as_posix() if inside else str(self.path)
        return UnitText(path, self.content, 0, len(self.content), self.kind)

    @cached_property
    def project(self) -> BotProject:
        return BotProject(self.host)

    def memory_in(self, folder: str) -> str:
        """Where the memory goes for a bot that runs in ``folder``."""
        if self.memory:
            return str(Path(self.memory).absolute())
        base = Path(folder) if folder.startswith("/") else self.host.root / folder
        return str(base / ".whatsapp-reconnect")


@dataclass
class Guarding:
    """The files to write for one unit.

    notes: hints for the report; next: the commands to run afterwards; todo: changes that a
    person has to make, in files that are not skillgen's to change.
    """

    wanted: list[Wanted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def open_unit(path: Path, host: Host, service: str | None, memory: str | None) -> Unit:
    """Return the unit in a file. Raises SkillgenError if the file holds no unit."""
    path = path.parent.resolve() / path.name
    content = read(path)
    if content is None:
        raise SkillgenError(f"{path}: no such file; name the unit that starts the bot")
    kind = kind_in(path, content)
    if kind is None:
        kinds = "systemd, launchd, compose, pm2 or supervisord"
        raise SkillgenError(f"{path}: is not a unit of {kinds}")
    return Unit(path, content, kind, host, service, memory)


def kind_in(path: Path, content: bytes) -> Kind | None:
    name = path.name
    if name.endswith(".service"):
        return "systemd"
    if name.endswith(".plist"):
        return "launchd"
    if COMPOSE.search(name) and b"services:" in content:
        return "compose"
    if PM2.search(name) and b"script" in content:
        return "pm2"
    if SUPERVISORD in content:
        return "supervisord"
    return kind_of(content)


def choose(unit: Unit, names: dict[str, bool], what: str) -> list[str]:
    """Return the names of the file's programs that start the bot.

    names: each program's name, and whether it is known to start the bot. Raises SkillgenError
    if no program is known to start it and there are several.
    """
    if unit.service is not None:
        if unit.service not in names:
            known = ", ".join(names) or "none"
            raise SkillgenError(f"{unit.path}: has no {what} {unit.service!r}, but: {known}")
        return [unit.service]
    plain = [name for name, is_host in names.items() if is_host]
    if plain or len(names) == 1:
        return plain or list(names)
    known = ", ".join(names) or "none"
    raise SkillgenError(
        f"{unit.path}: cannot tell which {what} is the bot; name it with --service ({known})"
    )


Maker = Callable[[Unit, Path], Guarding]
