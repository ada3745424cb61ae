"""Whose link the credentials in a folder are, as the added module tells it.

``identityOf()`` in ``add/channel/typescript/memory.ts``: a hash of the public noise key, the
registration id and the number. A memory with another one is of a link that is gone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from skill.doctor.files import head, is_plain

CREDENTIALS = "creds.json"
LARGEST = 1_000_000


def identity_in(folder: Path) -> str:
    """The hash; nothing where no finished link is seen."""
    path = folder / CREDENTIALS
    try:
        content = head(path, LARGEST) if is_plain(path) else None
        creds = json.loads(content or b"null")
        return identity_of(creds)
    except (OSError, ValueError, LookupError, RecursionError, AttributeError, TypeError):
        return ""


def identity_of(creds: Any) -> str:
    me = creds["me"].get("id") if isinstance(creds, dict) and "me" in creds else None
    # As JavaScript sees it: an empty object is something.
    if not me or creds.get("account") in (None, False, 0, ""):
        return ""
    key = creds["noiseKey"]["public"]
    text = key["data"] if isinstance(key, dict) else key
    data = base64.b64encode(base64.b64decode(text)).decode()
    written = [{"type": "Buffer", "data": data}, creds.get("registrationId"), me]
    line = json.dumps(written, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()[:16]
