"""Units in shell scripts: heredocs (``cat > x.service <<EOF``) and quoted texts (``UNIT="…"``).

The script is never run; what the shell would fill in (``$NODE_BIN``, ``$(pwd)``,
``${PROJECT_PATH}``) is a hole unless the delimiter is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from modify.units.locate.marks import kind_of, may_hold_any
from modify.units.model import Form, UnitText
from skill.edit import Range
from skill.host import Host

OPENING = re.compile(rb"<<(-?)[ \t]*(\\?)(['\"]?)(\w+)\3[^\n]*\n")
QUOTED = re.compile(rb"""^[ \t]*\w+=(["'])(\[Unit\][^"']*)\1""", re.MULTILINE)
FOLLOWED = 4
HOLE = re.compile(rb"\$\((?:[^()\n]|\([^()\n]*\))*\)|\$\{[^}\n]*\}|\$\w+|`[^`\n]*`")


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.with_suffix(".sh", ".bash", ".zsh"):
        content = host.read(file.path)
        if may_hold_any(content):
            yield from in_shell(file.path, content, 0, len(content), "heredoc")
            yield from in_quotes(file.path, content)


def in_shell(path: str, content: bytes, start: int, end: int, form: Form) -> Iterator[UnitText]:
    """Heredocs between two offsets of the file."""
    position = start
    unclosed: set[bytes] = set()  # each is looked for once, however many heredocs open with it
    while opening := OPENING.search(content, position, end):
        position = opening.end()
        if opening[4] in unclosed:
            continue
        closing = re.compile(rb"^[ \t]*" + re.escape(opening[4]) + rb"[ \t]*\r?$", re.MULTILINE)
        found = closing.search(content, position, end)
        if found is None:
            unclosed.add(opening[4])
            continue
        body = content[position : found.start()]
        kind = kind_of(body)
        if kind is not None:
            quoted = bool(opening[2] or opening[3])
            holes = () if quoted else holes_of(content, position, found.start())
            known = partial(resolve, content, position)
            yield UnitText(path, content, position, found.start(), kind, form, holes, False, known)
        position = found.end()


def in_quotes(path: str, content: bytes) -> Iterator[UnitText]:
    """Units that are the value of a variable."""
    for value in QUOTED.finditer(content):
        start, end = value.span(2)
        kind = kind_of(value[2])
        if kind is not None:
            holes = holes_of(content, start, end) if value[1] == b'"' else ()
            known = partial(resolve, content, start)
            yield UnitText(path, content, start, end, kind, "heredoc", holes, False, known)


def holes_of(content: bytes, start: int, end: int) -> tuple[Range, ...]:
    return tuple(
        hole.span()
        for hole in HOLE.finditer(content, start, end)
        if content[hole.start() - 1 : hole.start()] != b"\\"
    )


def resolve(content: bytes, before: int, hole: str) -> tuple[str, ...]:
    """The value of a variable, by the last assignment above: ``NODE=$(command -v node)`` → node."""
    for _ in range(FOLLOWED):
        default = re.fullmatch(r"\$\{\w+:-([^}]*)\}", hole)
        if default:
            return (default[1],)
        found = re.fullmatch(r"\$\{?(\w+)\}?", hole)
        if found is None:
            return ()
        assignment = re.compile(
            rb"^[ \t]*(?:export |local |readonly )?" + found[1].encode() + rb"=(.*)$", re.MULTILINE
        )
        values = [match[1] for match in assignment.finditer(content, 0, before)]
        if not values:
            return ()
        value = values[-1].decode("utf-8", "replace").strip().strip("\"'")
        looked_up = re.fullmatch(r"\$\((?:command -v|which)\s+([\w.-]+)[^)]*\)", value)
        if looked_up:
            return (looked_up[1],)
        inner = re.fullmatch(r"\$\((?:realpath|readlink -f)\s+\"?(\$\{?\w+\}?)\"?\)", value)
        hole = inner[1] if inner else value
        if not re.fullmatch(r"\$\{?\w+(:-[^}]*)?\}?", hole):
            return (value,)
    return ()
