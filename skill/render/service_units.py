"""A whole service unit for a host that has none (``--add-service``).

The unit is a file of the repository: nothing is installed or started.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modify.units.bot_project import BotProject
from modify.units.dependency import missing_dependency
from skill.edit import Addition, Patch
from skill.errors import SkillgenError
from skill.finding import Note
from skill.host import Host
from skill.options import Options, ServiceKind
from skill.render.service_templates import UNITS, Program

if TYPE_CHECKING:
    from modify.units.model import UnitText

TEMPLATES = Path(__file__).resolve().parents[2] / "add" / "service"
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
PYTHON_SCRIPTS = ("main.py", "bot.py", "app.py", "run.py")
# Two hyphens may not stand in an XML comment, so one stands for many.
HYPHENS = re.compile(r"-{2,}")
# systemd.unit(5): what a unit name may hold.
NOT_IN_NAME = re.compile(r"[^A-Za-z0-9:_.-]+")
LONGEST_NAME = 200
Finder = Callable[[str], str | None]


def add_service(host: Host, options: Options, present: list[UnitText], patch: Patch) -> None:
    """Add the unit to the patch; one that is there already is left, with a note.

    Raises SkillgenError when the host has another unit of the kind: two would start the
    bot twice, and WhatsApp lets one of them in (440, a tug of war).
    """
    kind = options.add_service
    if kind is None:
        return
    addition = render_service(kind, host, start_limit=options.start_limit)
    for text in present:
        if text.kind == kind and not text.in_test and text.path == addition.path:
            message = "the service unit is there already"
            patch.notes.append(Note(text.path, 1, "right", message))
            return
        if text.kind == kind and text.form != "document" and not text.in_test:
            line, _ = text.place(text.start)
            raise SkillgenError(
                f"{text.path}:{line}: the host has a {kind} unit already; "
                "run again without --add-service, which mends that one"
            )
    patch.additions[addition.path] = addition


def render_service(
    kind: ServiceKind, host: Host, *, start_limit: int = 5, find: Finder = shutil.which
) -> Addition:
    """The unit as a file of the host. ``find``: where a program lies on this machine."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    project = BotProject(host)
    program = replace(program_of(project, find), waits_for=missing_dependency(host))
    folder = str(host.root)
    for part in (folder, *program.arguments):
        if re.search(r"[\x00-\x1f\x7f]", part):
            raise SkillgenError(f"{part!r}: no unit can name a path with control characters")
    name = (
        HYPHENS.sub("-", NOT_IN_NAME.sub("-", project.name)).strip("-.")[:LONGEST_NAME]
        or "whatsapp-bot"
    )
    unit = UNITS[kind](program, folder, name, start_limit)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    text = environment.get_template(unit.template).render(name=name, path=unit.path, **unit.fields)
    return Addition(unit.path, text.encode(), (f"add-service-{kind}",))


def program_of(project: BotProject, find: Finder) -> Program:
    """The host's own start command with absolute paths."""
    root = project.host.root
    start = project.scripts.get("start", "")
    words = plain_words(start)
    main = project.package.get("main")
    if not words and isinstance(main, str) and not start:
        words = ["node", main]
    if words:
        return node_program(root, words, find)
    if start:
        return with_path((*absolute("npm", find), "start"), find("node"))
    return python_program(project, find)


def plain_words(command: str) -> list[str]:
    """The words of a command that needs no shell; none otherwise."""
    if re.search(r"[&|;<>$`*?~()]|^\w+=", command):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []


def node_program(root: Path, words: list[str], find: Finder) -> Program:
    tool, arguments = words[0], words[1:]
    placed = [
        str(root / word) if re.search(r"\.[cm]?[jt]sx?$", word) and "=" not in word else word
        for word in arguments
    ]
    if tool == "node":
        return with_path((*absolute("node", find), *placed), find("node"))
    if tool in ("npm", "pnpm", "yarn", "bun", "deno"):
        return with_path((*absolute(tool, find), *arguments), find("node"))
    return with_path((str(root / "node_modules" / ".bin" / tool), *placed), find("node"))


def python_program(project: BotProject, find: Finder) -> Program:
    root = project.host.root
    folder = next((name for name in (".venv", "venv") if (root / name / "bin").is_dir()), ".venv")
    binaries = root / folder / "bin"
    commands = sorted(project.python_commands)
    if commands:
        command = project.name if project.name in commands else commands[0]
        return with_path((str(binaries / command),), str(binaries / command))
    package = project.name.replace("-", "_")
    python = str(binaries / "python") if binaries.is_dir() else ""
    interpreter = (python,) if python else absolute("python3", find)
    if project.host.exists(f"{package}/__main__.py"):
        return with_path((*interpreter, "-m", package), python or None)
    for script in PYTHON_SCRIPTS:
        if project.host.exists(script):
            return with_path((*interpreter, str(root / script)), python or None)
    raise SkillgenError(
        f"{root}: cannot tell how the bot is started (no start script or main in package.json, "
        "no project script in pyproject.toml); add one, then run the command again"
    )


def absolute(program: str, find: Finder) -> tuple[str, ...]:
    found = find(program)
    return (found,) if found else ("/usr/bin/env", program)


def with_path(arguments: tuple[str, ...], interpreter: str | None) -> Program:
    """A search path that begins where the interpreter lies: ``env node`` finds the same one."""
    folders = [str(Path(interpreter).parent)] if interpreter else []
    folders += [folder for folder in SYSTEM_PATH if folder not in folders]
    return Program(arguments, ":".join(folders))
