"""systemd: a drop-in beside the unit (systemd.unit(5)); the unit itself stays as it is."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modify.units.managers import systemd
from modify.units.model import UnitText
from modify.units.started_program import split
from skill import __version__
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import values
from skill.guard.files import Wanted, read
from skill.guard.unit import Guarding, Unit

NAME = "50-skillgen-guard.conf"
HEADER = re.compile(rb"\A# Guard by skillgen (\S+): ")
MARK = re.compile(rb"^# Guard by skillgen (\S+): ", re.M)
"""The line above the guard's settings, in any drop-in of skillgen's."""
OTHER = "50-skillgen-restart.conf"
"""The drop-in of ``skillgen service``, which may carry the guard as well."""
VENDOR = (Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
LOCAL = Path("/etc/systemd/system")
HIDDEN = ("/home", "/root", "/run/user")
"""The folders that ``ProtectHome=yes`` and ``tmpfs`` hide."""
SYSTEM_WIDE = Path("/usr/local/lib/skillgen/guard.cjs")


def drop_in(unit: Unit) -> Path:
    folder = LOCAL if unit.path.parent in VENDOR else unit.path.parent
    return folder / f"{unit.path.name}.d" / NAME


def is_of_system(unit: Unit) -> bool:
    """Whether the system's manager runs it, perhaps for another user."""
    parsed = systemd.parse(unit.text)
    wanted = " ".join(item.value for item in parsed.all("Install", "WantedBy", "RequiredBy"))
    where = str(unit.path)
    if re.search(r"/systemd/user/", where):
        return False
    return (
        "/systemd/system/" in where
        or "multi-user.target" in wanted
        or bool(parsed.last("Service", "User", "DynamicUser"))
    )


def default_guard(unit: Unit, personal: Path) -> Path:
    """A place that the service's user can read: /home may be closed to it, or hidden."""
    return SYSTEM_WIDE if is_of_system(unit) or is_hidden(unit, personal) else personal


def program_words(unit: Unit) -> list[str]:
    command = systemd.parse(unit.text).command
    return split(command.value.lstrip("-@:+!|")) if command else []


def search_path(unit: Unit) -> str | None:
    return variables(unit).get("PATH")


@dataclass(frozen=True)
class Settings:
    """The lines of [Service] that load the guard; or, in ``todo``, what stands against them."""

    lines: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()


Layers = Sequence[tuple[Path, systemd.SystemdUnit]]
"""A unit's files in the order in which systemd reads them, skillgen's own left out."""


def make(unit: Unit, guard: Path) -> Guarding:
    done = Guarding()
    if MARK.search(read(drop_in(unit).with_name(OTHER)) or b""):
        return done  # by ``skillgen service``, in the drop-in that is read last
    found = settings(unit, guard, list(others(unit)), NAME)
    if found.todo:
        done.todo += found.todo
        return done
    lines = [
        f"# Guard by skillgen {__version__}: the bot connects no more often than is safe.",
        f"# Take it back with: skillgen guard --remove --unit {quoted(unit.path.name)}",
        "[Service]",
        *found.lines,
    ]
    path = drop_in(unit)
    held = read(path)
    if held is not None and not HEADER.match(held):
        raise SkillgenError(f"{path}: is not skillgen's own; move it away first")
    done.wanted.append(Wanted(path, held, ("\n".join(lines) + "\n").encode()))
    done.next += steps(unit, path)
    return done


def settings(unit: Unit, guard: Path, layers: Layers, name: str) -> Settings:
    """What a drop-in of that name has to set. Raises SkillgenError where no setting can help."""
    parsed = systemd.parse(unit.text)
    require_readable(unit, guard)
    blocked = set_elsewhere(layers, guard, name)
    if blocked:
        return Settings(todo=tuple(blocked))
    known = variables_in(layers, name)
    folder = state_folder(parsed, unit.path.name)
    memory = unit.memory_in("") if unit.memory else f"%S/{folder}"
    options = values.with_guard(known.get(values.NODE_OPTIONS, ""), str(guard))
    lines = [values.systemd_assignment(values.NODE_OPTIONS, options)]
    if any(re.search(r"\bbun[x\d.]*$", word) for word in program_words(unit)):
        before = known.get(values.BUN_OPTIONS, "")
        value = f"{before} {values.bun_option(str(guard))}".strip()
        lines.append(values.systemd_assignment(values.BUN_OPTIONS, value))
    if unit.memory:
        lines.append(values.systemd_assignment(values.MEMORY, memory))
    else:
        # %S is a specifier, which quoting must leave alone.
        lines.append(f'Environment="{values.MEMORY}={memory}"')
        if parsed.last("Service", "StateDirectory") is None:
            lines.append(f"StateDirectory={folder}")
    return Settings(tuple(lines))


def state_folder(parsed: systemd.SystemdUnit, name: str) -> str:
    """A folder that systemd makes for the service's user, whoever that is."""
    known = parsed.last("Service", "StateDirectory")
    if known is not None:
        return f"{known.value.split()[0].partition(':')[0]}/whatsapp-reconnect"
    plain = re.sub(r"[^\w.-]+", "-", name.removesuffix(".service"))
    return f"whatsapp-reconnect/{plain}"


