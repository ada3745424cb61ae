"""Values for the templates of ``add/service``, escaped by the rules of each kind.

systemd.unit(5), systemd.service(5); Apple's property lists; pm2's "Ecosystem File";
supervisord's "Configuration File".
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from modify.units.managers.launchd import escape
from modify.units.managers.systemd import PAUSE
from modify.units.restarts import growth_lines, least_pause, limit_for
from skill.errors import SkillgenError
from skill.options import ServiceKind

PM2_PAUSE_MS = 5000
SCRIPT = re.compile(r"\.[cm]?js$")


@dataclass(frozen=True)
class Program:
    """How the host is started, as an argument vector, and where its interpreter lies.

    waits_for: what its start fails without, or nothing.
    """

    arguments: tuple[str, ...]
    search_path: str
    waits_for: str = ""


@dataclass(frozen=True)
class Unit:
    """path: where it goes in the host. fields: those of its template, beside name and path."""

    path: str
    template: str
    fields: dict[str, Any]


def systemd(program: Program, folder: str, name: str, start_limit: int) -> Unit:
    waits = bool(program.waits_for)
    limit = limit_for(PAUSE, start_limit, waits)
    pause = least_pause(limit, waits)
    fields = {
        "description": f"{name} WhatsApp bot",
        "folder": specifiers(folder),
        "command": command_line(program.arguments),
        "environment": quoted(specifiers(f"PATH={program.search_path}")),
        "pauses": "\n".join([f"RestartSec={pause}", *growth_lines(pause, limit)]),
        "interval": limit.interval,
        "burst": limit.burst,
    }
    return Unit(f"deploy/{name}.service", "systemd.service.j2", fields)


def launchd(program: Program, folder: str, name: str, _start_limit: int) -> Unit:
    label = f"com.{name}"
    fields = {
        "label": escape(label),
        "arguments": [escape(argument) for argument in program.arguments],
        "folder": escape(folder),
        "search_path": escape(program.search_path),
        "pause": PAUSE,
    }
    return Unit(f"deploy/{label}.plist", "launchd.plist.j2", fields)


def pm2(program: Program, folder: str, name: str, _start_limit: int) -> Unit:
    """A script of the host as pm2 users write it; anything else as it is, without interpreter."""
    tool, *arguments = program.arguments
    script = next((word for word in arguments if not word.startswith("-")), "")
    app: dict[str, str | list[str]] = {"script": tool, "args": arguments, "interpreter": "none"}
    if PurePosixPath(tool).name == "node" and script.startswith(f"{folder}/"):
        place = arguments.index(script)
        app = {
            "script": script.removeprefix(f"{folder}/"),
            "args": arguments[place + 1 :],
            "node_args": arguments[:place],
        }
    shown = {key: javascript(value) for key, value in app.items() if value}
    return Unit("ecosystem.config.cjs", "pm2.config.cjs.j2", {"app": shown, "pause": PM2_PAUSE_MS})


def supervisord(program: Program, folder: str, name: str, _start_limit: int) -> Unit:
    for part in (folder, *program.arguments):
        if re.search(r"\s[;#]", part) or part != part.strip():
            raise SkillgenError(f"{part!r}: supervisord cannot name such a path")
    fields = {
        "section": name.replace(":", "-"),
        "command": specifiers(shlex.join(program.arguments)),
        "folder": specifiers(folder),
        "search_path": specifiers(program.search_path),
    }
    return Unit(f"deploy/{name}.supervisor.conf", "supervisord.conf.j2", fields)


UNITS: dict[ServiceKind, Callable[[Program, str, str, int], Unit]] = {
    "systemd": systemd,
    "launchd": launchd,
    "pm2": pm2,
    "supervisord": supervisord,
}


def javascript(value: str | list[str]) -> str:
    """A text, or a list of them, as JavaScript in single quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(javascript, value))}]"
    inner = json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"')
    return "'" + inner.replace("'", "\\'") + "'"


def specifiers(text: str) -> str:
    """``%`` begins a specifier, in systemd.unit(5) as in supervisord's expansions."""
    return text.replace("%", "%%")


def command_line(arguments: tuple[str, ...]) -> str:
    """systemd.service(5), command lines: quotes, specifiers and ``$`` are escaped.

    ``$`` is not expanded in the program's own path, so no escape is undone there: a path
    that holds one is run through env.
    """
    if "$" in arguments[0]:
        arguments = ("/usr/bin/env", *arguments)
    return " ".join(quoted(specifiers(argument).replace("$", "$$")) for argument in arguments)


def quoted(argument: str) -> str:
    if argument and not re.search(r"[\s'\"\\;]", argument):
        return argument
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
