"""How often a program was started in the last hour and day, by its process manager's own log.

The log is in the time of this machine, and is read from its end.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from skill.service.journal import DAY, counted
from skill.service.model import Starts

TAIL = 8_000_000
"""Bytes of a log that are read."""


def starts_in(
    path: Path,
    line: re.Pattern[str],
    stamp: str,
    is_own: Callable[[str], bool],
    restarts: int | None = None,
) -> Starts:
    """line: of a start; its groups are the time, in the form ``stamp``, and the program.

    is_own: whether a program is the one that is asked about. restarts: what the manager itself
    has counted.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL))
            text = stream.read(TAIL).decode("utf-8", "replace")
    except OSError as error:
        return Starts(restarts=restarts, why=f"{path}: {error.strerror}")
    now = time.time()
    seen = [(time.mktime(time.strptime(at, stamp)), what) for at, what in line.findall(text)]
    is_partial = size > TAIL and bool(seen) and seen[0][0] > now - DAY
    why = f"at least: {path} was read from its end" if is_partial else ""
    return counted([at for at, what in seen if is_own(what)], now, restarts, why)
