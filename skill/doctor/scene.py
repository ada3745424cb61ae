"""What the doctor looks at: each thing once, and only when a question asks for it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from skill import transaction
from skill.commands.added import added_modules
from skill.commands.shell import quoted
from skill.doctor import own_memory
from skill.doctor.logs import Log, logs_of
from skill.doctor.own_memory import Kept
from skill.doctor.running import Running, running_of
from skill.guard.reach import is_out_of_reach
from skill.host import Host
from skill.options import Options
from skill.package_json import package_at
from skill.plan import Plan, make_plan
from skill.report.next_steps import built_at, package_manager, stale_build
from skill.report.unit_writers import linking_command
from skill.service.look import look
from skill.service.model import Look, Service
from skill.service.tools import Tools

SLACK = 2
"""Seconds: the kernel's count of a process's start, and the file system's clock."""
LOOSE = ("process", "script")
"""Kinds that no manager keeps."""


@dataclass
class Scene:
    """A host and the machine that it runs on, as they are now."""

    host: Host
    tools: Tools
    options: Options = field(default_factory=Options)
    now: float = field(default_factory=time.time)

    @cached_property
    def _looked(self) -> tuple[list[Service], list[Look]]:
        return look(self.host, self.tools)

    @property
    def looks(self) -> list[Look]:
        return self._looked[1]

    @cached_property
    def services(self) -> list[Service]:
        """What starts the bot here, or may; not what runs beside it."""
        return [each for each in self._looked[0] if each.started.kind != "side"]

    @cached_property
    def bots(self) -> list[Service]:
        """The services that start the bot and that a manager has."""
        managed = (each for each in self.services if each.kind not in LOOSE)
        return [each for each in managed if each.started.is_host and each.is_installed]

    @cached_property
    def plan(self) -> Plan:
        """What ``check`` sees. Raises SkillgenError."""
        return make_plan(self.host, self.options)

    @cached_property
    def modules(self) -> list[dict[str, Any]]:
        return added_modules(self.host)

    @cached_property
    def record(self) -> transaction.Applied | None:
        return transaction.applied(self.host.root)

    @cached_property
    def stale(self) -> str | None:
        return stale_build(self.host)

    @cached_property
    def running(self) -> list[Running]:
        return running_of(self.host)

    @cached_property
    def logs(self) -> list[Log]:
        return logs_of(self.host, self.tools, self.services, self.running, self.now)

    @cached_property
    def memories(self) -> list[Kept]:
        where = (self.host, self.services, self.running, self.logs, self.now)
        return own_memory.memories_of(*where)

    @property
    def is_guarded(self) -> bool:
        """Whether everything that starts the bot loads the guard, and that holds its dials."""
        if is_out_of_reach(self.host):
            return False
        managed = [each for each in self.services if each.kind not in LOOSE and each.is_installed]
        names = {each.name for each in managed}
        loose = [each for each in self.running if each.unit not in names]
        found = [each.is_guarded for each in managed] + [bool(each.is_guarded) for each in loose]
        return bool(found) and all(found)

    @cached_property
    def is_bounded(self) -> bool:
        """Whether the code that bounds attempts is in force, and in each process that runs."""
        if self.is_guarded:
            return True
        return (
            bool(self.modules) and not self.stale and not any(map(self.is_of_before, self.running))
        )

    @cached_property
    def bounded_since(self) -> float:
        """Since when it is: what a log tells of before were dials. Infinite where it is not."""
        if not self.is_bounded:
            return float("inf")
        if self.is_guarded:
            paths = [path for each in self.services for path in (each.path, *each.more) if path]
            return newest(paths)
        root = self.host.root
        applied = newest([root / each["path"] for each in self.modules])
        # A later build may have been made of it anew: what it remembers is of its own time.
        known = [at for each in self.memories for at in each.attempts()]
        return max(applied, min([self.built or applied, *known]))

    @property
    def built(self) -> float | None:
        """When the newest of the built output was written."""
        found = built_at(self.host)
        return found[1] if found else None

    def is_of_before(self, process: Running) -> bool:
        """Whether a process was started before what it runs was built, or added."""
        since = self.built or newest([self.host.root / each["path"] for each in self.modules])
        if process.began is None or process.began + SLACK >= since:
            return False
        return process.pid not in {each.data.get("pid") for each in self.memories}

    @property
    def linking(self) -> tuple[str, ...]:
        """The host's own command that links the bot, to be run in its folder."""
        package = package_at(self.host)
        command = linking_command(self.host, package, package_manager(self.host, package))
        return (self.inside(command),) if command else ()

    @property
    def root(self) -> str:
        """The host's folder as a word of a shell."""
        return quoted(self.host.root)

    def inside(self, command: str) -> str:
        """A command of the host's own, to be typed anywhere."""
        return f"cd {self.root} && {command}"


def newest(paths: list[Path]) -> float:
    """When the newest of these files was written; 0 where none is there."""
    times = []
    for path in paths:
        try:
            times.append(os.lstat(path).st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
