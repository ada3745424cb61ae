"""When the lines of a log were written, in seconds since 1970.

A stamp may name its zone, be in a zone that it does not name, or be a time of day alone, as
pino-pretty prints it. The zone of a process need not be that of whoever reads its log; but the file
was written last when its last line was, and that gives the difference.
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

DAY = 86_400.0
QUARTER = 900
"""Seconds: every zone's difference is a multiple of it."""
LATE = 20
"""Seconds that the file may have been written after the stamp of its last line."""
UNORDERED = 600
"""Seconds by which a line may stand before an earlier one, as two streams of a process do."""
FIRST = 200
"""Characters of a line in which its stamp is looked for."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PINO = re.compile(r'"(?:time|timestamp|ts)":\s*"?(\d{13})\b')
DATED = re.compile(
    r"(?<!\d)(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d+)?"
    r" ?(Z|UTC|[+-]\d\d:?\d\d)?"
)
SYSLOG = re.compile(r"^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)\b")
CLOCK = re.compile(r"^\W{0,2}(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?\b")
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


@dataclass(frozen=True, slots=True)
class Stamp:
    """seconds: since 1970 (``exact``), the same without its zone (``naive``), of a ``clock``."""

    kind: str
    seconds: float


def stamp_of(line: str, year: int) -> Stamp | None:
    """The stamp at the beginning of a line without colours, or None."""
    text = line[:FIRST]
    pino = PINO.search(text)
    if pino:
        return Stamp("exact", int(pino[1]) / 1000)
    try:
        if dated := DATED.search(text):
            given = timegm((*(int(part) for part in dated.groups()[:6]), 0, 0, 0))
            zone = dated[7]
            return Stamp("exact", given - seconds_of(zone)) if zone else Stamp("naive", given)
        if syslog := SYSLOG.match(text):
            month = MONTHS.index(syslog[1]) // 3 + 1
            numbers = (year, month, *(int(part) for part in syslog.groups()[1:]), 0, 0, 0)
            return Stamp("naive", timegm(numbers))
    except (ValueError, OverflowError):
        return None
    if clock := CLOCK.match(text):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return Stamp("clock", hours * 3600 + minutes * 60 + seconds)
    return None


def seconds_of(zone: str) -> int:
    """``+02:00`` in seconds east of Greenwich."""
    if zone in ("Z", "UTC"):
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def timed(lines: Sequence[str], written: float) -> list[tuple[float, str]]:
    """The lines with their times, first to last; one without a stamp has that of the one before.

    written: when the file was. Lines before the first stamp are left out. Times of day are counted
    back from the last line: a day with no line at all is not noticed.
    """
    year = time.gmtime(written).tm_year
    stamps = [stamp_of(line, year) for line in lines]
    zone = zone_of(stamps, written)
    times: list[float | None] = []
    following = written + zone + LATE
    for stamp in reversed(stamps):
        if stamp is None:
            times.append(None)
            continue
        at = stamp.seconds
        if stamp.kind == "clock":
            at += (following + UNORDERED - at) // DAY * DAY
        here = at + zone if stamp.kind == "exact" else at
        following = min(following, here)
        times.append(here - zone)
    times.reverse()
    found, last = [], None
    for at_last, line in zip(times, lines, strict=True):
        last = at_last if at_last is not None else last
        if last is not None:
            found.append((last, line))
    return found


def zone_of(stamps: Sequence[Stamp | None], written: float) -> float:
    """How far the log's own zone is east of Greenwich, in seconds: as it is here, unless shown."""
    local = datetime.fromtimestamp(written).astimezone().utcoffset()
    here = local.total_seconds() if local else 0.0
    last = next((stamp for stamp in reversed(stamps) if stamp is not None), None)
    if last is None or last.kind == "exact":
        return here
    apart = last.seconds - written
    if last.kind == "clock":
        apart = (apart + DAY / 2) % DAY - DAY / 2
    zone = round(apart / QUARTER) * QUARTER
    is_shown = abs(apart - zone) <= LATE and abs(zone) <= 14 * 3600
    # What was written without a stamp, after it, may be of hours later; but none is of before.
    is_last = stamps[-1] is not None or apart > here + LATE
    return float(zone) if is_shown and is_last else here


def plain(text: str) -> str:
    """A log without its colours."""
    return COLOUR.sub("", text)
