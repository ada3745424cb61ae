"""Times as a person reads them."""

from __future__ import annotations

import time


def clock(at: float, now: float) -> str:
    """``14:05``, with the date where it is another day than now."""
    try:
        there, here = time.localtime(at), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return "a time that no calendar knows"
    is_today = there[:3] == here[:3]
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M", there)
