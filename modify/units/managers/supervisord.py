"""Programs of a supervisord configuration: ``[program:bot]`` and its settings.

supervisord's documentation, "[program:x] Section Settings": ``;`` behind a blank begins a
comment, ``autorestart`` is ``unexpected``, ``startsecs`` 1 where none is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from modify.units.bot_project import BotProject
from modify.units.model import Line, UnitText
from modify.units.started import Started
from modify.units.started_program import Reader, split
from modify.units.supervisor import Supervisor, codes

NAME = re.compile(r"(\.(conf|ini)|supervisord?[\w.-]*)$")
EXAMPLE = "supervisord.conf"
MARK = b"[program:"
SECTION = re.compile(rb"\[([^\]]+)\]")
SETTING = re.compile(rb"([A-Za-z_]+)([ \t]*[=:][ \t]*)(.*?)[ \t]*(?:[ \t][;#].*)?$")


def is_one(content: bytes) -> bool:
    return MARK in content


@dataclass(frozen=True)
class Setting:
    value: str
    line: Line
    start: int
    end: int
    sign: bytes


@dataclass(frozen=True)
class Program:
    text: UnitText
    name: str
    position: int
    settings: dict[str, Setting]
    started: Started
    remark: str = ""


def read(text: UnitText, project: BotProject) -> list[Program]:
    programs: list[Program] = []
    settings: dict[str, Setting] | None = None
    for line in text.lines:
        content = text.content[line.start : line.end]
        section = SECTION.match(content)
        if section:
            settings = None
            if section[1].startswith(b"program:"):
                settings = {}
                name = section[1].decode("utf-8", "replace")
                unknown = Started("unknown", "", "it names no command")
                programs.append(Program(text, name, line.start, settings, unknown))
            continue
        found = SETTING.match(content)
        if settings is None or found is None or content[:1] in b" \t;#":
            continue
        start, end = found.span(3)
        value = found[3].decode("utf-8", "replace")
        place = (line.start + start, line.start + end)
        settings[found[1].decode().lower()] = Setting(value, line, *place, found[2])
    return [with_start(program, project) for program in programs]


def with_start(program: Program, project: BotProject) -> Program:
    command, folder = program.settings.get("command"), program.settings.get("directory")
    if command is None:
        return program
    reader = Reader(project, folder=folder.value if folder else "")
    started = reader.command(split(command.value))
    return Program(program.text, program.name, program.position, program.settings, started)


def restarts(program: Program) -> Supervisor:
    def value(name: str, default: str) -> str:
        setting = program.settings.get(name)
        return setting.value.lower() if setting is not None else default

    policy = value("autorestart", "unexpected")
    never = policy in ("false", "no", "0", "off")
    restart = "no" if never else "on-failure" if policy == "unexpected" else "always"
    retries, least = value("startretries", "3"), value("startsecs", "1")
    return Supervisor(
        "supervisord",
        restart,
        prevent_codes=codes(value("exitcodes", "0")),
        max_restarts=int(retries) if retries.isdigit() else 3,
        min_uptime_s=float(least) if least.isdigit() else 1.0,
    )
