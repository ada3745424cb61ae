"""Whether a user's unit runs while nobody is logged in."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from skill.doctor.answer import Answer, Unseen
from skill.doctor.scene import Scene

NAME = "lingering"
LINGER = Path("/var/lib/systemd/linger")
"""Where logind itself keeps it: a file by the user's name (user_check_linger_file() in systemd's
src/login/logind-user.c)."""


def linger(scene: Scene) -> Iterator[Answer | Unseen]:
    units = [each for each in scene.bots if each.kind == "systemd" and each.own.manager.is_user]
    if not units:
        return
    names = ", ".join(each.name for each in units)
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        yield Unseen(NAME, f"user {os.getuid()} has no name here")
        return
    if os.path.exists(LINGER / user):
        yield Answer(NAME, "ok", f"{names} runs without a login of {user}")
        return
    answer = scene.tools.ask("loginctl", "show-user", user, "--property=Linger", "--value")
    if answer.is_good and answer.out.strip() == "yes":
        yield Answer(NAME, "ok", f"{names} runs without a login of {user}")
        return
    text = f"{names} ends when {user} logs out, and is not started at boot"
    yield Answer(NAME, "warning", text, ("loginctl enable-linger",))
