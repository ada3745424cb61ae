"""Docker Compose: an override file beside the compose file, with guard and memory mounted."""

from __future__ import annotations

import re
from pathlib import Path

from modify.kit.text.yaml_nodes import Items, Mapping, Scalar, words
from modify.units.managers import compose
from modify.units.managers.compose import Unread
from skill import __version__
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import values
from skill.guard.files import Wanted, read
from skill.guard.render import guard_identity, render_guard
from skill.guard.unit import Guarding, Unit, choose
from skill.transaction.paths import GUARD

FOLDER = GUARD
INSIDE = "/skillgen-guard"
"""Where both lie in the container."""
HEADER = re.compile(rb"\A# Guard by skillgen (\S+): ")
MARK = re.compile(rb"^# Guard by skillgen (\S+): ", re.M)
"""The line above what brings the guard, also in the file of ``skillgen service``."""
DEFAULTS = {
    "compose.yaml": "compose.override.yaml",
    "compose.yml": "compose.override.yml",
    "docker-compose.yaml": "docker-compose.override.yaml",
    "docker-compose.yml": "docker-compose.override.yml",
}
OVERRIDES = (*DEFAULTS.values(),)
"""The files that compose reads by itself; any other has to be named with -f."""
IGNORED = b"# What the bot remembers of its dials.\n*\n"


def override(unit: Unit) -> Path:
    name = unit.path.name
    named = DEFAULTS.get(name) or f"{unit.path.stem}.guard{unit.path.suffix}"
    return unit.path.parent / named


def make(unit: Unit, guard: Path) -> Guarding:
    """guard: where this machine has it; compose gets a copy in the project's folder."""
    services = services_of(unit)
    chosen = choose(unit, services, "service")
    lines = [
        f"# Guard by skillgen {__version__}: the bot connects no more often than is safe.",
        f"# Take it back with: skillgen guard --remove --unit {quoted(unit.path.name)}",
        "services:",
    ]
    nodes = {name: node for name, (_, node) in compose.services_in(unit.text).items()}
    for name in chosen:
        lines += service_lines(unit, name, nodes[name])
    path = override(unit)
    done = Guarding()
    before = read(path)
    text = "\n".join(lines) + "\n"
    taken = next(
        (
            other
            for other in (path, *(unit.path.parent / name for name in OVERRIDES))
            if unit.path.name in DEFAULTS and not is_ours(other)
        ),
        None,
    )
    if taken is not None:
        body = "\n".join(lines[2:])
        done.todo.append(f"{taken}: is the project's own override; add to it:\n{body}")
    else:
        done.wanted.append(Wanted(path, before, text.encode()))
    done.wanted += mounted(unit.path.parent)
    done.notes.append(
        f"the container's user must be able to write {unit.path.parent / FOLDER / 'memory'}"
    )
    done.next += steps(unit, path, chosen)
    return done


def is_ours(path: Path) -> bool:
    """Also where there is no such file."""
    content = read(path)
    return content is None or HEADER.match(content) is not None


def mounted(folder: Path) -> list[Wanted]:
    guard, memory = folder / FOLDER / "guard.cjs", folder / FOLDER / "memory" / ".gitignore"
    content, before = render_guard(), read(guard)
    if before is not None and guard_identity(before) is None:
        raise SkillgenError(f"{guard}: is not skillgen's own; move it away first")
    found = [] if before == content else [Wanted(guard, before, content)]
    if read(memory) is None:
        found.append(Wanted(memory, None, IGNORED))
    return found


def service_lines(unit: Unit, name: str, node: Mapping) -> list[str]:
    options = values.with_guard(known_options(unit, node), f"{INSIDE}/guard.cjs")
    lines = [
        f"  {scalar(name)}:",
        "    environment:",
        f"      {values.NODE_OPTIONS}: {scalar(options)}",
        f"      {values.BUN_OPTIONS}: {scalar(values.bun_option(f'{INSIDE}/guard.cjs'))}",
        f"      {values.MEMORY}: {INSIDE}/memory",
        "    volumes:",
        f"      - ./{FOLDER}/guard.cjs:{INSIDE}/guard.cjs:ro",
        f"      - ./{FOLDER}/memory:{INSIDE}/memory",
    ]
    if not runs_bun(unit, node):
        del lines[3]
    return lines


def runs_bun(unit: Unit, node: Mapping) -> bool:
    parts = [node.get("command"), node.get("entrypoint"), node.get("image")]
    return any("bun" in item for word in parts for item in words(word) if word) or any(
        isinstance(word, Scalar) and "bun" in word.value for word in parts
    )


def known_options(unit: Unit, node: Mapping) -> str:
    """NODE_OPTIONS of a service: its ``environment`` wins over its ``env_file``."""
    found = node.get("environment")
    if isinstance(found, Mapping):
        own = found.text(values.NODE_OPTIONS)
        if own is not None:
            return own
    if isinstance(found, Items):
        for item in found.values:
            if isinstance(item, Scalar) and item.value.startswith(f"{values.NODE_OPTIONS}="):
                return item.value.partition("=")[2]
    files = node.get("env_file")
    items = files.values if isinstance(files, Items) else (files,) if files else ()
    value = ""
    for item in items:
        name = item.value if isinstance(item, Scalar) else ""
        if isinstance(item, Mapping):
            name = item.text("path") or ""
        value = in_file(unit.path.parent / name) or value if name else value
    return value.replace("$", "$$")


def in_file(path: Path) -> str | None:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return None
    return values.env_file_variables(text).get(values.NODE_OPTIONS)


def scalar(text: str) -> str:
    """A YAML scalar: plain where that is plainly a string."""
    if re.fullmatch(r"[A-Za-z][\w.-]*", text) and text.lower() not in ("yes", "no", "on", "off"):
        return text
    return "'" + text.replace("'", "''") + "'"


def services_of(unit: Unit) -> dict[str, bool]:
    """The services of the file, and which of them plainly are the bot."""
    inside = unit.path.is_relative_to(unit.host.root)
    found = compose.read(unit.text, unit.project) if inside else []
    if any(isinstance(item, Unread) for item in found):
        raise SkillgenError(f"{unit.path}: cannot be read as YAML")
    known = {item.name: item.started.is_host for item in found}
    return known or dict.fromkeys(compose.services_in(unit.text), False)


def steps(unit: Unit, path: Path, chosen: list[str]) -> list[str]:
    files = "" if unit.path.name in DEFAULTS else f"-f {unit.path.name} -f {path.name} "
    return [f"cd {unit.path.parent} && docker compose {files}up -d {' '.join(chosen)}"]


def take_back(unit: Unit) -> Guarding:
    path, folder = override(unit), unit.path.parent / FOLDER
    done = Guarding()
    before = read(path)
    if before is not None and HEADER.match(before):
        done.wanted.append(Wanted(path, before, None))
    guard, ignored = read(folder / "guard.cjs"), read(folder / "memory" / ".gitignore")
    if guard is not None and (guard_identity(guard) or ("", False))[1]:
        done.wanted.append(Wanted(folder / "guard.cjs", guard, None))
    if ignored == IGNORED:
        done.wanted.append(Wanted(folder / "memory" / ".gitignore", ignored, None))
    if done.wanted:
        done.next += [f"cd {unit.path.parent} && docker compose up -d"]
    return done


def is_of_service(unit: Unit) -> bool:
    """Whether ``skillgen service`` has put it there."""
    return HEADER.match(read(override(unit)) or b"") is None


def found(unit: Unit) -> str | None:
    header = MARK.search(read(override(unit)) or b"")
    return header[1].decode() if header else None
