"""Holds the dial itself: the call that makes the socket is wrapped, and nothing else changes.

``makeWASocket({…})`` becomes ``reconnect.socket(makeWASocket, {…})``: attempts are bounded,
whatever loop the host has around them and wherever its credentials and listeners lie.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from modify.baileys.hold.module_home import Home, specifier
from modify.baileys.model.anchors import held_names, is_held
from modify.baileys.rewrite.instance import first_code
from modify.baileys.search.makers import Makers, Value
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.packages import dependencies, module_system, packages_around
from modify.kit.typescript.source import Source, callee_of, end_of, span, start_of
from modify.kit.typescript.style import detect_style, prettier_configuration
from modify.kit.typescript.wrap_call import why_not_wrapped, wrapped
from modify.rules import ids
from skill.edit import Edit
from skill.host import Host

if TYPE_CHECKING:
    from ast_grep_py import SgNode

RULE = ids.UNGATED_CONNECT
FIX = "each attempt waits for its turn: at most 20 in any hour, across restarts"
MESSAGE = "makeWASocket is called without a limit on attempts"
UNBOUNDED = 10_000  # columns, where no formatter looks after them
NAMES = ("reconnect", "whatsappReconnect", "reconnection", "pacedReconnect")
VALUES = ("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern")


@dataclass
class Dials:
    """The calls of one file that make a socket.

    free: to be wrapped. held: wrapped already. left: in the functions kept, which are rewritten
    or right as they are. lost: (call, why) of those that cannot be wrapped.
    """

    source: Source
    free: list[SgNode] = field(default_factory=list)
    held: list[SgNode] = field(default_factory=list)
    left: list[SgNode] = field(default_factory=list)
    kept: list[SgNode] = field(default_factory=list)
    lost: list[tuple[SgNode, str]] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        """Whether every dial of the file waits for its turn, or will."""
        return bool(self.free or self.held) and not self.lost


class Spans:
    """Places of a file, as the fewest stretches that cover them."""

    def __init__(self, nodes: Iterable[SgNode]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted(span(node) for node in nodes):
            if not self.ends or end > self.ends[-1]:
                self.starts.append(start)
                self.ends.append(end)

    def hold(self, node: SgNode) -> bool:
        start, end = span(node)
        place = bisect_right(self.starts, start) - 1
        return place >= 0 and end <= self.ends[place]


def dials_of(makers: Makers, source: Source, left: Iterable[SgNode]) -> Dials:
    """left: functions whose calls stay as they are."""
    found = Dials(source, kept=list(left))
    kept = Spans(found.kept)
    for call, value in makers.calls_in(source):
        if kept.hold(call):
            found.left.append(call)
            continue
        why = why_not(call, value)
        if why is None:
            found.free.append(call)
        else:
            found.lost.append((call, why))
    found.held = [call for call in source.called.get("socket", ()) if is_held(call)]
    return found


def why_not(call: SgNode, value: Value) -> str | None:
    """Why a call cannot be wrapped, or None."""
    if value.kind == "unknown":
        return f"where {callee_of(call)[:60]} comes from was not found"
    return why_not_wrapped(call)


# --- the change of one file ---------------------------------------------------------------


def wrap(
    host: Host, makers: Makers, dials: Dials, home: Home, taken: Collection[str] = ()
) -> list[Edit]:
    """The edits that hold a file's dials: the calls, its credentials, the import.

    taken: names that a rewrite of the same file brings.
    """
    source = dials.source
    style = replace(
        detect_style(host, source.path, source.text), modules=module_system(host, source)
    )
    layout = Layout(style if is_formatted(host, source.path) else replace(style, width=UNBOUNDED))
    known = module_name(source)
    name = known or free_name(source, taken)
    wraps = [(call, f"{name}.socket") for call in dials.free]
    kept = Spans(dials.kept)
    wraps += [
        (call, f"{name}.authState") for call in makers.loads_in(source) if not kept.hold(call)
    ]
    edits = []
    starts = sorted(start_of(call) for call, _ in wraps)
    for call, wrapper in wraps:
        start, end = span(call)
        after = bisect_right(starts, start)
        holds_another = after < len(starts) and starts[after] < end
        edits += [
            source.edit(start, end, text, RULE)
            for start, end, text in wrapped(source, layout, call, wrapper, holds_another)
        ]
    if known is None:
        place, text = import_line(source, layout, name, specifier(source.path, home, style), dials)
        edits.append(source.edit(place, place, text, RULE))
    return edits


def is_formatted(host: Host, path: str) -> bool:
    """Whether the host runs a formatter over a file, as far as can be seen."""
    packages = packages_around(host, path)
    return bool(prettier_configuration(host, path)) or any(
        "prettier" in dependencies(package) for package in packages
    )


# --- the import -----------------------------------------------------------------------------


def module_name(source: Source) -> str | None:
    """The local name of the added module, where the file imports it as a whole; else None."""
    return next(iter(held_names(source.root)), None)


def free_name(source: Source, more: Collection[str]) -> str:
    taken = set(more) | {
        name for name, nodes in source.names.items() if any(node.kind() in VALUES for node in nodes)
    }
    return next(name for name in NAMES if name not in taken)


def import_line(
    source: Source, layout: Layout, name: str, module: str, dials: Dials
) -> tuple[int, str]:
    """(where, what): behind the file's own imports, in its way."""
    quoted, end = layout.quoted(module), layout.end
    top = source.root.children()
    if layout.style.modules == "esm":
        line = f"import * as {name} from {quoted}{end}\n"
        imports = [node for node in top if node.kind() == "import_statement"]
        local = [node for node in imports if re.search(r"from\s*['\"]\.", node.text())]
        anchors = local or imports
    else:
        line = f"const {name} = require({quoted}){end}\n"
        first = min(start_of(call) for call in dials.free)
        anchors = [
            node
            for node in top
            if node.kind() in ("lexical_declaration", "variable_declaration")
            and re.search(r"=\s*require\(", node.text())
            and "=>" not in node.text()
            and end_of(node) < first
        ]
    if not anchors:
        return first_code(source.root), line + "\n"
    place = source.line_end(end_of(anchors[-1]))
    if not source.text[:place].endswith("\n"):
        line = "\n" + line
    return place, line
