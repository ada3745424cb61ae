"""A systemd unit, understood as systemd reads it (systemd.syntax(7), systemd.service(5)).

A later assignment wins, except in lists; an empty one resets a list and is ignored for
``Restart=`` and for times (systemd 252: "Failed to parse … ignoring"). ``#`` and ``;``
begin comments, in continued lines too. A section may stand twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from modify.units.model import Line, UnitText

# systemd.time(7), units of a time span, in seconds.
SPAN_UNITS = {
    **dict.fromkeys(("usec", "us", "µs", "μs"), 1e-6),
    **dict.fromkeys(("msec", "ms"), 1e-3),
    **dict.fromkeys(("", "seconds", "second", "sec", "s"), 1.0),
    **dict.fromkeys(("minutes", "minute", "min", "m"), 60.0),
    **dict.fromkeys(("hours", "hour", "hr", "h"), 3600.0),
    **dict.fromkeys(("days", "day", "d"), 86400.0),
    **dict.fromkeys(("weeks", "week", "w"), 604800.0),
}
SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zµμ]*)")
# Settings of Restart= after which an exit status of 0 starts the program again.
RESTARTS_ON_SUCCESS = ("always", "on-success")
# Pause and limit where a unit names none: DefaultRestartSec=, DefaultStartLimit*=.
DEFAULT_PAUSE = 0.1
DEFAULT_INTERVAL = 10.0
DEFAULT_BURST = 5
# Seconds between two starts of a bot.
PAUSE = 10


@dataclass(frozen=True)
class Directive:
    """One assignment. value: as systemd sees it; source: as it is written, holes as code.

    first, last: its lines. value_start, value_end: the bytes of the value.
    """

    section: str
    name: str
    value: str
    source: str
    first: Line
    last: Line
    start: int
    value_start: int
    value_end: int
    computed: bool


@dataclass(frozen=True)
class Header:
    """A ``[Section]`` line."""

    section: str
    line: Line


@dataclass(frozen=True)
class SystemdUnit:
    """The directives of a unit in their order.

    base: the unit that a drop-in adds to. waits_for: where the bot ends with a failure while
    something else is missing (``modify.units.dependency``), or nothing. version: of the systemd
    that reads it; 0: not known.
    """

    text: UnitText
    headers: tuple[Header, ...]
    directives: tuple[Directive, ...]
    base: SystemdUnit | None = None
    waits_for: str = ""
    version: int = 0

    def all(self, section: str, *names: str) -> list[Directive]:
        return [item for item in self.directives if item.section == section and item.name in names]

    def last(self, section: str, *names: str) -> Directive | None:
        """The assignment that counts: the last one that is not empty."""
        return next((item for item in reversed(self.all(section, *names)) if item.value), None)

    @cached_property
    def restart(self) -> Directive | None:
        return self.last("Service", "Restart")

    @property
    def is_drop_in(self) -> bool:
        return bool(re.search(r"\.service\.d/[^/]+\.conf$", self.text.path))

    @property
    def is_one_shot(self) -> bool:
        kind = self.last("Service", "Type")
        if kind is None and self.base is not None:
            return self.base.is_one_shot
        return kind is not None and kind.value == "oneshot"

    @property
    def command(self) -> Directive | None:
        """The ``ExecStart=`` that counts; an empty one takes the earlier ones back."""
        commands = self.all("Service", "ExecStart")
        return commands[-1] if commands and commands[-1].value else None

    @property
    def folder(self) -> str:
        folder = self.last("Service", "WorkingDirectory")
        return folder.source.lstrip("-") if folder else ""


def parse(text: UnitText) -> SystemdUnit:
    headers: list[Header] = []
    directives: list[Directive] = []
    section = ""
    for lines in logical_lines(text):
        first, last = lines[0], lines[-1]
        seen = text.seen(first.start, first.end).decode("utf-8", "replace")
        if seen.lstrip().startswith("["):
            section = seen.strip().strip("[]")
            headers.append(Header(section, first))
        elif "=" in seen:
            directives.append(read_directive(text, section, first, last, lines))
    return SystemdUnit(text, tuple(headers), tuple(directives))


def logical_lines(text: UnitText) -> Iterator[list[Line]]:
    """The unit's lines without blanks and comments; a continued line with what goes on."""
    pending: list[Line] = []
    for line in text.lines:
        seen = text.seen(line.start, line.end).strip()
        if seen[:1] in (b"#", b";") or (not seen and not pending):
            continue
        pending.append(line)
        if len(seen) - len(seen.rstrip(b"\\")) & 1:
            continue
        yield pending
        pending = []
    if pending:
        yield pending


def read_directive(
    text: UnitText, section: str, first: Line, last: Line, lines: list[Line]
) -> Directive:
    seen = text.seen(first.start, first.end)
    equals = seen.index(b"=")
    # {more_lines}ExecStart=…: what a hole at the start of a line brings is lines of its own.
    name_start = first.start + len(seen) - len(seen.lstrip())
    name_start = next((end for begin, end in text.holes if begin == name_start), name_start)
    name_start = min(name_start, first.start + equals)
    value_start = first.start + equals + 1
    value_start += len(seen[equals + 1 :]) - len(seen[equals + 1 :].lstrip())
    value_end = last.start + len(text.seen(last.start, last.end).rstrip())
    value_end = max(value_end, value_start)
    pieces, sources = [], []
    for line in lines:
        start = value_start if line is first else line.start
        end = value_end if line is last else line.end
        piece = text.seen(start, end)
        if line is not last:
            piece = piece.rstrip().removesuffix(b"\\")
        # Undecodable bytes keep their count, so that value and source stay parallel.
        pieces.append(piece.decode("latin-1"))
        sources.append(source_of(text, start, start + len(piece)))
    return Directive(
        section=section,
        name=text.seen(name_start, first.start + equals).strip().decode("utf-8", "replace"),
        value=" ".join(pieces),
        source=" ".join(sources),
        first=first,
        last=last,
        start=name_start,
        value_start=value_start,
        value_end=value_end,
        computed=text.is_computed(value_start, value_end) or bool(PLACEHOLDER.search(seen)),
    )


def source_of(text: UnitText, start: int, end: int) -> str:
    """A value as it is written. A hole of Python with blanks in it becomes what it writes."""
    parts, position = [], start
    for begin, close in text.holes:
        if not start <= begin < close <= end or not CODE.fullmatch(text.content[begin:close]):
            continue
        hole = text.content[begin:close].decode("latin-1")
        parts += [text.content[position:begin].decode("latin-1"), *(text.resolve(hole) or ("{_}",))]
        position = close
    return "".join([*parts, text.content[position:end].decode("latin-1")])


# {f" {x}" if x else ""}: no word of a command line.
CODE = re.compile(rb"\{(?=.*[\s{]).*\}", re.DOTALL)
# {{ name }}, {% if %}, @NAME@: filled in by a template engine before systemd reads it.
PLACEHOLDER = re.compile(rb"=\s*(\{[\{%]|@\w+@|<\w+>|\$[\{\w])")


def seconds(value: str) -> float | None:
    """A time span in seconds: ``5``, ``500ms``, ``1min 30s``, ``infinity``; else None."""
    value = value.strip()
    if value == "infinity":
        return math.inf
    total, position = 0.0, 0
    while position < len(value):
        found = SPAN.match(value, position)
        if found is None or found[2] not in SPAN_UNITS:
            return None
        total += float(found[1]) * SPAN_UNITS[found[2]]
        position = found.end()
        if not value[position:].strip():
            break
    return total if value else None
