"""Throw-away folders that go even when skillgen is killed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Ends when its standard input does, that is with skillgen, whatever ended it.
_REMOVE = 'trap "" HUP INT TERM; read -r _; rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }'


@contextmanager
def throw_away(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """A new folder; gone afterwards, and when this process is killed."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as made:
        remover = subprocess.Popen(
            ["/bin/sh", "-c", _REMOVE, "sh", made],
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert remover.stdin is not None
        try:
            yield Path(made).resolve()
        finally:
            remover.stdin.close()
            remover.wait()
