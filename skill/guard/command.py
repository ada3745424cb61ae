"""``skillgen guard``: puts the guard where a bot's supervisor, or a command, loads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from modify.units.locate import unit_texts
from skill import __version__
from skill.commands.added import added_modules
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import files, node, values
from skill.guard.reach import require_in_reach
from skill.guard.render import guard_identity
from skill.guard.unit import KINDS, Guarding, Unit, open_unit
from skill.host import Host
from skill.options import GuardOptions
from skill.report.diff import diff_of
from skill.report.printer import Printer

Row = dict[str, Any]
PLACES = (
    ("~/.config/systemd/user", "*.service"),
    ("/etc/systemd/user", "*.service"),
    ("/etc/systemd/system", "*.service"),
    ("~/Library/LaunchAgents", "*.plist"),
    ("/Library/LaunchDaemons", "*.plist"),
)
"""Where units are installed."""
# Which nothing here can start.
IN_CONTAINER = (
    "not proven: the container's own Node loads it; see the first line of "
    "docker compose exec SERVICE env SKILLGEN_GUARD_REPORT=1 node -e 0"
)


def default_guard() -> Path:
    """A path without a version: an upgrade replaces the file, and no unit has to change."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    if data.startswith("~"):
        raise SkillgenError("no home folder is known; name another place: --guard-file PATH")
    return Path(data).absolute() / "skillgen" / "guard.cjs"


def guard(host: Host, row: Row, choice: GuardOptions, printer: Printer, as_text: bool) -> int:
    """Carry it out on one host: the exit status."""
    row.update(guard=None, proof=None, changes=[], next=[], todo=[], notes=[], written=False)
    if choice.command:
        return run_command(host, choice, printer)
    if not choice.units:
        if choice.remove:
            raise SkillgenError("name what to take back with --unit FILE")
        return install_only(host, row, choice, printer, as_text)
    units = [open_unit(path, host, choice.service, choice.memory) for path in choice.units]
    done = Guarding()
    for unit in units:
        found = remove(unit) if choice.remove else add(unit, row, choice)
        for name in ("wanted", "notes", "next", "todo"):
            seen = getattr(done, name)
            seen += [item for item in getattr(found, name) if item not in seen]
    changed = [item for item in done.wanted if item.before != item.after]
    if not choice.dry_run:
        files.write(host.root, changed)
    row.update(
        changes=[str(item.path) for item in changed],
        written=bool(changed) and not choice.dry_run,
        next=done.next if changed else [],
        todo=done.todo,
        notes=done.notes if changed else [],
    )
    if as_text:
        show(host, row, changed, choice, printer)
    return 1 if done.todo else 0


def of_kind(unit: Unit) -> ModuleType:
    return import_module(f"skill.guard.{unit.kind}")


def add(unit: Unit, row: Row, choice: GuardOptions) -> Guarding:
    """Install the guard, check that it loads, and only then return the changes of the unit."""
    require_of_use(unit.host)
    kind = of_kind(unit)
    place = choice.guard_file.absolute() if choice.guard_file else default_guard()
    if choice.guard_file is None and hasattr(kind, "default_guard"):
        place = kind.default_guard(unit, place)
    done: Guarding = kind.make(unit, place)
    if unit.kind == "compose":
        row["guard"] = str(unit.path.parent / kind.FOLDER / "guard.cjs")
        if not done.todo or done.wanted:
            row["proof"] = IN_CONTAINER
        return done
    row["guard"] = str(place)
    if done.wanted and not choice.dry_run:
        files.install_guard(place, dry_run=False)
        prove(unit, row, place, kind)
    return done


def remove(unit: Unit) -> Guarding:
    """The guard's own file stays: other units may load it, and Node ends where it is missing."""
    return of_kind(unit).take_back(unit)  # type: ignore[no-any-return]


def require_of_use(host: Host) -> None:
    """Raises SkillgenError where a guard would hold nothing, or be the second gate.

    Two gates would count each attempt twice.
    """
    require_in_reach(host)
    modules = added_modules(host)
    if modules:
        path = modules[0]["path"]
        raise SkillgenError(
            f"{path}: this bot is patched in its source and needs no guard; "
            "for the guard instead, first: skillgen revert"
        )


def prove(unit: Unit, row: Row, place: Path, kind: ModuleType) -> None:
    words = kind.program_words(unit)
    program = node.find_program(words, unit.host.root, kind.search_path(unit))
    if program is None:
        row["proof"] = "not proven: no node is found here; --require needs Node 16 or later"
        return
    row["proof"] = node.prove(program, place).text


