"""Python channels: what ``skill.storm.python`` can run, where that engine is there.

It has scenarios of its own: a bridge link dials the bot's own bridge, whatsmeow dials by
itself; the promises for them differ (``skill.storm.python.scenarios``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from skill.host import Host
from skill.options import Options
from skill.simulate.channels import HostChannel
from skill.storm.run import Outcome
from skill.storm.scenarios import Scenario
from skill.storm.supervisor import Supervisor

MISSING = "this skillgen has no engine for Python channels"


def is_there() -> bool:
    return find_spec("skill.storm.python") is not None


def channels(host: Host) -> list[HostChannel]:
    """The Python channels of the host; those that cannot be run say why in ``cannot``."""
    if not is_there():
        from modify import python

        paths = python.marked(host, Options())
        return [HostChannel(path, 1, "python", cannot=MISSING) for path in paths]
    found = _part("discover").discover(host)
    return [
        HostChannel(one.path, one.line, "python", cannot=one.cannot, kind=one.way, name=one.label)
        for one in found
    ]


def scenarios(kind: str = "") -> tuple[Scenario, ...]:
    """Those of one kind of channel (``bridge``, ``neonize``), or of all."""
    if not is_there():
        return ()
    tables: dict[str, tuple[Scenario, ...]] = _part("scenarios").TABLES
    if kind:
        return tables[kind]
    return tuple({one.id: one for table in tables.values() for one in table}.values())


def run(
    root: Path, channel: HostChannel, rules: Supervisor, wanted: Sequence[Scenario]
) -> list[Outcome]:
    """Raises StormError when the channel is not found in ``root`` or cannot be started."""
    same = [one for one in _part("discover").discover(Host(root)) if one.path == channel.path]
    named = [one for one in same if one.label == channel.name] or same
    outcomes: list[Outcome] = _part("run").simulate_python(
        root,
        named[0] if named else channel.path,
        supervisor=rules,
        scenarios=list(wanted),
        workers=os.cpu_count() or 1,
    )
    return outcomes


def _part(name: str) -> Any:
    return import_module(f"skill.storm.python.{name}")
