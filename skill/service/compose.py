"""Docker: the services of the host's compose files, and the containers that run them.

What is in force is what a container was made with; what the files say counts where there is none
yet. Docker changes the restart policy of a running container by ``docker update``; variables and
mounts, and so the guard, take a new one (``docker compose up -d``). A container that compose did
not make is the bot's where it executes a file that is mounted from the host's folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from modify.kit.text.yaml_nodes import Mapping, UnreadableYaml
from modify.rules import ids
from modify.units.bot_project import BotProject
from modify.units.locate import unit_texts
from modify.units.managers import compose as reader
from modify.units.managers.compose import ComposeService
from modify.units.model import UnitText
from modify.units.process_managers import faults_of
from skill import __version__
from skill.commands.shell import quoted
from skill.finding import Finding
from skill.guard import compose as guard
from skill.guard.command import IN_CONTAINER
from skill.guard.files import Wanted, read
from skill.guard.unit import Unit
from skill.host import Host
from skill.options import Options, ServiceOptions
from skill.service import record
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.model import UNKNOWN, Look, Policy, Service, Starts
from skill.service.place import started_here
from skill.service.tools import Tools

TITLE = "docker"
RIGHT = "unless-stopped"
ALWAYS = "always"
HEADER = re.compile(rb"\A# Restart policy by skillgen (\S+): ")
LABEL = "com.docker.compose."
MESSAGE = "restart: always starts the bot again, even one that was stopped by hand"
ENTRYPOINT = "docker-entrypoint.sh"
"""Of the official images, Node's for one: it runs its arguments."""
NO_TIMES = "Docker keeps no times of its starts"
Container = dict[str, Any]


@dataclass(frozen=True)
class Composed:
    """What a Service keeps. file: the compose file; None for a container of no compose."""

    service: ComposeService | None
    file: Path | None
    container: Container | None


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    if tools.find("docker") is None:
        yield Look(TITLE, "absent", "no docker here")
        return
    containers, why = containers_of(tools)
    yield Look(TITLE, "failed", why) if why else Look(TITLE, "looked")
    project = BotProject(host)
    for text in compose_files(host):
        for item in reader.read(text, project):
            if isinstance(item, ComposeService):
                yield from of_service(host, item, containers, why)
    for container in containers:
        if LABEL + "service" not in labels(container):
            service = of_container(host, container)
            if service is not None:
                yield service


def compose_files(host: Host) -> list[UnitText]:
    """The host's files that compose reads by itself; what adds to them is read with them."""
    return [
        text
        for text in unit_texts(host)
        if text.kind == "compose"
        and text.form == "file"
        and not text.in_test
        and os.path.basename(text.path) in guard.DEFAULTS
    ]


def containers_of(tools: Tools) -> tuple[list[Container], str]:
    """Every container of this machine, and why they are not known."""
    answer = tools.ask("docker", "ps", "--all", "--quiet", "--no-trunc")
    if not answer.is_good:
        return [], answer.reason
    names = answer.out.split()
    if not names:
        return [], ""
    # One that goes meanwhile fails the call; the others are printed all the same.
    found = parsed(tools.ask("docker", "inspect", "--type=container", *names).out)
    return found, ""


def parsed(text: str) -> list[Container]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def inner(container: Container, *keys: str) -> Any:
    """A value of what ``docker inspect`` prints; None where it is not there."""
    found: Any = container
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def labels(container: Container) -> dict[str, Any]:
    found = inner(container, "Config", "Labels")
    return found if isinstance(found, dict) else {}


def name_of(container: Container) -> str:
    return str(inner(container, "Name") or inner(container, "Id") or "").lstrip("/")


def is_made_from(container: Container, file: Path, service: str) -> bool:
    """Whether compose made the container for that service of that file, links followed."""
    known = labels(container)
    if known.get(LABEL + "service") != service:
        return False
    given = str(known.get(LABEL + "project.config_files") or "").split(",")
    return any(os.path.realpath(path) == os.path.realpath(file) for path in given if path)


