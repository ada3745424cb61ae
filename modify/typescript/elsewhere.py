"""Channels in two files: the socket is made in one, its listener stands in the other.

Either the listener's file calls an imported function that makes the socket, and is a channel
like any other; or the socket's file hands the socket to an imported function that
listens: then its dial is held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.typescript.anchors import (
    hands_out_a_socket,
    leads_to,
    named_around,
    read_channels,
    registrations,
    socket_makers,
)
from modify.typescript.boot import resolve_import
from modify.typescript.channel import EVENT, Channel, Factory
from modify.typescript.enders import Service, endings, name_of
from modify.typescript.functions import Function, function_run_by, named_functions
from modify.typescript.places import KEPT_IN_FOLDER, folder_given
from modify.typescript.source import ADDED, SUFFIXES, Source, callee_of, calls, same
from skill.errors import UnreadableSource
from skill.host import Host

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MAKES = b"WASocket"
# 'auth', process.env.AUTH_DIR || 'auth': the same in every file.
PORTABLE = re.compile(r"(process\.env\.\w+\s*(\|\||\?\?)\s*)?(['\"])[^'\"\\]+\3$")
PAIRS = re.compile(r"\bqr\b|\brequestPairingCode\b|\bprintQRInTerminal\s*:\s*true", re.IGNORECASE)
NAME = re.compile(r"\w+")
PASSED_ON = re.compile(rb"\bexport\s*(?:\*|\{)[^;]*?\bfrom\s*['\"](\.[^'\"]*)['\"]")
# Folders of the host itself, as bundlers and TypeScript name them.
ALIASED = re.compile(r"^(?:@/|~/|#|src/)(.+)$")
OF_A_BOT = re.compile(
    r"whats|wa\b|baileys|sock|channel|\bch\b|bot|client|conn|instance|session|adapter",
    re.IGNORECASE,
)


def socket_factories(host: Host, source: Source) -> dict[str, Factory]:
    """The functions that make a socket and hand it out, by the names that a file imports."""
    found: dict[str, Factory] = {}
    taken = [*imports(host, source), *aliased_imports(host, source)]
    for path, names in taken:
        for origin in origins(host, path):
            for name, factory in factories_in(host, origin, names, source.path):
                found.setdefault(name, factory)
    return found


def factories_in(
    host: Host, path: str, names: set[str], user: str
) -> Iterator[tuple[str, Factory]]:
    if MAKES not in host.read(path):
        return
    try:
        source = Source.read(host, path)
    except UnreadableSource:
        return
    makers = socket_makers(source.root)
    for function in named_functions(source.root):
        if function.name in names and hands_out_a_socket(function, makers):
            folder = folder_loaded(source, function)
            pairs = PAIRS.search(source.text) is not None
            shared = serves_others(host, path, function.name, user)
            yield function.name, Factory(folder, pairs, path, shared)


def origins(host: Host, path: str) -> list[str]:
    """A file, and those whose names it passes on: ``export … from './simple.js'``."""
    found = [path]
    for each in found:
        for module in PASSED_ON.findall(host.read(each)):
            target = resolve_import(host, each, module.decode("utf-8", "replace"))
            if target is not None and target not in found:
                found.append(target)
    return found


def aliased_imports(host: Host, source: Source) -> Iterator[tuple[str, set[str]]]:
    """(path of a host file, names) for each import by a path alias: ``@/lib/simple``."""
    for statement in source.root.find_all(kind="import_statement"):
        module = statement.field("source")
        alias = ALIASED.match(module.text()[1:-1]) if module is not None else None
        path = aliased(host, alias[1]) if alias else None
        if path is not None:
            clause = statement.text().partition(" from ")[0]
            yield path, set(NAME.findall(clause)) - {"import", "type", "as"}


def aliased(host: Host, rest: str) -> str | None:
    """The file that a path alias of a TypeScript project or a bundler stands for."""
    stem = re.escape(re.sub(r"\.[cm]?[jt]sx?$", "", rest))
    ends = re.compile(rf"(^|/){stem}(/index)?\.\w+$")
    found = [file.path for file in host.with_suffix(*SUFFIXES) if ends.search(file.path)]
    return found[0] if len(found) == 1 else None


def serves_others(host: Host, path: str, name: str, user: str) -> bool:
    """Whether a file's function is called in yet another file than ``user``."""
    from modify.typescript import TEST_FILE

    called = re.compile(rf"(?<![\w.]){re.escape(name)}\(".encode())
    for file in host.with_suffix(*SUFFIXES):
        if file.path in (path, user) or TEST_FILE.search(file.path):
            continue
        if not called.search(host.read(file.path)):
            continue
        try:
            other = Source.read(host, file.path)
        except UnreadableSource:
            continue
        taken = [*imports(host, other), *aliased_imports(host, other)]
        if any(name in names and path in origins(host, target) for target, names in taken):
            return True
    return False


