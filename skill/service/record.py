"""What ``skillgen service --apply`` has written, so that ``--revert`` gives it back to the byte.

A record lies in the user's state folder, sealed with the user's key (``skill.transaction.key``), so
nothing that a host brings is taken for one. It is written before the file is: after a kill between
the two the file is still as it was, and there is nothing to take back.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from skill.commands.shell import quoted
from skill.guard import files
from skill.guard.files import Wanted
from skill.host import Host
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.tools import Tools
from skill.transaction import key
from skill.transaction.merge import git_program, merge

KIND = "service"
FOLDER = "services"
LARGEST = 4_000_000


@dataclass(frozen=True)
class Record:
    """A file as it was and as it was left. before: None for one that was added.

    reload, restart, by_hand, next: the commands that follow taking it back.
    """

    path: Path
    host: Path
    service: str
    before: bytes | None
    after: bytes
    reload: tuple[Step, ...] = ()
    restart: tuple[Step, ...] = ()
    by_hand: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


def place_of(host: Host, path: Path) -> Path:
    name = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return key.state_folder(host.root) / FOLDER / f"{name}.json"


def remember(host: Host, record: Record) -> Wanted:
    """The record as a file to be written; one that is there keeps what was there at first."""
    place = place_of(host, record.path)
    held = files.read(place)
    known = parse(host, held) if held is not None else None
    before = record.before
    if known is not None and known.host == host.root and record.before is not None:
        before = original(host, known, record.before)
    data = {
        "path": str(record.path),
        "host": str(record.host),
        "service": record.service,
        "before": None if before is None else b64encode(before).decode(),
        "after": b64encode(record.after).decode(),
        "reload": [astuple(step) for step in record.reload],
        "restart": [astuple(step) for step in record.restart],
        "by_hand": record.by_hand,
        "next": record.next,
    }
    return Wanted(place, held, key.seal(key.load_or_make(host.root), KIND, data), 0o600)


def original(host: Host, known: Record, current: bytes) -> bytes | None:
    """What a file would be without anything of skillgen's, its owner's later edits kept."""
    if current == known.after:
        return known.before
    taken = without(host, known, current)
    return current if taken is None else taken


def parse(host: Host, content: bytes) -> Record | None:
    """A record of this user's own; None for anything else."""
    own = key.load(host.root)
    data = key.unseal(own, KIND, content) if own is not None else None
    return from_data(data) if data is not None else None


def from_data(data: dict[str, Any]) -> Record:
    return Record(
        Path(data["path"]),
        Path(data["host"]),
        data["service"],
        None if data["before"] is None else b64decode(data["before"]),
        b64decode(data["after"]),
        tuple(Step(tuple(words), *rest) for words, *rest in data["reload"]),
        tuple(Step(tuple(words), *rest) for words, *rest in data["restart"]),
        tuple(data["by_hand"]),
        tuple(data["next"]),
    )


def records(host: Host) -> Iterator[tuple[Wanted, Record]]:
    """The records of this host, each with the change that removes it."""
    folder = key.state_folder(host.root) / FOLDER
    for place in sorted(folder.glob("*.json")):
        try:
            content = place.read_bytes() if place.stat().st_size <= LARGEST else b""
        except OSError:
            continue
        record = parse(host, content)
        if record is not None and record.host == host.root:
            yield Wanted(place, content, None), record


def take_back(host: Host, tools: Tools, units: tuple[str, ...]) -> Changes:
    """The changes that give back the files of this host's services, or of those that are named."""
    changes = Changes()
    for forget, record in records(host):
        if not units or record.service in units:
            changes.add(taken_back(host, forget, record))
    return changes


def taken_back(host: Host, forget: Wanted, record: Record) -> Changes:
    changes = Changes()
    current = files.read(record.path)
    if current is None or current == record.before:
        # Gone, or given back by other means: nothing to do but forget it.
        changes.forget.append(forget)
        return changes
    wanted = record.before
    if current != record.after:
        wanted = without(host, record, current)
        if wanted is None:
            changes.todo.append(
                f"{record.path}: was edited since where skillgen changed it, and is left as it is; "
                "undo that by hand"
            )
            return changes
    changes.forget.append(forget)
    changes.wanted.append(Wanted(record.path, current, wanted))
    changes.reload += record.reload
    changes.restart.append(Restart(record.service, record.restart))
    is_own = record.path.is_relative_to(os.path.expanduser("~"))
    sudo = "" if is_own or record.path.is_relative_to(host.root) else "sudo "
    if wanted is None:
        changes.by_hand.append(f"{sudo}rm {quoted(record.path)}")
    else:
        changes.by_hand += heredoc(record.path, wanted, sudo)
    changes.by_hand += record.by_hand
    changes.next += record.next
    return changes


def without(host: Host, record: Record, current: bytes) -> bytes | None:
    """An edited file without what skillgen did to it, merged; None where that is in conflict."""
    git = git_program(host.root)
    if git is None or record.before is None:
        return None
    merged = merge(git, current, record.after, record.before, record.path.name)
    return None if merged.conflicts else merged.content