def of_service(
    host: Host, item: ComposeService, containers: list[Container], why: str
) -> Iterator[Service]:
    if item.started.kind == "side":
        return
    file = host.root / item.text.path
    made = [each for each in containers if is_made_from(each, file, item.name)]
    container = made[0] if made else None
    service = Service(TITLE, "compose", item.name, item.started, file)
    service.own = Composed(item, file, container)
    service.is_installed = container is not None
    added = override_of(file)
    service.more = (added,) if os.path.exists(added) else ()
    written = written_policy(item, file)
    service.policy = Policy(in_force(container) or written)
    service.state = (
        state_of(container) if container else (f"not known: {why}" if why else "no container")
    )
    service.starts = starts_of(container)
    service.is_guarded = guard.MARK.search(content_of(added)) is not None
    service.findings = list(findings_of(item, container, written, str(file)))
    if item.started.kind == "unknown":
        service.obstacles.append(f"{UNKNOWN}: {item.started.why}")
    if len(made) > 1:
        names = ", ".join(map(name_of, made))
        service.notes.append(f"runs {len(made)} containers: {names}")
    yield service


def override_of(file: Path) -> Path:
    return file.with_name(guard.DEFAULTS[file.name])


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def added_policy(file: Path, name: str) -> str | None:
    """What the override file says of a service, or None."""
    path = override_of(file)
    content = content_of(path)
    try:
        found = reader.services_in(UnitText(str(path), content, 0, len(content), "compose"))
    except UnreadableYaml:
        return None
    node: Mapping | None = found[name][1] if name in found else None
    return node.text("restart") if node is not None else None


def written_policy(item: ComposeService, file: Path) -> str:
    return added_policy(file, item.name) or reader.restarts(item).restart


def in_force(container: Container | None) -> str:
    return str(inner(container or {}, "HostConfig", "RestartPolicy", "Name") or "")


def state_of(container: Container) -> str:
    status = str(inner(container, "State", "Status") or "?")
    shown = "active (running)" if status == "running" else status
    return f"{shown}, container {name_of(container)}"


def starts_of(container: Container | None) -> Starts:
    restarts = inner(container or {}, "RestartCount")
    return Starts(restarts=restarts if isinstance(restarts, int) else None, why=NO_TIMES)


def findings_of(
    item: ComposeService, container: Container | None, written: str, path: str
) -> Iterator[Finding]:
    """What the rule finds in the file, unless something else is in force."""
    found = [sight.finding for sight in faults_of(item, Options())]
    if written == ALWAYS:
        yield from (replace(finding, path=path) for finding in found)
    elif in_force(container) == ALWAYS:
        line = item.text.place(item.position)[0]
        message = f"{MESSAGE}: the container was made before the file said {written}"
        yield Finding(path, line, 1, ids.COMPOSE_RESTART_ALWAYS, message, f"restart: {RIGHT}")


def of_container(host: Host, container: Container) -> Service | None:
    """A container that executes what is mounted from the host's folder."""
    mounts = inner(container, "Mounts")
    pairs = [
        (str(mount.get("Destination")), str(mount.get("Source")))
        for mount in (mounts if isinstance(mounts, list) else [])
        if isinstance(mount, dict) and mount.get("Type") == "bind"
    ]
    arguments = inner(container, "Args")
    given = arguments if isinstance(arguments, list) else []
    words = [str(word) for word in (inner(container, "Path"), *given) if word]
    if words and os.path.basename(words[0]) == ENTRYPOINT:
        words = words[1:]
    words = [outside(word, pairs) for word in words]
    folder = outside(str(inner(container, "Config", "WorkingDir") or ""), pairs)
    started = started_here(words, folder, host)
    if started is None or started.kind == "side":
        return None
    name = name_of(container)
    service = Service(TITLE, "docker", name, started, own=Composed(None, None, container))
    service.policy = Policy(in_force(container) or "no")
    service.state, service.starts = state_of(container), starts_of(container)
    if in_force(container) == ALWAYS:
        fix = f"restart: {RIGHT}"
        service.findings = [
            Finding(
                name, 1, 1, ids.COMPOSE_RESTART_ALWAYS, MESSAGE.replace("restart", "--restart"), fix
            )
        ]
    return service


def outside(path: str, mounts: list[tuple[str, str]]) -> str:
    """A path in a container as this machine has it; the deepest mount counts."""
    for inside, source in sorted(mounts, key=lambda pair: -len(pair[0])):
        if path == inside or path.startswith(inside.rstrip("/") + "/"):
            return source + path[len(inside.rstrip("/")) :]
    # A path that is not mounted is the image's own, whatever this machine has there.
    return f"/proc/none{path}" if path.startswith("/") else path