def steps(unit: Unit, path: Path) -> list[str]:
    name = unit.path.name
    manager = "sudo systemctl" if is_of_system(unit) else "systemctl --user"
    if "systemd" not in path.parts:
        place = "/etc/systemd/system" if is_of_system(unit) else "~/.config/systemd/user"
        sudo = "sudo " if is_of_system(unit) else ""
        copy = f"{sudo}cp -R {path.parent} {place}/"
        return [copy, f"{manager} daemon-reload", f"{manager} restart {name}"]
    return [f"{manager} daemon-reload", f"{manager} restart {name}"]


def take_back(unit: Unit) -> Guarding:
    path = drop_in(unit)
    before = read(path)
    done = Guarding()
    if before is not None and HEADER.match(before):
        done.wanted.append(Wanted(path, before, None))
        done.next += steps(unit, path)[-2:]
    return done


def found(unit: Unit) -> str | None:
    """The version in the drop-in, if there is one."""
    header = HEADER.match(read(drop_in(unit)) or b"")
    header = header or MARK.search(read(drop_in(unit).with_name(OTHER)) or b"")
    return header[1].decode() if header else None


def is_of_service(unit: Unit) -> bool:
    """Whether ``skillgen service`` has put it there."""
    return HEADER.match(read(drop_in(unit)) or b"") is None


def others(unit: Unit) -> Iterator[tuple[Path, systemd.SystemdUnit]]:
    """The unit and its drop-ins but ours, in the order in which systemd reads them."""
    yield unit.path, systemd.parse(unit.text)
    for path in sorted(drop_in(unit).parent.glob("*.conf")):
        if path.name == NAME or path.is_symlink():
            continue
        content = read(path) or b""
        yield path, systemd.parse(UnitText(str(path), content, 0, len(content), "systemd"))


def variables(unit: Unit) -> dict[str, str]:
    """The variables that the unit's ``Environment=`` sets before our drop-in is read."""
    return variables_in(list(others(unit)), NAME)


def variables_in(layers: Layers, name: str) -> dict[str, str]:
    """The same before a drop-in of that name."""
    found: dict[str, str] = {}
    for path, parsed in layers:
        if path != layers[0][0] and path.name > name:
            continue
        for item in parsed.all("Service", "Environment"):
            # An empty one takes the earlier ones back.
            found = {**found, **values.systemd_variables(item.value)} if item.value else {}
    return found


def set_elsewhere(layers: Layers, guard: Path, name: str) -> list[str]:
    """Instructions where a file that overrides our drop-in sets NODE_OPTIONS; else []."""
    for path, parsed in layers[1:]:
        if path.name > name:
            for item in parsed.all("Service", "Environment"):
                value = values.systemd_variables(item.value).get(values.NODE_OPTIONS)
                if value is not None:
                    line = values.systemd_assignment(
                        values.NODE_OPTIONS, values.with_guard(value, str(guard))
                    )
                    return [f"{path}: is read after the guard's drop-in; put there: {line}"]
    for _, parsed in layers:
        for item in parsed.all("Service", "EnvironmentFile"):
            value = in_file(item.value)
            if value is not None and values.node_option(str(guard)) not in value.split():
                line = values.env_file_line(values.with_guard(value, str(guard)))
                return [
                    f"{item.value.lstrip('-')}: sets NODE_OPTIONS and wins over any drop-in; "
                    f"put there: {line}, then run the command again"
                ]
    return []


def in_file(value: str) -> str | None:
    """NODE_OPTIONS of an environment file, as far as it can be read here."""
    name = value.lstrip("-").strip("\"'")
    name = name.replace("%h", os.path.expanduser("~")).replace("%%", "%")
    try:
        text = Path(name).read_text("utf-8", "replace") if name.startswith("/") else ""
    except OSError:
        return None
    return values.env_file_variables(text).get(values.NODE_OPTIONS)


def is_hidden(unit: Unit, guard: Path) -> bool:
    protect = systemd.parse(unit.text).last("Service", "ProtectHome")
    hides = protect is not None and protect.value.lower() in ("yes", "true", "1", "on", "tmpfs")
    return hides and str(guard).startswith(tuple(f"{folder}/" for folder in HIDDEN))


def require_readable(unit: Unit, guard: Path) -> None:
    """Raises SkillgenError where the service could not read the guard: Node would not start."""
    advice = f"name another place: --guard-file {SYSTEM_WIDE}"
    if is_hidden(unit, guard):
        raise SkillgenError(f"{guard}: ProtectHome= hides it from the service; {advice}")
    parsed = systemd.parse(unit.text)
    for item in parsed.all("Service", "InaccessiblePaths", "TemporaryFileSystem"):
        for word in item.value.split():
            hidden = word.lstrip("-+").partition(":")[0].rstrip("/") or "/"
            if hidden != "/" and guard.is_relative_to(hidden):
                raise SkillgenError(f"{guard}: {item.name}= hides it from the service; {advice}")
    user = parsed.last("Service", "User")
    dynamic = parsed.last("Service", "DynamicUser")
    if (user is None or user.value in ("root", "0")) and dynamic is None:
        return
    for folder in guard.parents:
        try:
            is_open = folder.stat().st_mode & stat.S_IXOTH
        except OSError:
            continue
        if not is_open:
            who = user.value if user else "the service's user"
            raise SkillgenError(f"{guard}: {who} cannot pass through {folder}; {advice}")
