"""Whether git tracks a file of a host, read from git's index.

Asking git itself would not be safe: in a repository that somebody else made, its settings
can run programs at almost any command (``core.fsmonitor``, remotes of a partial clone).
The index is a list of paths, and reading it runs nothing.
Format: https://git-scm.com/docs/index-format
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

LARGEST, LONGEST_NAME = 200_000_000, 100_000
FIXED = 40  # what comes before the hash in an entry
EXTENDED, VERSIONS = 0x4000, (2, 3, 4)


def is_repository(root: Path) -> bool:
    """Whether a git repository holds the folder, which can bring earlier files back."""
    return any(_git_folder(folder) is not None for folder in (root, *root.parents))


def is_tracked(root: Path, name: str) -> bool:
    """Whether ``name`` in the host's root, or a file below it, is in a repository's index.

    Every repository around the host is asked. An index that cannot be read tracks nothing:
    who writes an index can leave the file out of it, too.
    """
    for folder in (root, *root.parents):
        git = _git_folder(folder)
        if git is not None:
            wanted = (root / name).relative_to(folder).as_posix().encode(errors="surrogateescape")
            if _holds(git, "index", wanted.lower()):
                return True
    return False


def _git_folder(folder: Path) -> Path | None:
    """``.git``, or the folder that a file of that name points to (worktrees, submodules)."""
    git = folder / ".git"
    try:
        if git.is_dir():
            return git
    except OSError:
        return None
    pointer = re.match(rb"gitdir: (.+)", _content(git, 10_000))
    return folder / os.fsdecode(pointer[1].strip()) if pointer and b"\0" not in pointer[1] else None


def _content(file: Path, largest: int) -> bytes:
    """Nothing where there is no regular file, or a larger one."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with open(fd, "rb") as stream:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
            return b""
        return stream.read(largest)


def _holds(git: Path, index: str, wanted: bytes) -> bool:
    data = _content(git / index, LARGEST)
    if data[:4] != b"DIRC" or int.from_bytes(data[4:8]) not in VERSIONS:
        return False
    for size in _hash_sizes(data):
        try:
            for found in _names(data, size):
                if isinstance(found, str):
                    if index == "index" and _holds(git, f"sharedindex.{found}", wanted):
                        return True
                elif (found.lower() + b"/").startswith(wanted + b"/"):
                    return True
        except (IndexError, ValueError):
            continue
    return False


def _hash_sizes(data: bytes) -> tuple[int, ...]:
    """The hash size, by the checksum at the end: SHA-1 or SHA-256; both if git left it out."""
    if hashlib.sha1(data[:-20], usedforsecurity=False).digest() == data[-20:]:
        return (20,)
    if hashlib.sha256(data[:-32]).digest() == data[-32:]:
        return (32,)
    return 20, 32


def _names(data: bytes, size: int) -> Iterator[bytes | str]:
    """Each path (bytes); then the shared part of a split index, if there is one (str)."""
    version, entries = int.from_bytes(data[4:8]), int.from_bytes(data[8:12])
    at, name = 12, b""
    for _ in range(entries):
        start, at = at, at + FIXED + size + 2
        if version > 2 and int.from_bytes(data[at - 2 : at]) & EXTENDED:
            at += 2
        kept = 0
        if version == 4:
            less, at = _number(data, at)
            kept = len(name) - less
        end = data.index(b"\0", at)
        if kept + end - at > LONGEST_NAME:
            raise ValueError
        name = name[:kept] + data[at:end]
        yield name
        # Versions 2 and 3 fill an entry up with one to eight NULs.
        at = end + 1 if version == 4 else start + (end - start + 8) // 8 * 8
    while at + 8 <= len(data) - size:
        length = int.from_bytes(data[at + 4 : at + 8])
        if data[at : at + 4] == b"link":
            yield data[at + 8 : at + 8 + size].hex()
        at += 8 + length


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, as in pack files' offsets; and where it ends."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 127)
    return value, at + 1