def plan(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """An override file that compose reads after the host's own."""
    own: Composed = service.own
    item, file = own.service, own.file
    assert item is not None and file is not None
    path = override_of(file)
    before = read(path)
    unit = Unit(file, read(file) or b"", "compose", host)
    changes = Changes()
    wants_guard = choice.guard or service.is_guarded
    faulty = reader.restarts(item).restart == ALWAYS
    lines = service_lines(unit, item, faulty, wants_guard)
    command = f"cd {quoted(file.parent)} && docker compose up -d {quoted(service.name)}"
    up = Step(("docker", "compose", "up", "-d", service.name), folder=str(file.parent))
    changes.restart.append(Restart(service.name, (up,)))
    live = live_update(own.container)
    if not lines and not live:
        return changes
    changes.reload += [Step(("docker", "update", f"--restart={RIGHT}", name)) for name in live]
    wanted = guard.mounted(file.parent) if wants_guard else []
    taken = taken_by(file)
    if lines and taken is not None:
        body = "\n".join(lines)
        changes.todo.append(f"{taken}: is the project's own override; add to it:\n{body}")
    elif lines:
        content = text(host, lines, wants_guard)
        wanted.insert(0, Wanted(path, before, content))
    changes.wanted += wanted
    changes.by_hand += [
        line for each in wanted[:1] for line in heredoc(each.path, each.after or b"", "")
    ]
    changes.by_hand += [f"docker update --restart={RIGHT} {quoted(name)}" for name in live]
    if wants_guard and changes.changed:
        memory = file.parent / guard.FOLDER / "memory"
        changes.notes += [f"the container's user must be able to write {memory}", IN_CONTAINER]
        changes.next.append(command)
    elif own.container is None and changes.changed:
        changes.next.append(command)
    back = tuple(
        Step(("docker", "update", f"--restart={ALWAYS}", name), may_fail=True) for name in live
    )
    for number, each in enumerate(wanted):
        kept = record.Record(
            each.path,
            host.root,
            service.name,
            each.before,
            each.after or b"",
            back if number == 0 else (),
            (up,) if number == 0 else (),
            (),
            (command,) if wants_guard and number == 0 else (),
        )
        changes.remember.append(partial(record.remember, host, kept))
    return changes


def live_update(container: Container | None) -> list[str]:
    """The container whose policy is to change while it runs."""
    return [name_of(container)] if container is not None and in_force(container) == ALWAYS else []


def taken_by(file: Path) -> Path | None:
    """An override that is not skillgen's; compose reads only one."""
    for path in (override_of(file), *(file.parent / name for name in guard.OVERRIDES)):
        content = read(path)
        if content is not None and not HEADER.match(content) and not guard.HEADER.match(content):
            return path
    return None


def service_lines(unit: Unit, item: ComposeService, faulty: bool, guarded: bool) -> list[str]:
    """What the override says of the service."""
    if not faulty and not guarded:
        return []
    lines = ["services:", f"  {guard.scalar(item.name)}:"]
    lines += [f"    restart: {RIGHT}"] if faulty else []
    return [*lines, *(guard.service_lines(unit, item.name, item.node)[1:] if guarded else [])]


def text(host: Host, lines: list[str], guarded: bool) -> bytes:
    head = [
        f"# Restart policy by skillgen {__version__}: a bot that was stopped stays down.",
        f"# Take it back with: skillgen service {quoted(host.root)} --revert",
    ]
    if guarded:
        head.append(
            f"# Guard by skillgen {__version__}: the bot connects no more often than is safe."
        )
    return "\n".join([*head, *lines, ""]).encode("utf-8", "surrogateescape")


def plan_alone(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """A container of no compose file: its policy changes in place, and nothing of it is written."""
    own: Composed = service.own
    changes = Changes()
    name = service.name
    steps = (Step(("docker", "restart", name)),)
    changes.restart.append(Restart(name, steps))
    live = live_update(own.container)
    if live:
        changes.todo.append(
            f"{name}: no file says how it is run; this changes it in place: "
            f"docker update --restart={RIGHT} {quoted(name)}"
        )
    if choice.guard:
        changes.todo.append(f"{name}: has no compose file that could bring the guard; give it one")
    return changes
