"""Whether what runs is what lies there: the built output, and the processes made from it."""

from __future__ import annotations

from collections.abc import Iterator

from skill.doctor.answer import Answer, Unseen
from skill.doctor.clock import clock
from skill.doctor.handling import restart
from skill.doctor.running import Running
from skill.doctor.scene import Scene
from skill.package_json import package_at
from skill.report.next_steps import built_at, package_manager

NAME = "build"
SLACK = 2
"""Seconds: the kernel's count of a process's start, and the file system's clock."""


def build(scene: Scene) -> Iterator[Answer | Unseen]:
    package = package_at(scene.host)
    built = built_at(scene.host)
    scripts = package.get("scripts")
    if scene.stale:
        state = "wrong" if scene.modules else "warning"
        command = f"{package_manager(scene.host, package)} run build"
        known = isinstance(scripts, dict) and "build" in scripts
        next_ = (scene.inside(command),) if known else ()
        yield Answer(NAME, state, scene.stale, next_)  # type: ignore[arg-type]
    elif built is not None:
        yield Answer(NAME, "ok", f"{built[0]}/ is as new as the source")
    else:
        yield Answer(NAME, "ok", "nothing is built: the bot runs its source")
    since = built[1] if built is not None and not scene.stale else scene.bounded_since
    for each in scene.running:
        yield from of_process(scene, each, since)


def of_process(scene: Scene, process: Running, since: float | None) -> Iterator[Answer]:
    """Whether a process is of before."""
    service = next((each for each in scene.bots if each.name == process.unit), None)
    again = (restart(service),) if service is not None and restart(service) else ()
    if service is not None and service.is_guarded and process.is_guarded is False:
        text = f"process {process.pid} was started before the guard came: start it anew"
        yield Answer("process", "wrong", text, again)
        return
    if not scene.modules and not scene.is_guarded:
        return
    dialled_by = {each.data.get("pid") for each in scene.memories}
    if process.began is None or since is None or process.began + SLACK >= since:
        if process.began is not None:
            text = f"process {process.pid} runs since {clock(process.began, scene.now)}"
            yield Answer("process", "ok", f"{text}, on what lies there")
        return
    text = f"process {process.pid} runs since {clock(process.began, scene.now)}, on what was there"
    text += f" before {clock(since, scene.now)}: start it anew"
    state = "warning" if process.pid in dialled_by else "wrong"
    yield Answer("process", state, text, again)  # type: ignore[arg-type]
