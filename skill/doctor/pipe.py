"""Whether a pipe hides the bot's exit status: of ``bot | tee log``, that of ``tee`` counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modify.units.started_program import PIPE
from skill.doctor.answer import Answer, Unseen
from skill.doctor.files import head
from skill.doctor.scene import Scene
from skill.service.model import Service

NAME = "exit status"
KEPT = "pipefail"
LARGEST = 65_536


def pipe(scene: Scene) -> Iterator[Answer | Unseen]:
    piped = [each for each in scene.services if each.started.why == PIPE and not is_kept(each)]
    for each in piped:
        text = f"{each.name} ({each.manager}): {PIPE}, so an end of the bot looks like a success"
        text += f": {each.command}"
        if each.kind == "systemd":
            text += "; leave the pipe out: its output is kept by StandardOutput=append:FILE"
        else:
            text += "; write > FILE 2>&1 in its place"
        yield Answer(NAME, "wrong", text)
    if scene.bots and not piped:
        yield Answer(NAME, "ok", "no pipe hides it")


def is_kept(service: Service) -> bool:
    """Whether the shell was told to give the bot's own status."""
    if KEPT in service.command:
        return True
    for path in (word for word in service.command.split() if word.startswith("/")):
        content = head_of(path)
        if content.startswith(b"#!") and KEPT.encode() in content:
            return True
    return False


def head_of(path: str) -> bytes:
    try:
        return head(Path(path), LARGEST) or b""
    except OSError:
        return b""
