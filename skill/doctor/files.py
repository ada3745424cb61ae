"""Files that are looked at and not believed: regular ones, a bounded part of each, no links."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def head(path: Path, most: int) -> bytes | None:
    """The whole of a file of at most so many bytes; None for a larger one, and without a file."""
    found = part(path, most)
    return found[0] if found is not None and found[2] <= most else None


def tail(path: Path, most: int) -> tuple[str, float, bool] | None:
    """The end of a file, when it was written, and whether there is more before it."""
    found = part(path, most)
    if found is None:
        return None
    content, written, size = found
    return content.decode("utf-8", "replace"), written, size > most


def part(path: Path, most: int) -> tuple[bytes, float, int] | None:
    """The last bytes of a file, its time and its size. Raises OSError where it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    with open(fd, "rb") as stream:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return None
        stream.seek(max(0, status.st_size - most))
        return stream.read(most), status.st_mtime, status.st_size


def is_plain(path: Path) -> bool:
    """Whether a path leads where it says: no link on its way."""
    return path.is_absolute() and os.path.realpath(path) == os.path.normpath(path)


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path in the host leads out of it by a link that the host brings."""
    real = Path(os.path.realpath(path))
    return path.is_relative_to(root) and not real.is_relative_to(root)
