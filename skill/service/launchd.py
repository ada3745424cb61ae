"""launchd: agents of the user and daemons of the system (launchd.plist(5), launchctl(1)).

A property list is read when it is loaded, and there is no file beside it that counts: so the keys
concerned are edited in it, byte by byte, and nothing is in force before it is loaded again, which
stops the bot. launchd keeps no times of its starts, only how many there were since the loading.
"""

from __future__ import annotations

import os
import plistlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from modify.units.managers import launchd
from modify.units.managers.launchd import LaunchdUnit
from modify.units.model import UnitText
from modify.units.process_managers import faults_of
from skill.commands.shell import quoted
from skill.edit import apply_edits
from skill.errors import SkillgenError
from skill.finding import Finding
from skill.guard import launchd as guard
from skill.guard.command import default_guard
from skill.guard.files import Wanted
from skill.guard.unit import Unit
from skill.host import Host
from skill.options import Options, ServiceOptions
from skill.service import record
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.clean_exit import edits_of, held_back
from skill.service.model import UNKNOWN, Look, Policy, Service, Starts
from skill.service.place import started_here
from skill.service.tools import Answer, Tools

TITLE = "launchd"
AGENTS = ("~/Library/LaunchAgents", "/Library/LaunchAgents")
DAEMONS = ("/Library/LaunchDaemons",)
THROTTLE = 10
"""Seconds between two starts where a list names none."""
HOUR = 3600
LARGEST = 1_000_000
BINARY = b"bplist"
LOADED = re.compile(r"^\s*(state|runs|pid|last exit code|properties) = (.*)$", re.M)
SYSTEM_WIDE = Path("/usr/local/lib/skillgen/guard.cjs")
RELOADED = (
    "launchd reads a property list when it is loaded: until then the bot goes on as it was started"
)


@dataclass(frozen=True)
class Agent:
    """A property list. domain: of launchctl, as it is typed and as it is called."""

    unit: LaunchdUnit
    label: str
    is_daemon: bool

    @property
    def domain(self) -> str:
        return "system" if self.is_daemon else f"gui/{os.getuid()}"

    @property
    def typed(self) -> str:
        return "system" if self.is_daemon else "gui/$(id -u)"

    @property
    def sudo(self) -> str:
        return "sudo " if self.is_daemon else ""


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    found = [(folder, False) for folder in AGENTS] + [(folder, True) for folder in DAEMONS]
    places = [(Path(os.path.expanduser(folder)), is_daemon) for folder, is_daemon in found]
    has_tool = tools.find("launchctl") is not None
    if not has_tool and not any(os.path.isdir(folder) for folder, _ in places):
        yield Look(TITLE, "absent", "no launchctl here")
        return
    yield Look(TITLE, "looked") if has_tool else Look(TITLE, "failed", "no launchctl here")
    for folder, is_daemon in places:
        for path in sorted(folder.glob("*.plist")) if folder.is_absolute() else ():
            service = of_file(host, tools, path, is_daemon)
            if service is not None:
                yield service


def of_file(host: Host, tools: Tools, path: Path, is_daemon: bool) -> Service | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST)
    except OSError:
        return None
    text = UnitText(str(path), content, 0, len(content), "launchd")
    unit = launchd.parse(text)
    if content.startswith(BINARY):
        unit = LaunchdUnit(text, binary(content), {}, "is binary")
    arguments = unit.data.get("ProgramArguments")
    given = arguments if isinstance(arguments, list) else [unit.data.get("Program")]
    words = [word for word in given if isinstance(word, str)]
    folder = unit.data.get("WorkingDirectory")
    started = started_here(words, folder if isinstance(folder, str) else "", host)
    if started is None:
        return None
    label = str(unit.data.get("Label") or path.stem)
    agent = Agent(unit, label, is_daemon)
    service = Service(TITLE, "launchd", label, started, path, own=agent)
    service.policy = policy_of(unit.data)
    service.is_guarded = guard.BLOCK.search(content) is not None
    said = tools.ask("launchctl", "print", f"{agent.domain}/{label}")
    loaded = dict(LOADED.findall(said.out)) if said.is_good else {}
    service.state = state_of(said, loaded)
    runs = loaded.get("runs", "")
    service.starts = Starts(
        restarts=max(0, int(runs) - 1) if runs.isdigit() else None,
        why="launchd keeps no times of its starts",
    )
    if started.kind == "side":
        return service
    found = [replace(sight.finding, path=str(path)) for sight in faults_of(unit, Options())]
    service.findings = held_back(found, host)
    if started.kind == "unknown":
        service.obstacles.append(f"{UNKNOWN}: {started.why}")
    if content.startswith(BINARY):
        service.findings = in_binary(unit, path)
        service.obstacles.append(f"is a binary property list: plutil -convert xml1 {quoted(path)}")
    if path.is_symlink():
        service.obstacles.append(
            f"is a link to {os.path.realpath(path)}: that is the file to change"
        )
    always = "keepalive" in loaded.get("properties", "").split(" | ")
    if always and unit.data.get("KeepAlive") is not True:
        service.notes.append(
            "was loaded while its KeepAlive was true, which is still in force: load it again"
        )
    return service


