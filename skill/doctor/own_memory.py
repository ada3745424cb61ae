"""The bot's memory, wherever it lies.

It lies beside the credentials, in the folder that the bot works in: that of its process or unit,
which need not be the one that is looked at. Held and guarded bots keep it in
``.whatsapp-reconnect``; and each wait that the bot logs names the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skill.commands.reset import LARGEST, SUFFIX, Memory, code_of, memories, parsed, read_memory
from skill.doctor.files import head, is_plain, leads_out
from skill.doctor.identity import (
    CREDENTIALS,
    NO_DEVICE,
    identity_in,
    identity_in_database,
    is_database,
)
from skill.doctor.logs import Log
from skill.doctor.running import Running
from skill.guard import values
from skill.host import PROJECT_FILES, Host
from skill.policy import POLICY
from skill.service.model import Service

NAMED = re.compile(r"\bKept in (/[^\n;]{1,4000}?-reconnect\.json)[;.]")

OWN = ".whatsapp-reconnect"
MOST = 200
"""Memories, and folders that are looked into."""


@dataclass(frozen=True)
class Kept:
    """A memory. data: what the bot has stored. named_in: the log that says where it lies.

    is_past: whether it is of a link whose credentials are here no longer. is_of_guard: whether
    a guard keeps it, in a folder of its own. emptied: the database beside it, if it holds no
    device (any more: whatsmeow deletes one that is logged out).
    """

    memory: Memory
    data: dict[str, Any]
    named_in: str = ""
    is_past: bool = False
    is_of_guard: bool = False
    emptied: str = ""

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
    links = identities_in(host)
    found: dict[Path, Kept | None] = {}
    for memory in memories(host):
        path = host.root / memory.path
        found[path] = kept(memory, path, links)
    for folder in folders_of(host, services, running):
        for path in inside(folder):
            if len(found) < MOST and path not in found and not leads_out(path, host.root):
                found[path] = elsewhere(path, links, now)
    # A log may be of long ago, and tell of a memory that nobody keeps any more.
    for log in logs if not any(found.values()) else ():
        for name in dict.fromkeys(NAMED.findall(log.text[-1_000_000:])):
            path = Path(name)
            if len(found) < MOST and path not in found and is_plain(path):
                found[path] = elsewhere(path, links, now, log.name)
    guards = {variable_of(each) for each in services if each.is_guarded}
    return [
        replace(each, is_of_guard=str(path.parent) in guards)
        for path, each in found.items()
        if each is not None
    ]


def variable_of(service: Service) -> str:
    """Where a unit says that memories are kept, or nothing."""
    shown = getattr(service.own, "shown", None) or {}
    return values.systemd_variables(shown.get("Environment", "")).get(values.MEMORY, "")


def folders_of(
    host: Host, services: Sequence[Service], running: Sequence[Running]
) -> Iterator[Path]:
    """Where the bot works and keeps things, but for what lies in the host itself."""
    named = [str(each.folder) for each in running] + [each.memory for each in running]
    for service in services:
        shown = getattr(service.own, "shown", None) or {}
        named.append(shown.get("WorkingDirectory", "").lstrip("-!"))
        named.append(variable_of(service))
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
    is_shared = folder in (Path("/"), Path(os.path.expanduser("~")))
    below = []
    for entry in entries:
        if entry.name.endswith(SUFFIX):
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False) and (entry.name == OWN or not is_shared):
            below.append(entry.path)
    for each in below[:MOST]:
        try:
            names = sorted(os.listdir(each))[: MOST * 10]
        except OSError:
            continue
        # Another bot keeps its own.
        if PROJECT_FILES.isdisjoint(names):
            yield from (Path(each, name) for name in names if name.endswith(SUFFIX))


def identities_in(host: Host) -> frozenset[str]:
    """Those of the credentials that lie in the host."""
    paths = host.by_name.get(CREDENTIALS, [])[:MOST]
    seen = (identity_in((host.root / path).parent) for path in paths)
    return frozenset(each for each in seen if each)


def elsewhere(path: Path, links: frozenset[str], now: float, named_in: str = "") -> Kept | None:
    try:
        data = parsed(head(path, LARGEST) or b"")
    except OSError:
        return None
    if data is None:
        return None
    return kept(read_memory(str(path), data, now), path, links, named_in)


def kept(memory: Memory, path: Path, links: frozenset[str], named_in: str = "") -> Kept:
    """links: the identities of the credentials in the host, of which one may be this account's."""
    try:
        data = parsed(head(path, LARGEST) or b"") or {"attempts": {}}
    except OSError:
        data = {"attempts": {}}
    known = data.get("identity")
    beside = path.with_name(path.name.removesuffix(SUFFIX))
    if is_database(beside):
        own = identity_in_database(beside)
        emptied = beside.name if own == NO_DEVICE else ""
        is_past = own not in ("", NO_DEVICE, known)
        return Kept(memory, data, named_in, is_past, emptied=emptied)
    own = identity_in(beside)
    now = {own} if own else links
    is_past = bool(now) and isinstance(known, str) and known not in now
    return Kept(memory, data, named_in, is_past)
