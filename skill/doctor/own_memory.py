"""The bot's memory, wherever it lies.

It lies beside the credentials, in the folder that the bot works in: that of its process or unit,
which need not be the one that is looked at. Held and guarded bots keep it in
``.whatsapp-reconnect``; and each wait that the bot logs names the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill.commands.reset import LARGEST, SUFFIX, Memory, code_of, memories, parsed, read_memory
from skill.doctor.files import head, is_plain, leads_out
from skill.doctor.identity import identity_in
from skill.doctor.logs import Log
from skill.doctor.running import Running
from skill.guard import values
from skill.host import Host
from skill.policy import POLICY
from skill.service.model import Service

NAMED = re.compile(r"\bKept in (/[^\n;]{1,4000}?-reconnect\.json)[;.]")

MOST = 200
"""Memories, and folders that are looked into."""


@dataclass(frozen=True)
class Kept:
    """A memory. data: what the bot has stored. named_in: the log that says where it lies.

    is_relinked: whether the credentials beside it are another link's by now.
    """

    memory: Memory
    data: dict[str, Any]
    named_in: str = ""
    is_relinked: bool = False

    def attempts(self) -> list[float]:
        """When each of them began, in seconds since 1970."""
        return [
            at / 1000
            for at in self.data["attempts"].values()
            if isinstance(at, int | float) and 0 < at < 1e15
        ]

    @property
    def is_open(self) -> bool:
        """Whether the last attempt has opened the link, and nothing was heard of it since."""
        is_last = self.data.get("code") == "started" and self.data.get("downSince") == 0
        return is_last and bool(self.attempts()) and self.memory.state != "stopped"

    @property
    def last(self) -> str:
        """How the last attempt ended, in words where the policy has them."""
        code = code_of(self.data, "unknown")
        known = next((each.meaning for each in POLICY.codes if each.code == code), "")
        return f"{code}, {known}" if known else code

    def held_until(self, now: float) -> float:
        """When the gate allows the next attempt; 0 where it does so now.

        As the gate itself bounds a wait: a file that says more is not believed.
        """
        stored = self.data.get("notBefore")
        until = stored / 1000 if isinstance(stored, int | float) and 0 < stored < 1e15 else 0.0
        hold = POLICY.hold.cap * (1 + POLICY.hold.jitter)
        most = POLICY.expiry_cap if self.data.get("code") == "402" else hold
        until = min(until, now + most)
        recent = sorted((at for at in self.attempts() if at <= now), reverse=True)
        if len(recent) >= POLICY.budget:
            until = max(until, recent[POLICY.budget - 1] + POLICY.budget_window)
        return until if until > now else 0.0


def memories_of(
    host: Host,
    services: Sequence[Service],
    running: Sequence[Running],
    logs: Sequence[Log],
    now: float,
) -> list[Kept]:
    found: dict[Path, Kept | None] = {}
    for memory in memories(host):
        path = host.root / memory.path
        found[path] = kept(memory, path)
    for folder in folders_of(host, services, running):
        for path in inside(folder):
            if len(found) < MOST and path not in found and not leads_out(path, host.root):
                found[path] = elsewhere(path, now)
    for log in logs:
        for name in dict.fromkeys(NAMED.findall(log.text[-1_000_000:])):
            path = Path(name)
            if len(found) < MOST and path not in found and is_plain(path):
                found[path] = elsewhere(path, now, log.name)
    return [each for each in found.values() if each is not None]


def folders_of(
    host: Host, services: Sequence[Service], running: Sequence[Running]
) -> Iterator[Path]:
    """Where the bot works and keeps things, but for what lies in the host itself."""
    named = [str(each.folder) for each in running] + [each.memory for each in running]
    for service in services:
        shown = getattr(service.own, "shown", None) or {}
        named.append(shown.get("WorkingDirectory", "").lstrip("-!"))
        variables = values.systemd_variables(shown.get("Environment", ""))
        named.append(variables.get(values.MEMORY, ""))
    for name in dict.fromkeys(named):
        folder = Path(name)
        if folder.is_absolute() and folder != host.root:
            yield folder


def inside(folder: Path) -> Iterator[Path]:
    """The memories in a folder and in those right within it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)[: MOST * 10]
    except OSError:
        return
    below = []
    for entry in entries:
        if entry.name.endswith(SUFFIX):
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False) and entry.name != "node_modules":
            below.append(entry.path)
    for each in below[:MOST]:
        try:
            names = sorted(os.listdir(each))[: MOST * 10]
        except OSError:
            continue
        yield from (Path(each, name) for name in names if name.endswith(SUFFIX))


def elsewhere(path: Path, now: float, named_in: str = "") -> Kept | None:
    try:
        data = parsed(head(path, LARGEST) or b"")
    except OSError:
        return None
    return kept(read_memory(str(path), data, now), path, named_in) if data is not None else None


def kept(memory: Memory, path: Path, named_in: str = "") -> Kept:
    try:
        data = parsed(head(path, LARGEST) or b"") or {"attempts": {}}
    except OSError:
        data = {"attempts": {}}
    known = data.get("identity")
    now = identity_in(path.with_name(path.name.removesuffix(SUFFIX)))
    return Kept(memory, data, named_in, bool(now) and isinstance(known, str) and known != now)
