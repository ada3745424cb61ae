"""What the bot remembers of each account: a verdict, a wait, or neither."""

from __future__ import annotations

from collections.abc import Iterator

from skill.doctor.answer import Answer, Unseen
from skill.doctor.clock import clock
from skill.doctor.own_memory import Kept
from skill.doctor.scene import Scene

NAME = "memory"


def memory(scene: Scene) -> Iterator[Answer | Unseen]:
    for each in scene.memories:
        yield of_account(scene, each)
    if not scene.memories and (scene.modules or scene.is_guarded) and scene.running:
        text = "no memory file was found; the bot that runs writes one before its first attempt"
        yield Answer(NAME, "warning", text)
    elif not scene.memories:
        yield Answer(NAME, "ok", "no memory file was found")


def of_account(scene: Scene, kept: Kept) -> Answer:
    found = kept.memory
    where = f"{found.path} (named in {kept.named_in})" if kept.named_in else found.path
    if found.state == "stopped" and kept.is_past:
        text = f"{where}: {found.text.partition(';')[0]}; that link is gone, there is another one"
        return Answer(NAME, "ok", f"{text}: the next start clears it")
    if kept.emptied:
        return unlinked(scene, kept, where)
    others = [each for each in scene.memories if not each.is_of_guard]
    if found.state == "stopped" and kept.is_of_guard and scene.modules and others:
        text = (
            f"{where}: {found.text.partition(';')[0]}, as the guard keeps it; the patch has its own"
        )
        return Answer(NAME, "warning", text)
    if found.state == "stopped":
        # After a ban or a lock, a person looks at the phone before anything else.
        next_ = () if found.resettable else scene.linking
        return Answer(NAME, "wrong", f"{where}: {found.text}", next_)
    if kept.is_open:
        return Answer(NAME, "ok", f"{where}: no wait, no verdict; the last attempt opened the link")
    until = kept.held_until(scene.now)
    if until:
        why = kept.last
        text = f"{where}: held until {clock(until, scene.now)}, not broken (last: {why})"
        return Answer(NAME, "ok", text)
    return Answer(NAME, "ok", f"{where}: no wait, no verdict")


def unlinked(scene: Scene, kept: Kept, where: str) -> Answer:
    """A verdict may be missing: the device is deleted while the bot is notified of the end."""
    is_stopped = kept.memory.state == "stopped"
    said = f"{kept.memory.text.partition(';')[0]}; " if is_stopped else ""
    text = f"{where}: {said}{kept.emptied} holds no device: link the bot; "
    if scene.running:
        return Answer(NAME, "warning", f"{text}the one that runs asks for a QR code")
    return Answer(NAME, "wrong", f"{text}the next start asks for a QR code")
