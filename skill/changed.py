"""How often this process has changed a host: exit status 2 says that nothing was written."""

from __future__ import annotations

_times = 0


def note() -> None:
    """Count a change that is done, or that may be."""
    global _times
    _times += 1


def times() -> int:
    """How many changes were counted so far."""
    return _times
