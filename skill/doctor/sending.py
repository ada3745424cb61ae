"""WhatsApp's own limit on sending, where it was reported.

Baileys tells of it in ``connection.update`` as ``reachoutTimeLock`` (``ReachoutTimelockState`` in
its src/Types/State.ts); a bot that logs its updates has written it down. The last word counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from skill.doctor.answer import Answer, Unseen
from skill.doctor.clock import clock
from skill.doctor.scene import Scene

NAME = "sending"
LOCK = re.compile(r"reachoutTimeLock[\"'\\]{0,3}\s{0,9}:\s{0,9}\{([^{}]{0,600})\}")
ACTIVE = re.compile(r"isActive[\"'\\]{0,3}\s{0,9}:\s{0,9}(true|false)")
ENDS = re.compile(r"timeEnforcementEnds[\"'\\]{0,3}\s{0,9}:\s{0,9}[\"'\\]{0,3}([\dT:.Z+-]{10,35})")


def sending(scene: Scene) -> Iterator[Answer | Unseen]:
    seen = [(log.name, found) for log in scene.logs for found in LOCK.findall(log.text)[-1:]]
    for each in scene.memories:
        lock = each.data.get("reachoutTimeLock")
        if isinstance(lock, dict):
            state = "true" if lock.get("isActive") is True else "false"
            ends = lock.get("timeEnforcementEnds")
            said = (
                f"isActive: {state}, timeEnforcementEnds: {ends if isinstance(ends, str) else ''}"
            )
            seen.append((each.memory.path, said))
    limits = [(name, ends_at(said)) for name, said in seen if is_active(said)]
    current = [(name, ends) for name, ends in limits if ends is None or ends > scene.now]
    for name, ends in current[:1]:
        until = f" until {clock(ends, scene.now)}" if ends is not None else ""
        text = f"WhatsApp has limited sending{until} ({name}): write to nobody who has not written"
        yield Answer(NAME, "warning", text)
    if not current and (scene.logs or scene.memories):
        yield Answer(NAME, "ok", "no limit of WhatsApp's is reported")


def is_active(said: str) -> bool:
    found = ACTIVE.search(said)
    return found is not None and found[1] == "true"


def ends_at(said: str) -> float | None:
    found = ENDS.search(said)
    try:
        return datetime.fromisoformat(found[1]).timestamp() if found else None
    except (ValueError, OverflowError, OSError):
        return None
