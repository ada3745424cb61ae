"""supervisord: a file beside the program's own, whose ``environment=`` is read after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from modify.units.managers import supervisord
from modify.units.started_program import split
from skill import __version__
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import values
from skill.guard.files import Wanted, read
from skill.guard.unit import Guarding, Unit, choose

HEADER = re.compile(rb"\A; Guard by skillgen (\S+): ")


def beside(unit: Unit) -> Path:
    """Files of an [include] are read in the order of their names, and the last one counts."""
    return unit.path.with_name(f"{unit.path.stem}.skillgen-guard{unit.path.suffix}")


def programs_of(unit: Unit) -> dict[str, supervisord.Program]:
    found = supervisord.read(unit.text, unit.project)
    return {program.name.partition(":")[2]: program for program in found}


def make(unit: Unit, guard: Path) -> Guarding:
    programs = programs_of(unit)
    chosen = choose(unit, {name: p.started.is_host for name, p in programs.items()}, "program")
    lines = [
        f"; Guard by skillgen {__version__}: the bot connects no more often than is safe.",
        f"; Take it back with: skillgen guard --remove --unit {quoted(unit.path.name)}",
    ]
    for name in chosen:
        program = programs[name]
        lines += [f"[{program.name}]", environment(unit, program.settings, guard)]
    path = beside(unit)
    before = read(path)
    if before is not None and not HEADER.match(before):
        raise SkillgenError(f"{path}: is not skillgen's own; move it away first")
    done = Guarding([Wanted(path, before, ("\n".join(lines) + "\n").encode())])
    if b"[supervisord]" in unit.content:
        done.todo.append(
            f"{unit.path}: is the main file; it must include the guard's: "
            f"[include] files = {path.name}"
        )
    done.next += ["supervisorctl reread", "supervisorctl update"]
    return done


def environment(unit: Unit, settings: Mapping[str, supervisord.Setting], guard: Path) -> str:
    """The line that keeps a program's variables and adds the guard's."""
    known = values.supervisord_variables(
        settings["environment"].value if "environment" in settings else ""
    )
    folder = settings["directory"].value if "directory" in settings else str(unit.path.parent)
    option = str(guard).replace("%", "%%")
    known[values.NODE_OPTIONS] = values.with_guard(known.get(values.NODE_OPTIONS, ""), option)
    memory = unit.memory_in(folder.replace("%%", "%"))
    known.setdefault(values.MEMORY, memory.replace("%", "%%"))
    command = settings["command"].value if "command" in settings else ""
    if any(re.search(r"\bbun[x\d.]*$", word) for word in split(command)):
        known[values.BUN_OPTIONS] = values.bun_option(option)
    return f"environment={values.supervisord_value(known)}"


def take_back(unit: Unit) -> Guarding:
    path = beside(unit)
    before = read(path)
    done = Guarding()
    if before is not None and HEADER.match(before):
        done.wanted.append(Wanted(path, before, None))
        done.next += ["supervisorctl reread", "supervisorctl update"]
    return done


def found(unit: Unit) -> str | None:
    header = HEADER.match(read(beside(unit)) or b"")
    return header[1].decode() if header else None


def program_words(unit: Unit) -> list[str]:
    commands = [
        p.settings["command"].value for p in programs_of(unit).values() if "command" in p.settings
    ]
    return [word for command in commands for word in split(command)]


def search_path(unit: Unit) -> str | None:
    return None
