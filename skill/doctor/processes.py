"""Whether two processes run the bot on one session: each puts the other out (440)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from skill.doctor.answer import Answer, Unseen
from skill.doctor.handling import end, is_up, stop
from skill.doctor.running import Running
from skill.doctor.scene import Scene
from skill.service.wrapper import PROC

NAME = "processes"


def processes(scene: Scene) -> Iterator[Answer | Unseen]:
    if not (PROC / "self" / "cwd").exists():
        yield Unseen(NAME, "this system shows no processes in /proc")
    is_one = True
    ordered = sorted(scene.running, key=lambda each: (str(each.folder), each.pid))
    for folder, group in groupby(ordered, key=lambda each: each.folder):
        some = list(group)
        if len(some) > 1:
            is_one = False
            yield together(scene, some, str(folder))
    up = [each for each in scene.bots if is_up(each)]
    if len(up) > 1 and is_one:
        is_one = False
        names = ", ".join(f"{each.name} ({each.manager})" for each in up)
        text = f"{names} start the bot side by side; with one session they disconnect each other"
        yield Answer(NAME, "wrong", text, tuple(filter(None, (stop(each) for each in up[1:]))))
    if is_one and (PROC / "self" / "cwd").exists():
        pid = f"process {scene.running[0].pid}" if scene.running else "no process of it runs now"
        yield Answer(NAME, "ok", f"one at a time: {pid}")


def together(scene: Scene, some: list[Running], folder: str) -> Answer:
    """The one that a manager keeps stays; of others, the oldest."""
    shown = ", ".join(
        f"{each.pid} ({each.unit or 'started by hand or by a script'})" for each in some
    )
    text = f"processes {shown} run the bot in {folder}: with one session they disconnect each other"
    managed = {each.name: each for each in scene.bots}
    kept = next((each for each in some if each.unit in managed), some[0])
    ends = []
    for each in some:
        if each is not kept:
            service = managed.get(each.unit)
            command = stop(service) if service is not None and each.unit != kept.unit else ""
            ends.append(command or end(each))
    return Answer(NAME, "wrong", text, tuple(dict.fromkeys(ends)))
