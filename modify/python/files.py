"""The Python files of one host, one after the other."""

from __future__ import annotations

from modify.bridge.codemod import Bridges
from modify.neonize.codemod import Clients
from modify.neonize.session import sessions
from modify.python.planning import Planning
from skill.errors import UnreadableSource


def examine(plan: Planning, paths: list[str]) -> None:
    """Plan the change of every channel in these files."""
    read = []
    for path in paths:
        try:
            read.append(plan.sources.read(path))
        except UnreadableSource as error:
            plan.unreadable(error)
    started = list(sessions(plan.sources, [source.path for source in read]))
    bridges, clients = Bridges(plan), Clients(plan)
    for source in read:
        if bridges.links(source) and clients.examine(source, started):
            bridges.processes(source)
    plan.finish()
