"""The reconnect module's memory files of a host: what they hold, and ``skillgen reset``.

``NAME-reconnect.json`` lies beside the credentials folder ``NAME`` (domain: "memory"). A
reset clears a wait and a verdict as the module itself does after a re-link; the attempts
of the last hour stay, so a reset cannot be used to hammer.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from skill.host import Host
from skill.policy import MEMORY_VERSION, POLICY
from skill.transaction import rewrite_file

SUFFIX = "-reconnect.json"
LARGEST = 1_000_000
# Fields that the module's own settle() sets; attempts, identity and clock marks stay.
SETTLED = {
    "level": 0,
    "blocked": 0,
    "restarts": 0,
    "hits": 0,
    "kind": "transient",
    "code": "started",
    "wait": 0,
    "notBefore": 0,
    "verdict": None,
}


@dataclass(frozen=True, slots=True)
class Memory:
    """state: ``clear``, ``waiting`` or ``stopped`` (a verdict); text: that in words.

    resettable: whether a reset is of any use. After a link that is gone it is not: a new link
    clears the verdict, and an attempt before that spends a login on a dead session.
    """

    path: str
    state: str
    text: str
    resettable: bool = True


def memories(host: Host) -> list[Memory]:
    """The memory files of the host; files of that name with another format are left out.

    The bot writes them, but a clone can bring one: any JSON may be in it.
    """
    found = []
    for file in host.files.values():
        if file.path.endswith(SUFFIX) and file.size <= LARGEST:
            content = host.read(file.path)
            data = parsed(content)
            if data is not None:
                found.append(read_memory(file.path, data, time.time()))
    return found


def parsed(content: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("version") != MEMORY_VERSION:
        return None
    return data if isinstance(data.get("attempts"), dict) and "notBefore" in data else None


def read_memory(path: str, data: dict[str, Any], now: float) -> Memory:
    verdict = data.get("verdict")
    if isinstance(verdict, dict):
        code = code_of(verdict, "a verdict")
        known = next((each for each in POLICY.codes if each.code == code), None)
        words = f" ({known.meaning}: {known.advice})" if known and known.advice else ""
        text = f"stopped by {code}{words}; no attempt is made"
        if known is None or not known.advice.startswith("link"):
            return Memory(path, "stopped", text)
        return Memory(path, "stopped", f"{text}, and no reset is needed", False)
    until = data.get("notBefore")
    if isinstance(until, int | float) and until > now * 1000:
        last = code_of(data, "unknown")
        return Memory(path, "waiting", f"next attempt not before {_clock(until)} (last: {last})")
    return Memory(path, "clear", "no wait, no verdict")


def _clock(until: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(until / 1000))
    except (OverflowError, ValueError, OSError):
        return "a time that no calendar knows"


def code_of(data: dict[str, Any], unknown: str) -> str:
    """The reason of a close, as a number or a short word; else ``unknown``."""
    code = data.get("code")
    text = str(code) if isinstance(code, str | int) else ""
    return text if 0 < len(text) <= 40 and text.isprintable() else unknown


def cleared(content: bytes) -> bytes:
    """The file's bytes with its wait and verdict cleared."""
    data = parsed(content)
    if data is None:  # another file since it was read
        return content
    data = {**data, **SETTLED, "cleared": int(time.time() * 1000)}
    return (json.dumps(data) + "\n").encode()


def reset(host: Host) -> list[Memory]:
    """Clear every memory file that holds a wait or a verdict; returns those as they were.

    Raises SkillgenError when one cannot be written.
    """
    held = [memory for memory in memories(host) if memory.state != "clear"]
    for memory in held:
        rewrite_file(host.root, memory.path, cleared)
    return held
