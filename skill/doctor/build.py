"""Whether what runs is what lies there: the built output, and the processes made from it."""

from __future__ import annotations

from collections.abc import Iterator

from skill.doctor.answer import Answer, State, Unseen
from skill.doctor.clock import clock
from skill.doctor.handling import restart
from skill.doctor.running import Running
from skill.doctor.scene import Scene
from skill.package_json import package_at
from skill.report.next_steps import built_at, package_manager

NAME = "build"


def build(scene: Scene) -> Iterator[Answer | Unseen]:
    built = built_at(scene.host)
    if scene.stale:
        state: State = "wrong" if scene.modules else "warning"
        yield Answer(NAME, state, scene.stale, command(scene))
    elif built is not None:
        yield Answer(NAME, "ok", f"{built[0]}/ is as new as the source")
    elif command(scene):
        yield Answer(NAME, "warning", "no built output was found", command(scene))
    else:
        yield Answer(NAME, "ok", "there is nothing to build")
    for each in scene.running:
        yield from of_process(scene, each)


def command(scene: Scene) -> tuple[str, ...]:
    """The host's own command that builds it, if it has one."""
    package = package_at(scene.host)
    scripts = package.get("scripts")
    if not isinstance(scripts, dict) or "build" not in scripts:
        return ()
    return (scene.inside(f"{package_manager(scene.host, package)} run build"),)


def of_process(scene: Scene, process: Running) -> Iterator[Answer]:
    """Whether a process is of before."""
    service = next((each for each in scene.bots if each.name == process.unit), None)
    again = (restart(service),) if service is not None and restart(service) else ()
    if service is not None and service.is_guarded and process.is_guarded is False:
        text = f"process {process.pid} was started before the guard came: restart it"
        yield Answer("process", "wrong", text, again)
    elif scene.modules and scene.is_of_before(process) and process.began is not None:
        text = f"process {process.pid} has run since {clock(process.began, scene.now)}"
        text += ", with the old code: restart it"
        yield Answer("process", "wrong", text, again)
    elif process.began is not None and (scene.modules or scene.is_guarded):
        text = f"process {process.pid} has run since {clock(process.began, scene.now)}"
        yield Answer("process", "ok", f"{text}, with the code that is there now")
