"""``skillgen service --apply`` and ``--revert``: one plan, shown or carried out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import command as guard_command
from skill.guard import files as guard_files
from skill.host import Host
from skill.options import ServiceOptions
from skill.report.diff import diff_of
from skill.report.printer import Printer
from skill.service.changes import Changes, carry_out, not_writable, take
from skill.service.kinds import BACKS, PLANS
from skill.service.look import look
from skill.service.model import UNKNOWN, Look, Service
from skill.service.tools import Tools

Row = dict[str, Any]


def apply(
    host: Host,
    tools: Tools,
    services: list[Service],
    looks: Sequence[Look],
    choice: ServiceOptions,
) -> Changes:
    """The changes for the services that are meant. Raises SkillgenError."""
    if choice.guard:
        guard_command.require_of_use(host)
    changes = Changes()
    for each in meant(services, looks, choice):
        # Named by a person, it is the bot.
        is_told = bool(choice.units) and each.started.kind == "unknown"
        found = [one for one in each.obstacles if not (is_told and one.startswith(UNKNOWN))]
        if found or each.kind not in PLANS:
            reasons = found or ["skillgen does not change this kind of service"]
            changes.todo += [f"{each.name} ({each.manager}): {reason}" for reason in reasons]
            continue
        changes.add(PLANS[each.kind](host, tools, each, choice))
        changes.todo += [] if is_told else left_over(each)
    return changes


def meant(services: list[Service], looks: Sequence[Look], choice: ServiceOptions) -> list[Service]:
    """The services to change. Raises SkillgenError where it would be a guess."""
    if choice.units:
        return services
    bots = [each for each in services if each.started.is_host]
    names = ", ".join(f"{each.name} ({each.manager})" for each in bots or services)
    if not bots and names:
        raise SkillgenError(
            f"none is sure to start this bot; if one of them does, name it with --unit: {names}"
        )
    if not bots:
        unread = [f"{each.manager}: {each.why}" for each in looks if each.state == "failed"]
        more = f" (not looked at: {'; '.join(unread)})" if unread else ""
        raise SkillgenError(f"no service starts this bot{more}; nothing was written")
    if len(bots) > 1:
        raise SkillgenError(f"several services start this bot; name each with --unit: {names}")
    return bots


def left_over(each: Service) -> list[str]:
    """The findings that are a person's to settle."""
    return [
        f"{found.path}:{found.line}: {found.rule}: {found.message}: {found.reason}"
        for found in each.findings
        if found.is_hand_off
    ]


def revert(host: Host, tools: Tools, choice: ServiceOptions) -> Changes:
    """The changes that take back what ``--apply`` wrote."""
    changes = Changes()
    for take_back in BACKS:
        changes.add(take_back(host, tools, choice.units))
    return changes


def carry(
    host: Host,
    tools: Tools,
    changes: Changes,
    row: Row,
    choice: ServiceOptions,
    printer: Printer,
    as_text: bool,
) -> int:
    """Show the changes or carry them out: the exit status. Raises SkillgenError."""
    changed = changes.changed
    if choice.dry_run:
        if as_text and changed:
            printer.diff(diff_of(guard_files.as_change(item, host.root) for item in changed))
    elif changed or changes.forget:
        require_possible(host, changes, row, printer, as_text)
        for unit, place in changes.guards:
            guard_files.install_guard(place, dry_run=False)
            guard_command.prove(unit, row, place, guard_command.of_kind(unit))
        carry_out(host.root, tools, changes)
        row["written"] = bool(changed)
        changes.todo += read_back(host, tools, changes) if choice.apply else []
    if choice.restart:
        restart(tools, changes, row)
    row["changes"] = [str(item.path) for item in changed]
    row.update(todo=changes.todo, notes=changes.notes, next=changes.next)
    if as_text:
        show(changes, row, choice, printer)
    return 1 if changes.todo else 0


def require_possible(
    host: Host, changes: Changes, row: Row, printer: Printer, as_text: bool
) -> None:
    """Raises SkillgenError, with the commands printed, where only half of it could be done."""
    places = [item.path for item in changes.changed]
    blocked = not_writable([*places, *(place for _, place in changes.guards)])
    if blocked is None and not changes.unasked:
        return
    commands = [line for _, place in changes.guards for line in guard_by_hand(host, place)]
    commands += changes.by_hand
    row.update(todo=changes.todo, next=commands)
    if as_text:
        printer.out("These commands do it:")
        printer.lines(commands)
    reason = changes.unasked
    if blocked is not None:
        reason = f"{blocked}: this user has no right to write there"
    raise SkillgenError(f"{reason}; nothing was written, the commands above do it")


def guard_by_hand(host: Host, place: Path) -> list[str]:
    """The commands that put the guard where this user may not write."""
    own = guard_command.default_guard()
    commands = [f"skillgen guard {quoted(host.root)}"]
    if place != own:
        commands.append(f"sudo install -D -m 644 {quoted(own)} {quoted(place)}")
    return commands


def read_back(host: Host, tools: Tools, changes: Changes) -> list[str]:
    """What is still wrong once the manager has read the files again, but for what is known."""
    known = " ".join(changes.todo)
    written = {item.path for item in changes.changed}
    services, _ = look(Host(host.root), tools)
    return [
        f"{found.path}:{found.line}: {found.rule} is still in force: {found.message}"
        for each in services
        if written & {each.path, *each.more}
        for found in each.findings
        if found.fix is not None and f"{found.path}:{found.line}:" not in known
    ]


def restart(tools: Tools, changes: Changes, row: Row) -> None:
    """Start the services anew. Raises SkillgenError where one does not start."""
    for each in changes.restart:
        for step in each.steps:
            take(tools, step)
        row["restarted"].append(each.name)
    changes.next = []


def show(changes: Changes, row: Row, choice: ServiceOptions, printer: Printer) -> None:
    safe = printer.safe
    if not printer.quiet:
        if row["proof"]:
            printer.out(safe(row["proof"]))
        for item in changes.changed:
            verb = "removed" if item.after is None else "changed" if item.before else "added"
            printer.out(f"{'would be ' if choice.dry_run else ''}{verb}: {safe(str(item.path))}")
        for name in row["restarted"]:
            printer.out(f"restarted: {safe(name)}")
        if not changes.changed and not changes.todo and not row["restarted"] and not row["next"]:
            printer.out(
                "nothing to take back" if choice.revert else "nothing to do: it is right already"
            )
        printer.lines(f"note: {safe(line)}" for line in changes.notes)
    printer.lines(f"to do: {safe(line)}" for line in changes.todo)
    if row["next"] and not choice.dry_run and not printer.quiet:
        printer.out("\nNext:")
        printer.lines(f"  {safe(line)}" for line in row["next"])
