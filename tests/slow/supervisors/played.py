"""A host whose program ends as it is told, start by start, and what the table makes of that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modify.units.supervisor import Supervisor
from skill.host import Host
from skill.storm.host.units import own_unit
from skill.storm.python.runner.world import Supervisor as Engine
from skill.storm.supervisor import rules
from tests.quick.rules.service_cases.harness import make_host
from tests.slow.baileys.harness import wait

# How long a process lives, in seconds, and its status or the signal that ends it.
End = tuple[float, int | str]

# The first starts end as ENDS says; the one after them goes on.
PROGRAM = """const { appendFileSync, readFileSync } = require('node:fs');
const starts = process.env.BOT_STARTS;
appendFileSync(starts, `${Date.now() / 1000}\\n`);
const ends = JSON.parse(process.env.BOT_ENDS);
const end = ends[readFileSync(starts, 'utf8').trim().split('\\n').length - 1];
if (!end) setInterval(() => {}, 1000);
else setTimeout(() => {
  if (typeof end[1] === 'string') process.kill(process.pid, end[1]);
  else process.exit(end[1]);
}, end[0] * 1000);
"""


def played(own: Supervisor, ends: Sequence[End]) -> list[float]:
    """When the Python engine starts a process that ends so, in seconds."""
    supervisor = Engine(json.loads(json.dumps(rules(own))))
    found: list[float] = []
    now = 0.0
    for life, end in ends:
        if not supervisor.allows(now):
            break
        found.append(now)
        started_at = now
        now += life
        pause = supervisor.next(now, started_at, end)
        if pause is None:
            break
        now += pause
    return found


@dataclass(frozen=True)
class Ending:
    """The host's folder, outside of which its starts are counted."""

    folder: Path
    counted: Path
    ends: Sequence[End]

    @property
    def environment(self) -> dict[str, str]:
        return {"BOT_STARTS": str(self.counted), "BOT_ENDS": json.dumps(self.ends)}

    @property
    def starts(self) -> list[float]:
        lines = self.counted.read_text().split() if self.counted.exists() else []
        return [float(line) for line in lines]

    @property
    def own(self) -> Supervisor:
        """The rules that ``skillgen simulate`` reads in the host's own unit."""
        return own_unit(Host(self.folder)).rules

    @property
    def expected(self) -> list[float]:
        """The start times by the table; after its last end the program goes on."""
        return played(self.own, [*self.ends, (1e9, 0)])


def ending(work: Path, files: dict[str, str | bytes], ends: Sequence[End]) -> Ending:
    folder = work / "bot"
    make_host(folder, {"dist/index.js": PROGRAM, **files})
    return Ending(folder, work / "starts", ends)


def require_as_played(bot: Ending, *, kind: str, patience: float, settled: float) -> None:
    """The real one has started the bot as often as the table says, after no shorter pauses."""
    assert bot.own.kind == kind
    expected = bot.expected
    assert wait(patience, lambda: len(bot.starts) >= len(expected)), (bot.starts, expected)
    assert not wait(settled, lambda: len(bot.starts) > len(expected)), (bot.starts, expected)
    for at in range(1, len(expected)):
        pause = bot.starts[at] - bot.starts[at - 1]
        least = expected[at] - expected[at - 1]
        # Node takes its time to start, the more the busier the machine is.
        assert least - 0.2 <= pause <= least + 5, (bot.starts, expected)
