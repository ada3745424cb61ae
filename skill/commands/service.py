"""``skillgen service``: what starts a bot on this machine, and how it is made safe there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.host import Host
from skill.options import ServiceOptions
from skill.report.printer import Printer
from skill.service import show, write
from skill.service.look import look
from skill.service.model import Look, Service, as_data
from skill.service.tools import Tools

Row = dict[str, Any]


def service(host: Host, row: Row, choice: ServiceOptions, printer: Printer, as_text: bool) -> int:
    """Carry it out on one host: the exit status. Raises SkillgenError."""
    row.update(services=[], looked=[], proof=None, changes=[], written=False)
    row.update(restarted=[], next=[], todo=[], notes=[])
    tools = Tools(host.root)
    if choice.revert:
        changes = write.revert(host, tools, choice)
        return write.carry(host, tools, changes, row, choice, printer, as_text)
    with printer.working("looking at what runs here"):
        services, looks = look(host, tools)
    row["looked"] = [asdict(each) for each in looks]
    row["services"] = [as_data(each) for each in services]
    chosen = chosen_of(services, choice)
    if choice.apply:
        changes = write.apply(host, tools, chosen, looks, choice)
        return write.carry(host, tools, changes, row, choice, printer, as_text)
    require_seen(chosen, looks)
    if as_text:
        show_services(services if printer.verbose else chosen, looks, printer, host)
    return 1 if any(each.findings for each in chosen) else 0


def chosen_of(services: list[Service], choice: ServiceOptions) -> list[Service]:
    """The services that are meant. Raises SkillgenError for a name that none has."""
    seen = [each for each in services if each.started.kind != "side"]
    for name in choice.units:
        if not any(is_named(each, name) for each in services):
            names = ", ".join(each.name for each in seen) or "none"
            raise SkillgenError(f"{name}: is not a service of this bot; these are: {names}")
    if not choice.units:
        return seen
    return [each for each in services if any(is_named(each, name) for name in choice.units)]


def is_named(each: Service, name: str) -> bool:
    return name in (each.name, each.name.removesuffix(".service"))


def require_seen(services: Sequence[Service], looks: Sequence[Look]) -> None:
    """Raises SkillgenError where nothing was seen and not everything could be looked at."""
    blind = [each for each in looks if each.state == "failed"]
    if not any(each.state == "looked" for each in looks):
        blind = list(looks)
    if blind and not services:
        reasons = "; ".join(f"{each.manager}: {each.why}" for each in blind)
        raise SkillgenError(f"no service of this bot was found; not looked at: {reasons}")


def show_services(
    services: Sequence[Service], looks: Sequence[Look], printer: Printer, host: Host
) -> None:
    for each in services:
        printer.lines(show.service_lines(each, printer.paint, printer.quiet))
        if not printer.quiet and not each.findings:
            printer.out("")
    if printer.quiet:
        return
    printer.lines(show.look_lines(looks, printer.verbose))
    line = show.summary(services)
    if any(found.fix for each in services for found in each.findings):
        line += f"; made right by: skillgen service {quoted(host.root)} --apply"
    printer.out(line)