def install_only(
    host: Host, row: Row, choice: GuardOptions, printer: Printer, as_text: bool
) -> int:
    """The guard without a unit: where it lies, and what to do with it."""
    require_of_use(host)
    place = choice.guard_file.absolute() if choice.guard_file else default_guard()
    state = files.install_guard(place, choice.dry_run)
    row.update(guard=str(place), written=state != "is there" and not choice.dry_run)
    if not choice.dry_run:
        program = node.find_program([], host.root)
        row["proof"] = node.prove(program, place).text if program else "not proven: no node here"
    units = [str(host.root / text.path) for text in unit_files(host)]
    root = quoted(host.root)
    row["next"] = [f"skillgen guard {root} --unit {quoted(path)}" for path in units] or [
        f"skillgen guard {root} --unit FILE",
        f"skillgen guard {root} -- npm start",
    ]
    if as_text:
        printer.out(f"guard {__version__} {state}: {printer.safe(str(place))}")
        show(host, row, [], choice, printer)
    return 0


def unit_files(host: Host) -> list[Any]:
    """The unit files of the host itself."""
    return [
        text
        for text in unit_texts(host)
        if text.form == "file"
        and text.kind in KINDS
        and not text.in_test
        and ".service.d/" not in text.path
    ]


def guarded(host: Host) -> list[dict[str, str]]:
    """The bot's units that load the guard, here and where units are installed.

    path and version of each, and the command that takes the guard back.
    """
    seen = []
    for path in [*(text.path for text in unit_files(host)), *installed(host)]:
        unit = open_unit(host.root / path, host, None, None)
        version = of_kind(unit).found(unit)
        if version:
            seen.append({"path": path, "version": version, "undo": undo(unit)})
    return seen


def undo(unit: Unit) -> str:
    root = quoted(unit.host.root)
    kind = of_kind(unit)
    if hasattr(kind, "is_of_service") and kind.is_of_service(unit):
        return f"skillgen service {root} --revert"
    return f"skillgen guard {root} --remove --unit {quoted(unit.path)}"


def installed(host: Host) -> Iterator[str]:
    """The systemd and launchd units outside of the host that name a file in it."""
    for folder, pattern in PLACES:
        place = Path(os.path.expanduser(folder))  # stays as it is where no home is known
        for path in sorted(place.glob(pattern)) if place.is_absolute() else ():
            try:
                content = b"" if path.is_symlink() else path.read_bytes()
            except OSError:
                continue
            if str(host.root).encode() in content and not path.is_relative_to(host.root):
                yield str(path)


def run_command(host: Host, choice: GuardOptions, printer: Printer) -> int:
    """Become the command, with the guard in its environment; a dry run shows that."""
    require_of_use(host)
    place = choice.guard_file.absolute() if choice.guard_file else default_guard()
    environment = dict(os.environ)
    options = environment.get(values.NODE_OPTIONS, "")
    environment[values.NODE_OPTIONS] = values.with_guard(options, str(place))
    if " " not in str(place):
        more = f"{environment.get(values.BUN_OPTIONS, '')} {values.bun_option(str(place))}"
        environment[values.BUN_OPTIONS] = more.strip()
    memory = choice.memory or str(host.root / ".whatsapp-reconnect")
    environment.setdefault(values.MEMORY, str(Path(memory).absolute()))
    if choice.dry_run:
        for name in (values.NODE_OPTIONS, values.BUN_OPTIONS, values.MEMORY):
            printer.out(f"{name}={environment.get(name, '')}")
        return 0
    files.install_guard(place, dry_run=False)
    program = node.find_program(choice.command[:1], host.root)
    if program:
        printer.say(node.prove(program, place).text)
    sys.stdout.flush()
    try:
        os.execvpe(choice.command[0], list(choice.command), environment)
    except OSError as error:
        raise SkillgenError(f"{choice.command[0]}: {error.strerror}") from error


def show(
    host: Host, row: Row, changed: Sequence[files.Wanted], choice: GuardOptions, printer: Printer
) -> None:
    safe = printer.safe
    if choice.dry_run and changed:
        small = [item for item in changed if guard_identity(item.after or b"") is None]
        printer.diff(diff_of(files.as_change(item, host.root) for item in small))
    if printer.quiet:
        printer.lines(safe(line) for line in row["todo"])
        return
    if row["proof"]:
        printer.out(safe(row["proof"]))
    for item in changed:
        done = "would be " if choice.dry_run else ""
        verb = "removed" if item.after is None else "changed" if item.before else "added"
        printer.out(f"{done}{verb}: {safe(str(item.path))}")
    if choice.units and not changed and not row["todo"]:
        printer.out("nothing to take back" if choice.remove else "nothing to do: it is guarded")
    printer.lines(f"note: {safe(line)}" for line in row["notes"])
    printer.lines(f"to do: {line}" for line in row["todo"])
    if row["next"] and not choice.dry_run:
        printer.out("\nNext:")
        printer.lines(f"  {safe(line)}" for line in row["next"])
