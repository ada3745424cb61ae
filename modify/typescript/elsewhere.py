"""Channels in two files: the socket is made in one, its listener stands in the other.

Either the listener's file calls an imported function that makes the socket, and is a channel
like any other; or the socket's file hands the socket to an imported function that
listens, and can be contained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.typescript.anchors import (
    hands_out_a_socket,
    named_around,
    registrations,
    socket_makers,
)
from modify.typescript.boot import resolve_import
from modify.typescript.channel import Channel
from modify.typescript.functions import named_functions
from modify.typescript.source import SUFFIXES, Source, callee_of, calls
from skill.errors import UnreadableSource
from skill.host import Host

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MAKES = b"WASocket"
NAME = re.compile(r"\w+")


def socket_factories(host: Host, source: Source) -> frozenset[str]:
    """Names that a file imports of functions that make a socket and hand it out."""
    found = set()
    for path, names in imports(host, source):
        if MAKES not in host.read(path):
            continue
        try:
            other = Source.read(host, path)
        except UnreadableSource:
            continue
        makers = socket_makers(other.root)
        found |= names & {
            function.name
            for function in named_functions(other.root)
            if hands_out_a_socket(function, makers)
        }
    return frozenset(found)


def handed_over(host: Host, listening: Source) -> Iterator[Channel]:
    """Channels of other files that give their socket to a listener of this one."""
    names = {
        function.name
        for registration, _, _ in registrations(listening.root)
        if (function := named_around(registration)) is not None
    }
    for file in host.with_suffix(*SUFFIXES):
        content = host.read(file.path)
        if file.path == listening.path or MAKES not in content:
            continue
        if not any(name.encode() in content for name in names):
            continue
        try:
            source = Source.read(host, file.path)
        except UnreadableSource:
            continue
        taken = {
            name
            for path, imported in imports(host, source)
            if path == listening.path
            for name in imported & names
        }
        yield from makers_that_call(source, taken)


def makers_that_call(source: Source, names: set[str]) -> Iterator[Channel]:
    for call in socket_makers(source.root):
        connect = named_around(call)
        if connect is not None and any(
            callee_of(each).rpartition(".")[2] in names for each in calls(connect.node)
        ):
            yield Channel(source, connect, call, call, "", call, call, apart=True)


def imports(host: Host, source: Source) -> Iterator[tuple[str, set[str]]]:
    """(path of a host file, names taken from it) for each relative import or require."""
    for statement in source.root.find_all(kind="import_statement"):
        module = statement.field("source")
        path = relative(host, source, module)
        if path is not None:
            clause = statement.text().partition(" from ")[0]
            yield path, set(NAME.findall(clause)) - {"import", "type", "as"}
    for declarator in source.root.find_all(kind="variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or value.kind() != "call_expression":
            continue
        if callee_of(value) != "require":
            continue
        path = relative(host, source, value.field("arguments"))
        if path is not None:
            yield path, set(NAME.findall(name.text()))


def relative(host: Host, source: Source, module: SgNode | None) -> str | None:
    named = re.search(r"['\"](\.[^'\"]*)['\"]", module.text()) if module is not None else None
    return resolve_import(host, source.path, named[1]) if named else None