def binary(content: bytes) -> dict[str, Any]:
    try:
        data = plistlib.loads(content)
    except Exception:  # plistlib raises what it meets
        return {}
    return data if isinstance(data, dict) else {}


def in_binary(unit: LaunchdUnit, path: Path) -> list[Finding]:
    """What the rules find in a list that is no text, without a place in it."""
    content = plistlib.dumps(unit.data)
    parsed = launchd.parse(UnitText(str(path), content, 0, len(content), "launchd"))
    return [
        replace(sight.finding, path=str(path), line=1, column=1)
        for sight in faults_of(parsed, Options())
    ]


def state_of(said: Answer, loaded: dict[str, str]) -> str:
    if not said.is_good:
        return "not loaded" if said.code is not None else f"not known: {said.why}"
    parts = [{"running": "active (running)"}.get(loaded.get("state", ""), loaded.get("state", "?"))]
    parts += [f"last exit code {loaded['last exit code']}"] if "last exit code" in loaded else []
    return ", ".join(parts)


def policy_of(data: dict[str, Any]) -> Policy:
    """KeepAlive in systemd's words."""
    keep = data.get("KeepAlive", False)
    throttle = data.get("ThrottleInterval", THROTTLE)
    pause = float(throttle) if isinstance(throttle, int) and throttle > 0 else float(THROTTLE)
    if keep is False or keep == {}:
        return Policy("no", starts_per_hour=1)
    restart = "on-failure" if keep == {"SuccessfulExit": False} else "always"
    return Policy(restart, pause, is_limited=False, starts_per_hour=int(HOUR / pause))


def plan(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """The edits of the list that settle what the rules find, and the guard's keys if asked for.

    Raises SkillgenError where the result would not be read as it is meant.
    """
    agent: Agent = service.own
    content = agent.unit.text.content
    edits = edits_of(faults_of(agent.unit, Options()), host)
    after = apply_edits(content, edits)
    changes = Changes()
    path = Path(agent.unit.text.path)
    if choice.guard:
        place = choice.guard_file.absolute() if choice.guard_file else None
        place = place or (SYSTEM_WIDE if agent.is_daemon else default_guard())
        unit = Unit(path, after, "launchd", host)
        [made] = guard.make(unit, place).wanted
        after = made.after or after
        changes.guards.append((unit, place))
    again = launchd.parse(UnitText(str(path), after, 0, len(after), "launchd"))
    if again.problem or edits_of(faults_of(again, Options()), host):
        raise SkillgenError(f"{path}: cannot be edited ({again.problem or 'its keys stay'})")
    steps = (
        Step(("launchctl", "bootout", f"{agent.domain}/{agent.label}"), may_fail=True),
        # It ends in its own time, and until then there is no room for the next.
        Step(("launchctl", "bootstrap", agent.domain, str(path)), tries=5),
    )
    changes.restart.append(Restart(service.name, steps))
    commands = [
        f"{agent.sudo}launchctl bootout {agent.typed}/{quoted(agent.label)}",
        f"{agent.sudo}launchctl bootstrap {agent.typed} {quoted(path)}",
    ]
    if after == content:
        changes.guards.clear()
        # Right in the list, and loaded before it was.
        changes.next += commands if service.notes else []
        return changes
    changes.wanted.append(Wanted(path, content, after))
    changes.by_hand += [*heredoc(path, after, agent.sudo), *commands]
    changes.next += commands
    changes.notes.append(RELOADED)
    kept = record.Record(
        path, host.root, service.name, content, after, (), steps, tuple(commands), tuple(commands)
    )
    changes.remember.append(partial(record.remember, host, kept))
    return changes
