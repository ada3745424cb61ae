"""Memory: a file for each account, shared by all its processes."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import stat
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from add.channel.python.policy import (
    AHEAD,
    BUDGET,
    CORRUPT_LEVEL,
    DELAY,
    DELAY_CAP,
    RECHECK,
    VERSION,
    Memory,
    Verdict,
    grown,
    kind_of,
)

LARGEST = 65_536


def merge(mine: Memory, theirs: Memory, now: float) -> Memory:
    """The later decision; but a hold is for the number, and stays."""
    last, other = mine, theirs
    if theirs.decided_at > mine.decided_at:
        last, other = theirs, mine
    is_held = other.held(now) and kind_of(last.code) != "hold"
    decided = other if is_held else last
    merged = replace(decided)
    for name in ("cleared", "opened_at", "restart_at"):
        setattr(merged, name, max(getattr(mine, name), getattr(theirs, name)))
    if merged.cleared > decided.decided_at:
        merged.settle()
    merged.pid = theirs.pid
    merged.attempts = {**theirs.attempts, **mine.attempts}
    verdicts = [found for found in (mine.verdict, theirs.verdict) if found]
    verdict = max(verdicts, key=lambda found: found.at, default=None)
    is_over = verdict and verdict.at < max(merged.cleared, merged.opened_at)
    merged.verdict = None if is_over else verdict
    return merged


def read(file: Path, now: float) -> Memory | None:
    """None: there is no file. A damaged one makes the first wait longer."""
    try:
        status = file.lstat()
        # A pipe would never answer, and nobody needs a link here.
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise ValueError(file)
        return _parse(file.read_bytes(), now)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception:  # whatever lies there, it must not stop the bot
        memory = Memory(code="corrupt", level=CORRUPT_LEVEL, decided_at=now)
        memory.not_before = now + grown(DELAY, DELAY_CAP, CORRUPT_LEVEL)
        return memory


def _parse(text: bytes, now: float) -> Memory:
    """A clock that was set back makes no wait longer than its kind."""
    raw = json.loads(text)
    if raw["version"] != VERSION:
        raise ValueError("another version")
    memory = Memory()
    for name, value in list(vars(memory).items()):
        found = raw.get(_camel(name))
        if isinstance(value, str) and isinstance(found, str):
            setattr(memory, name, found)
        elif isinstance(value, float):
            setattr(memory, name, min(_number(found) / 1000, now))
        elif isinstance(value, int):
            setattr(memory, name, int(_number(found)))
    until = _number(raw.get("notBefore")) / 1000
    memory.not_before = min(until, now + memory.longest(now))
    stamps = raw.get("attempts")
    if isinstance(stamps, dict):
        found = [(_number(at) / 1000, name) for name, at in stamps.items()]
        kept = sorted(one for one in found if 0 < one[0] <= now + AHEAD)
        kept = kept[-3 * BUDGET :]
        memory.attempts = {name: min(at, now) for at, name in kept}
    verdict = raw.get("verdict")
    if isinstance(verdict, dict) and isinstance(verdict.get("code"), str):
        at = min(_number(verdict.get("at")) / 1000, now)
        # Files of the last version do not name it.
        identity = str(verdict.get("identity", memory.identity))
        memory.verdict = Verdict(verdict["code"], identity, at)
    return memory


def _number(value: object) -> float:
    """Such a one as a time or a count can be; 0 for anything else."""
    if isinstance(value, (int, float)) and 0 < value < 1e15:
        return value
    return 0.0


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def write(file: Path, memory: Memory) -> None:
    """Whole or not at all, whatever lies there; raises OSError."""
    raw: dict[str, object] = {}
    for name, value in vars(memory).items():
        raw[_camel(name)] = _ms(value) if isinstance(value, float) else value
    stamps = memory.attempts.items()
    raw["attempts"] = {name: _ms(at) for name, at in stamps}
    if memory.verdict:
        raw["verdict"] = {**vars(memory.verdict), "at": _ms(memory.verdict.at)}
    text = json.dumps(raw, indent=2) + "\n"
    handle, part = tempfile.mkstemp(".tmp", f"{file.name}.", file.parent)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        os.replace(part, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _ms(at: float) -> int:
    return round(at * 1000)


def tidy(file: Path) -> None:
    """Remove what a process that was killed in write() left behind."""
    with contextlib.suppress(OSError):
        for part in file.parent.glob(f"{glob.escape(file.name)}.*.tmp"):
            if time.time() - part.lstat().st_mtime > RECHECK:
                part.unlink()


def place_of(credentials: str) -> Path | None:
    """Beside the credentials, since a new link wipes their folder.

    None: there is nowhere to write. In a folder of our own for a database
    address, which may hold a password, and a folder around the whole bot.
    """
    path = Path(os.path.abspath(credentials))
    here = Path.cwd()
    if "://" not in credentials and path not in (here, *here.parents):
        return path.with_name(f"{path.name}-reconnect.json")
    own = os.environ.get("WHATSAPP_RECONNECT_DIR", ".whatsapp-reconnect")
    for name in (own, os.path.expanduser("~/.whatsapp-reconnect")):
        folder = Path(name).absolute()
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder / f"{hashed(credentials)}-reconnect.json"
    return None


def hashed(text: str) -> str:
    """Enough to tell devices apart; nobody can read the number from it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
