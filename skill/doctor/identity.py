"""Whose link the credentials are, as the added module tells it.

Baileys' folder, as ``identityOf()`` in ``add/channel/typescript/memory.ts`` does: a hash of the
public noise key, the registration id and the number. whatsmeow's database, neonize's, as
``_device()`` in ``add/channel/python/neonize_client.py`` does. A memory with another identity is
of a link that is gone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from skill.doctor.files import head, is_plain

CREDENTIALS = "creds.json"
LARGEST = 1_000_000
NO_DEVICE = "unlinked"
"""The identity of a database without a device, as the added module has it."""
SQLITE = b"SQLite format 3\0"
DEVICES = "SELECT jid, registration_id FROM whatsmeow_device ORDER BY jid"
MOST = 100
"""Devices of one database."""
UNDONE = ("-wal", "-journal")
"""Beside a database in which changes are not written back yet."""
STEPS = 1_000_000
"""Instructions of SQLite's machine: whose database it is, is not known."""


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


def is_database(path: Path) -> bool:
    """Whether credentials are a database of SQLite, and not a folder. No link is followed."""
    try:
        if not is_plain(path) or not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def identity_in_database(path: Path) -> str:
    """The hash, or NO_DEVICE; nothing where it cannot be told.

    Nothing is written: without ``immutable``, SQLite makes files of its own beside it.
    """
    if any(os.path.lexists(f"{path}{end}") for end in UNDONE):
        return ""
    try:
        opened = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(opened) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
            connection.set_progress_handler(lambda: 1, STEPS)
            rows = connection.execute(DEVICES).fetchmany(MOST + 1)
        device = json.dumps(rows)
    except (sqlite3.Error, ValueError, TypeError):
        return ""
    if not rows:
        return NO_DEVICE
    return hashlib.sha256(device.encode()).hexdigest()[:16] if len(rows) <= MOST else ""
