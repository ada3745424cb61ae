"""Installed units beside the source, by their files alone: a line of ``check`` and ``status``.

No manager is asked, and only folders are read in which people install units, so that a machine
without any (a build server for one) pays nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modify.units.bot_project import BotProject
from modify.units.codemod import read_units
from modify.units.locate import unit_texts
from modify.units.process_managers import faults_of
from skill.commands.shell import quoted
from skill.host import Host, fact
from skill.options import Options
from skill.service import launchd, systemd
from skill.service.model import Service
from skill.service.tools import Tools
from skill.service.units import installed, user_folders

OF_SYSTEM = (Path("/etc/systemd/system"), Path("/etc/systemd/user"))
KINDS = ("systemd", "launchd")
NOT_ASKED = "not asked"
LARGEST = 100_000


class NoTools(Tools):
    """Asks no program of this machine."""

    def find(self, name: str) -> str | None:
        return None


@dataclass(frozen=True)
class Sourced:
    """A unit of the host's own source that starts the bot, and the rules that it breaks."""

    kind: str
    path: str
    rules: frozenset[str]


@fact
def sourced(host: Host) -> tuple[Sourced, ...]:
    texts = [
        text
        for text in unit_texts(host)
        if text.kind in KINDS and not text.in_test and text.form != "document"
    ]
    return tuple(
        Sourced(
            seen.unit.text.kind,
            seen.unit.text.path,
            frozenset(sight.finding.rule for sight in faults_of(seen.unit, Options())),
        )
        for seen in read_units(BotProject(host), texts)
        if seen.started.is_host
    )


def beside_source(host: Host, service: Service) -> str:
    """The file of the source that says better than what is installed, or nothing."""
    for own in sourced(host):
        if own.kind == service.kind and any(
            finding.rule not in own.rules for finding in service.findings
        ):
            return own.path
    return ""


def differing(host: Host) -> list[str]:
    """One line for each installed unit of this bot that is not what the source says."""
    lines = []
    for service in of_files(host):
        if not service.findings or not service.started.is_host:
            continue
        source = beside_source(host, service)
        own = [each for each in sourced(host) if each.kind == service.kind]
        if own and not source:
            continue  # the source breaks the same rules, and that is what check lists
        first = min(service.findings, key=lambda each: (each.path, each.line))
        where = f"{first.path}:{first.line}: {first.message}"
        says = f"the installed unit is not what the source says ({source})"
        lines.append(
            f"{says if source else 'the installed unit restarts the bot forever'}: {where}; "
            f"skillgen doctor {quoted(host.root)}"
        )
    return lines


def of_files(host: Host) -> Iterator[Service]:
    for name, path in installed([*user_folders()[:3], *OF_SYSTEM]):
        is_user = "user" in path.parts[-2:]
        if names(path, host):
            manager = systemd.Manager(is_user)
            service = systemd.of_file(host, manager, name, path, NOT_ASKED)
            if service is not None:
                yield service
    tools = NoTools(host.root)
    for folder in (*launchd.AGENTS, *launchd.DAEMONS):
        place = Path(os.path.expanduser(folder))  # stays as it is where no home is known
        for path in sorted(place.glob("*.plist")) if place.is_absolute() else ():
            service = launchd.of_file(host, tools, path, False) if names(path, host) else None
            if service is not None:
                yield service


def names(path: Path, host: Host) -> bool:
    """Whether a unit's file names the folder of the host: cheap, before it is read as a unit."""
    try:
        with path.open("rb") as stream:
            return host.root.name.encode("utf-8", "surrogateescape") in stream.read(LARGEST)
    except OSError:
        return False
