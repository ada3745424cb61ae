"""All that has to do with a host on this machine, and what one service means for another."""

from __future__ import annotations

from modify.units.process_managers import unknown
from skill.host import Host
from skill.service.kinds import LOOKS
from skill.service.model import Look, Service
from skill.service.tools import Tools


def look(host: Host, tools: Tools) -> tuple[list[Service], list[Look]]:
    """The services, those that start the bot first, and what could be looked at."""
    services: list[Service] = []
    looks: list[Look] = []
    for ask in LOOKS:
        for found in ask(host, tools):
            if isinstance(found, Look):
                looks.append(found)
            else:
                services.append(found)
    if any(each.started.is_host and each.is_installed for each in services):
        # A compose file that comes with the host and that nobody uses.
        services = [each for each in services if each.is_installed]
    units = {each.name for each in services if each.kind == "systemd"}
    services = [
        each for each in services if each.kind not in ("script", "process") or each.own not in units
    ]
    services.sort(key=lambda each: (not each.started.is_host, each.manager, each.name))
    bots = [each for each in services if each.started.is_host]
    for each in services:
        if each.started.kind == "unknown":
            # Where the bot's own is known, nothing is asked of one that may be another's.
            kept = [] if bots else each.findings
            each.findings = [unknown(found, each.started, "there") for found in kept]
    running = [each for each in bots if each.is_running]
    if len(running) > 1:
        names = ", ".join(f"{each.name} ({each.manager})" for each in running)
        for each in running:
            each.notes.append(f"runs beside others: {names}; they disconnect each other")
    return services, looks
