"""Proofs of earlier runs, each under a hash of all that it was seen with.

They lie in the user's cache and carry the user's own seal (``skill.transaction.key``): a cache
that somebody else can write to makes no patch proven. A proof that cannot be read, or is of
another skillgen, is not there; it is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from skill import __version__
from skill.errors import SkillgenError
from skill.host import LARGEST_SOURCE, Host
from skill.plan import Plan, options_as_data, options_from_data
from skill.proof.spread import SPREAD
from skill.proof.verdict import Proof, Proven, as_data
from skill.storm.host.tools import cache_folder
from skill.transaction import key as keys

KIND = "proof"
MOST = 500
"""So many proofs are kept, the newest."""
LARGEST = 1 << 20


def key_of(host: Host, plan: Plan) -> str:
    """A hash of the host's bytes, the planned ones, and the program that proves."""
    found = hashlib.sha256(f"{__version__} {sorted(SPREAD)} {_program()}\0".encode())
    for path, file in sorted(host.files.items()):
        if file.size <= LARGEST_SOURCE:
            _add(found, path, host.read(path))
    for change in plan.changes:
        _add(found, f"after {change.path}", change.after or b"")
    return found.hexdigest()


def _add(found: Any, name: str, content: bytes) -> None:
    found.update(f"{len(name)} {name} {len(content)}\0".encode())
    found.update(content)


@cache
def _program() -> str:
    """A hash of skillgen's own code: what judges, and what runs the bot."""
    found = hashlib.sha256()
    for top in ("skill", "modify", "add"):
        for file in sorted((Path(__file__).resolve().parents[2] / top).rglob("*")):
            if file.suffix in (".py", ".cjs", ".mjs", ".ts", ".js", ".j2"):
                _add(found, str(file), file.read_bytes())
    return found.hexdigest()


def recall(host: Host, key: str) -> Proven | None:
    """What was proven with this key, its plan without changes; None where nothing was."""
    with contextlib.suppress(OSError, SkillgenError, ValueError, KeyError, TypeError):
        own = keys.load(host.root)
        if own is None:
            return None
        with open(_folder() / key, "rb") as file:
            data = keys.unseal(own, f"{KIND} {key}", file.read(LARGEST))
        if data is None:
            return None
        plan = Plan(host.root, options_from_data(data["options"]))
        return Proven(plan, _proofs(data["proofs"]), _proofs(data["failed"]))
    return None


def remember(host: Host, key: str, proven: Proven) -> None:
    """Keep it; where it cannot be kept, it is proven again the next time."""
    data = {
        "options": options_as_data(proven.plan.options),
        "proofs": [as_data(proof) for proof in proven.proofs],
        "failed": [as_data(proof) for proof in proven.failed],
    }
    with contextlib.suppress(OSError, SkillgenError):
        content = keys.seal(keys.load_or_make(host.root), f"{KIND} {key}", data)
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="new-", delete=False) as file:
            file.write(content)
        os.replace(file.name, folder / key)
        kept = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime)
        for old in kept[:-MOST]:
            old.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "proofs"


def _proofs(rows: list[dict[str, Any]]) -> tuple[Proof, ...]:
    found = []
    for row in rows:
        dials = tuple((one["scenario"], one["before"], one["after"]) for one in row["dials"])
        lists = {name: tuple(row[name]) for name in ("trace", "stood_in")}
        found.append(Proof(**{**row, **lists, "dials": dials}))
    return tuple(found)
