"""Commands that are printed for a person to run: what a host names is one word there."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path


def quoted(path: Path | str) -> str:
    """A path as one word of a shell; one with control characters in a spelling without them."""
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    plain = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(r"[^ -~]", lambda found: _spelled(found[0]), plain) + "'"


def _spelled(letter: str) -> str:
    if letter.isprintable():
        return letter
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(letter))
