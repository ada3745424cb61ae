"""The installed unit: what is in force, beside what the source says."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from skill.commands.shell import quoted
from skill.doctor.answer import Answer, Unseen
from skill.doctor.handling import is_up, reset_failed, start
from skill.doctor.installed import beside_source, sourced
from skill.doctor.logs import files_of
from skill.doctor.scene import Scene
from skill.package_json import package_at
from skill.policy import POLICY
from skill.report.next_steps import package_manager
from skill.report.text import count
from skill.report.unit_writers import starts_the_bot, writing_command
from skill.service.model import Service
from skill.service.show import policy_lines, starts_line

NAME = "service"
ENDS = "auto-restart"
"""The state of systemd's between two starts."""


def unit(scene: Scene) -> Iterator[Answer | Unseen]:
    yield from (Unseen(each.manager, each.why) for each in scene.looks if each.state == "failed")
    installed = [each for each in scene.services if each.is_installed and each.kind != "process"]
    yield from (of_service(scene, each) for each in installed)
    if not installed:
        yield none_installed(scene)


def none_installed(scene: Scene) -> Answer:
    text = "nothing was seen that starts this bot, and starts it again"
    here = "launchd" if sys.platform == "darwin" else "systemd"
    own = next((each for each in sourced(scene.host) if each.kind == here), None)
    if own is None:
        return Answer(
            NAME, "warning", text, (f"skillgen apply {scene.root} --add-service systemd",)
        )
    package = package_at(scene.host)
    manager = package_manager(scene.host, package)
    command = writing_command(scene.host, package, manager, own.path)
    text += f"; its own unit is in {own.path}"
    if command and starts_the_bot(scene.host, own.path):
        text += ", and this starts it as well"
    return Answer(NAME, "warning", text, (scene.inside(command),) if command else ())


def of_service(scene: Scene, service: Service) -> Answer:
    name = f"{service.name} ({service.manager})"
    if service.findings:
        return faulty(scene, service, name)
    if not service.started.is_host:
        why = f"{name}: cannot tell whether it starts the bot: {service.started.why}"
        return Answer(NAME, "warning", why, (f"skillgen service {scene.root}",))
    if reloads(service):
        text = f"{name}: its files have changed since systemd read them, and are not in force"
        return Answer(NAME, "wrong", text, (f"{service.own.manager.command} daemon-reload",))
    in_force = ", ".join(policy_lines(service.policy)) if service.policy else "as it should be"
    if service.state.startswith("failed"):
        text = f"{name}: has failed, and nothing starts it again; {in_force}"
        again = (reset_failed(service), start(service)) if service.kind == "systemd" else ()
        return Answer(NAME, "wrong", text + link_first(scene), again)
    if service.kind == "systemd" and service.state and not is_up(service):
        text = f"{name}: {service.state}; {in_force}"
        if service.state.startswith("not known"):
            return Answer(NAME, "warning", text)
        return Answer(NAME, "warning", text + link_first(scene), (start(service),))
    often = starts_line(service.starts)
    if (service.starts.hour or 0) > POLICY.budget or ENDS in service.state:
        text = f"{name}: ends, and is started again: {often}; its log says why; {in_force}"
        return Answer(NAME, "warning", text, last_lines(service))
    return Answer(NAME, "ok", f"{name}: {service.state}; {in_force}")


def faulty(scene: Scene, service: Service, name: str) -> Answer:
    first = min(service.findings, key=lambda each: (each.path, each.line))
    more = len(service.findings) - 1
    others = f", and {count(more, 'finding')} more" if more else ""
    text = f"{name}: {first.message}{others}"
    source = beside_source(scene.host, service)
    text += f"; it is not what the source says ({source})" if source else ""
    is_mended = any(each.fix for each in service.findings) and not service.obstacles
    command = f"skillgen service {scene.root}" + (" --apply" if is_mended else "")
    return Answer(NAME, "wrong", text, (command,))


def last_lines(service: Service) -> tuple[str, ...]:
    """What shows the end of its log."""
    path = next(files_of(service), None)
    if path is not None:
        return (f"tail -n 20 {quoted(path)}",)
    if service.kind != "systemd":
        return ()
    who = "--user " if service.own.manager.is_user else ""
    return (f"journalctl {who}-n 20 -u {quoted(service.name)}",)


def reloads(service: Service) -> bool:
    shown = getattr(service.own, "shown", None) or {}
    return bool(shown.get("NeedDaemonReload") == "yes")


def link_first(scene: Scene) -> str:
    is_over = any(
        each.emptied or (each.memory.state == "stopped" and not each.is_past)
        for each in scene.memories
    )
    return "; link it before it starts" if is_over else ""
