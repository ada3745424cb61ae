"""How often systemd started a unit in the last hour and day, by the journal.

Counted is the message "Started" of the manager itself (SD_MESSAGE_UNIT_STARTED in
sd-messages(3)), which is logged at each start of a service, restarts included. Stamps are
microseconds since 1970: the zone of the journal's reader plays no part. The journal is
indexed by field, so one of any size is not read through.
"""

from __future__ import annotations

import json
import os
import time

from skill.service.model import Starts
from skill.service.tools import Tools

STARTED = "39f53479d3a045ac8e11786248231fbf"
HOUR, DAY = 3600, 86_400
MOST = 100_000
"""One start a second for a day, and more."""
UNSEEN = ("not seeing messages", "No journal files", "insufficient permissions")


def starts(tools: Tools, name: str, is_user: bool, restarts: int | None) -> Starts:
    """restarts: what the manager itself has counted."""
    now = time.time()
    # The manager's own messages: any program could log such a field.
    own = (f"USER_UNIT={name}", f"_UID={os.getuid()}") if is_user else (f"UNIT={name}", "_PID=1")
    answer = tools.ask(
        "journalctl",
        "--no-pager",
        "--output=json",
        "--output-fields=MESSAGE_ID",
        f"--since=@{int(now - DAY)}",
        f"--lines={MOST}",
        f"MESSAGE_ID={STARTED}",
        *own,
    )
    if not answer.is_good:
        return Starts(restarts=restarts, why=f"the journal: {answer.reason}")
    stamps = list(stamps_in(answer.out))
    hidden = next((line for line in answer.err.splitlines() if is_hidden(line)), "")
    if not stamps and hidden:
        return Starts(restarts=restarts, why=f"the journal: {hidden.strip()}")
    return counted(stamps, now, restarts)


def counted(stamps: list[float], now: float, restarts: int | None, why: str = "") -> Starts:
    """The starts at these times, in seconds since 1970."""
    hour, day = (sum(stamp >= now - span for stamp in stamps) for span in (HOUR, DAY))
    times = tuple(stamp for stamp in stamps if stamp >= now - DAY)
    return Starts(hour, day, restarts, why, times)


def is_hidden(line: str) -> bool:
    """Whether it says that there is more than this user may see, or nothing at all."""
    return any(words in line for words in UNSEEN)


def stamps_in(text: str) -> list[float]:
    """Seconds since 1970 of each message."""
    found = []
    for line in text.splitlines():
        try:
            found.append(int(json.loads(line)["__REALTIME_TIMESTAMP"]) / 1e6)
        except (ValueError, TypeError, LookupError):
            continue
    return found
