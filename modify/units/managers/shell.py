"""Shell scripts that keep the host running in a loop."""

from __future__ import annotations

from functools import partial

from modify.units.bot_project import BotProject
from modify.units.locate.heredoc import resolve
from modify.units.model import UnitText
from modify.units.shell_loops import Loop, loops
from modify.units.started_program import Reader
from modify.units.supervisor import Supervisor


def read(text: UnitText, project: BotProject) -> list[Loop]:
    return list(loops(text, Reader(project, partial(resolve, text.content, text.end)).shell))


def restarts(loop: Loop) -> Supervisor:
    restart = "on-failure" if loop.ends else "always"
    pause = float(loop.seconds or (5 if loop.paces else 0))
    return Supervisor("shell", restart, pause, backoff_s=300.0 if loop.paces else 0.0)