def lenders(host: Host, channel: Channel) -> Iterator[str]:
    """The files that export what a channel's file imports and calls to make its socket."""
    name = callee_of(channel.socket_call).partition(".")[0]
    taken = [*imports(host, channel.source), *aliased_imports(host, channel.source)]
    for path, names in taken:
        if name in names:
            yield from origins(host, path)


def pairs_elsewhere(host: Host, source: Source) -> bool:
    """Whether a file that this one imports, or that imports it, listens for the QR code."""
    for path in {path for path, _ in imports(host, source)}:
        if listens_for_qr(host, path):
            return True
    for file in host.with_suffix(*SUFFIXES):
        if file.path == source.path or not listens_for_qr(host, file.path):
            continue
        try:
            other = Source.read(host, file.path)
        except UnreadableSource:
            continue
        if any(path == source.path for path, _ in imports(host, other)):
            return True
    return False


def run_elsewhere(host: Host, channel: Channel) -> frozenset[str]:
    """Names of the channel's functions that other files call while the bot is to stay up.

    Functions that end its socket; other files may do it to have the close branch dial anew.
    """
    from modify.typescript import TEST_FILE

    names = {
        name
        for call in endings(channel)
        if (function := function_run_by(call)) is not None
        and (name := name_of(function)) is not None
    }
    found: set[str] = set()
    for file in host.with_suffix(*SUFFIXES) if names else []:
        content = host.read(file.path)
        asked = {name for name in names if f"{name}(".encode() in content}
        if not asked or file.path == channel.source.path or TEST_FILE.search(file.path):
            continue
        try:
            source = Source.read(host, file.path)
        except UnreadableSource:
            continue
        taken = [each for path, each in imports(host, source) if path == channel.source.path]
        found |= set(run_in_service(source, channel, asked, taken))
    return frozenset(found)


def run_in_service(
    source: Source, channel: Channel, names: set[str], imported: list[set[str]]
) -> Iterator[str]:
    """Those of the names that a file calls in normal running, and does not dial itself after."""
    again = re.compile(rf"(^|\.)({re.escape(channel.connect.name)}|connect|start|init|setup)$")
    service = Service(
        source, (), lambda function: any(again.search(callee_of(c)) for c in calls(function))
    )
    for call in calls(source.root):
        owner, _, name = callee_of(call).rpartition(".")
        known = imported or OF_A_BOT.search(owner) if owner else any(name in n for n in imported)
        if name in names and known and service.reaches(call):
            yield name


def listens_for_qr(host: Host, path: str) -> bool:
    from modify.typescript import TEST_FILE

    content = host.read(path)
    if EVENT.encode() not in content or ADDED in content or TEST_FILE.search(path):
        return False
    return PAIRS.search(content.decode("utf-8", "replace")) is not None


def folder_loaded(source: Source, factory: Function) -> str | None:
    """What a factory gives to ``useMultiFileAuthState``, if another file can write it, too."""
    loads = [call for call in calls(factory.node) if KEPT_IN_FOLDER.search(callee_of(call))]
    given = folder_given(loads[0]) if len(loads) == 1 else None
    if given is None:
        return None
    folder = constant_of(source, given).text()
    return folder if PORTABLE.match(folder) else None


def constant_of(source: Source, node: SgNode) -> SgNode:
    """The value of a ``const`` of the file's top level; any other node is itself."""
    if node.kind() != "identifier":
        return node
    for statement in source.root.children():
        for declarator in statement.children() if statement.text().startswith("const ") else []:
            name = declarator.field("name") if declarator.kind() == "variable_declarator" else None
            value = declarator.field("value") if name is not None else None
            if name is not None and value is not None and name.text() == node.text():
                return value
    return node


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
        yield from makers_that_call(host, source, taken)


def makers_that_call(host: Host, source: Source, names: set[str]) -> Iterator[Channel]:
    watched = read_channels(source, socket_factories(host, source)) if names else []
    for call in socket_makers(source.root):
        connect = named_around(call)
        if connect is None:
            continue
        if any(same(connect.node, each.connect.node) for each in watched):
            continue  # it has a listener of its own, and is a channel by that
        if leads_to(connect, names, source.root) or any(
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
