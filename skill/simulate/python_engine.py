"""Python channels in ``simulate``: what ``skill.storm.python`` runs, and says it cannot run.

It has scenarios of its own: a bridge link dials the bot's own bridge, whatsmeow dials by
itself; the promises for them differ (``skill.storm.python.scenarios``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from skill.host import Host
from skill.simulate.channels import HostChannel
from skill.storm.fence import Fence
from skill.storm.outcome import Outcome
from skill.storm.python.scenarios import TABLES, PythonScenario
from skill.storm.scenarios import Scenario
from skill.storm.supervisor import Supervisor


def channels(host: Host) -> list[HostChannel]:
    """The Python channels of the host; those that cannot be run say why in ``cannot``."""
    from skill.storm.python.discover import discover  # libcst: only for a host that has some

    return [
        HostChannel(one.path, one.line, "python", cannot=one.cannot, kind=one.way, name=one.label)
        for one in discover(host)
    ]


def scenarios(kind: str = "") -> tuple[Scenario, ...]:
    """Those of one kind of channel (``bridge``, ``neonize``), or of all."""
    tables = [table for way, table in TABLES.items() if kind in ("", way)]
    return tuple({one.id: one for table in tables for one in table}.values())


def run(
    root: Path,
    channel: HostChannel,
    rules: Supervisor,
    wanted: Sequence[Scenario],
    fence: Fence,
) -> list[Outcome]:
    """Raises StormError when the channel is not found in ``root`` or cannot be started."""
    from skill.storm.python.discover import discover
    from skill.storm.python.run import simulate_python

    same = [one for one in discover(Host(root)) if one.path == channel.path]
    named = [one for one in same if one.label == channel.name] or same
    outcomes = simulate_python(
        root,
        named[0] if named else channel.path,
        supervisor=rules,
        scenarios=[one for one in wanted if isinstance(one, PythonScenario)],
        workers=os.cpu_count() or 1,
        fence=fence,
    )
    return list(outcomes)
