"""Channels in two files: the socket is made in one, its listener stands in the other.

Either the listener's file calls an imported function that makes the socket, and is a channel
like any other; or the socket's file hands the socket to an imported function that
listens: then its dial is held.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from modify.baileys.model.anchors import (
    hands_out_a_socket,
    leads_to,
    named_around,
    read_channels,
    registrations,
    socket_makers,
)
from modify.baileys.model.channel import EVENT, Channel, Factory
from modify.baileys.model.host_context import KEPT_IN_FOLDER, folder_given
from modify.baileys.model.socket_enders import Service, endings, name_of
from modify.baileys.model.startup import resolve_import
from modify.kit.typescript.functions import Function, function_run_by, named_functions
from modify.kit.typescript.source import ADDED, Source, callee_of, calls, nodes_of, same
from skill.host import Host, fact
from skill.source_paths import SCRIPTS, is_test

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
    for path, names in taken_by(host, source):
        for origin in origins(host, path):
            for name, factory in factories_in(host, origin, names, source.path):
                found.setdefault(name, factory)
    return found


def factories_in(
    host: Host, path: str, names: set[str], user: str
) -> Iterator[tuple[str, Factory]]:
    if MAKES not in host.read(path) or (source := Source.readable(host, path)) is None:
        return
    for function in factory_functions(host, source):
        if function.name in names:
            folder = folder_loaded(source, function)
            pairs = PAIRS.search(source.text) is not None
            shared = serves_others(host, path, function.name, user)
            yield function.name, Factory(folder, pairs, path, shared)


@fact
def factory_functions(_host: Host, source: Source) -> list[Function]:
    makers = socket_makers(source.root)
    return [
        function
        for function in named_functions(source.root)
        if hands_out_a_socket(function, makers)
    ]


@fact
def origins(host: Host, path: str) -> list[str]:
    """A file, and those whose names it passes on: ``export … from './simple.js'``."""
    found = [path]
    for each in found:  # it grows as it is read
        for module in PASSED_ON.findall(host.read(each)):
            target = resolve_import(host, each, module.decode("utf-8", "replace"))
            if target is not None and target not in found:
                found.append(target)
    return found


def aliased_imports(host: Host, source: Source) -> Iterator[tuple[str, set[str]]]:
    """(path of a host file, names) for each import by a path alias: ``@/lib/simple``."""
    for statement in nodes_of(source.root, "import_statement"):
        module = statement.field("source")
        alias = ALIASED.match(module.text()[1:-1]) if module is not None else None
        path = aliased(host, alias[1]) if alias else None
        if path is not None:
            clause = statement.text().partition(" from ")[0]
            yield path, set(NAME.findall(clause)) - {"import", "type", "as"}


@fact
def aliased(host: Host, rest: str) -> str | None:
    """Return the file that a path alias of a TypeScript project or a bundler stands for."""
    stem = re.sub(r"\.[cm]?[jt]sx?$", "", rest)
    ends = re.compile(rf"(^|/){re.escape(stem)}(/index)?\.\w+$")
    near = by_stem(host).get(posixpath.basename(stem), ())
    found = [path for path in near if ends.search(path)]
    return found[0] if len(found) == 1 else None


@fact
def by_stem(host: Host) -> dict[str, list[str]]:
    """The sources of a host, by their names without the last ending; an index also by its folder's.

    ``lib/simple.ts`` is ``simple``; ``lib/index.ts`` is ``index`` and ``lib``.
    """
    known: dict[str, list[str]] = {}
    for file in host.with_suffix(*SCRIPTS):
        folder, _, name = file.path.rpartition("/")
        stem = posixpath.splitext(name)[0]
        for each in {stem, posixpath.basename(folder)} if stem == "index" else {stem}:
            known.setdefault(each, []).append(file.path)
    return known


def serves_others(host: Host, path: str, name: str, user: str) -> bool:
    """Whether a file's function is called in yet another file than ``user``."""
    return bool(users_of(host, name).get(path, set()) - {path, user})


@fact
def users_of(host: Host, name: str) -> dict[str, set[str]]:
    """Return, by the file that a name comes from, the files that import and call it."""
    users: dict[str, set[str]] = {}
    called = re.compile(rf"(?<![\w.]){re.escape(name)}\(".encode())
    for file in host.with_suffix(*SCRIPTS):
        if is_test(file.path) or not called.search(host.read(file.path)):
            continue
        if (other := Source.readable(host, file.path)) is None:
            continue
        for target, names in taken_by(host, other):
            for origin in origins(host, target) if name in names else ():
                users.setdefault(origin, set()).add(file.path)
    return users


def lenders(host: Host, channel: Channel) -> Iterator[str]:
    """The files that export what a channel's file imports and calls to make its socket."""
    name = channel.maker.partition(".")[0]
    taken = [*imports(host, channel.source), *aliased_imports(host, channel.source)]
    for path, names in taken:
        if name in names:
            yield from origins(host, path)


def pairs_elsewhere(host: Host, source: Source) -> bool:
    """Whether a file that this one imports, or that imports it, listens for the QR code."""
    if any(listens_for_qr(host, path) for path, _ in imports(host, source)):
        return True
    users = importers_that_pair(host).get(source.path, set())
    return bool(users - {source.path})


@fact
def importers_that_pair(host: Host) -> dict[str, set[str]]:
    """Return, by path, the files that import it and listen for the QR code."""
    importers: dict[str, set[str]] = {}
    for file in host.with_suffix(*SCRIPTS):
        if not listens_for_qr(host, file.path):
            continue
        if (other := Source.readable(host, file.path)) is None:
            continue
        for path, _ in imports(host, other):
            importers.setdefault(path, set()).add(file.path)
    return importers


def run_elsewhere(host: Host, channel: Channel) -> frozenset[str]:
    """Names of the channel's functions that other files call while the bot is to stay up.

    Functions that end its socket; other files may do it to have the close branch reconnect.
    """
    names = {
        name
        for call in endings(channel)
        if (function := function_run_by(call)) is not None
        and (name := name_of(function)) is not None
    }
    return frozenset(name for name in names if is_run_elsewhere(host, channel, name))


def is_run_elsewhere(host: Host, channel: Channel, name: str) -> bool:
    own, connect = channel.source.path, channel.connect.name
    callers = callers_of(host, name)
    if run_by_owner(host, name, connect) - {own}:
        return True
    importers = {path for path in callers.importers.get(own, ()) if path != own}
    return any(
        service_of(callers.sources[path], connect).reaches(call)
        for path in importers
        for call in callers.sources[path].called.get(name, ())
        if "." in callee_of(call) or name in callers.taken[path, own]
    )


@dataclass
class Callers:
    """The files that may call a function of some other file, tests left out.

    importers: those that import a file, by its path. taken: what one imports from another.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    importers: dict[str, list[str]] = field(default_factory=dict)
    taken: dict[tuple[str, str], set[str]] = field(default_factory=dict)


@fact
def callers_of(host: Host, name: str) -> Callers:
    """Return the files that call something of a name."""
    found = Callers()
    called = f"{name}(".encode()
    for file in host.with_suffix(*SCRIPTS):
        if called not in host.read(file.path) or is_test(file.path):
            continue
        if (source := Source.readable(host, file.path)) is None:
            continue
        found.sources[file.path] = source
        for path, names in imports(host, source):
            found.importers.setdefault(path, []).append(file.path)
            found.taken.setdefault((file.path, path), set()).update(names)
    return found


@fact
def run_by_owner(host: Host, name: str, connect: str) -> set[str]:
    """The files that call a function in normal running on what is named like a bot's channel.

    Two are enough: one of them is another than the channel's own.
    """
    files = (
        path
        for path, source in callers_of(host, name).sources.items()
        if any(
            OF_A_BOT.search(callee_of(call).rpartition(".")[0])
            and service_of(source, connect).reaches(call)
            for call in source.called.get(name, ())
            if "." in callee_of(call)
        )
    )
    return set(islice(files, 2))


def service_of(source: Source, connect: str) -> Service:
    """The Service of a file, in which calls of connect(), start() and the like reconnect."""
    again = re.compile(rf"(^|\.)({re.escape(connect)}|connect|start|init|setup)$")
    return Service(
        source, (), lambda function: any(again.search(callee_of(c)) for c in calls(function))
    )


@fact
def listens_for_qr(host: Host, path: str) -> bool:
    content = host.read(path)
    if EVENT.encode() not in content or ADDED in content or is_test(path):
        return False
    return PAIRS.search(content.decode("utf-8", "replace")) is not None


def folder_loaded(source: Source, factory: Function) -> str | None:
    """A factory's argument to ``useMultiFileAuthState``, if it is valid in other files, too."""
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
    for path, imported in importers_that_make(host).get(listening.path, {}).items():
        content = host.read(path)
        if path == listening.path or not any(name.encode() in content for name in names):
            continue
        if imported & names:
            yield from makers_that_call(host, Source.read(host, path), imported & names)


@fact
def importers_that_make(host: Host) -> dict[str, dict[str, set[str]]]:
    """Return, by path, the files that import it and may make a socket, with the names they take."""
    importers: dict[str, dict[str, set[str]]] = {}
    for file in host.with_suffix(*SCRIPTS):
        if MAKES not in host.read(file.path):
            continue
        if (source := Source.readable(host, file.path)) is None:
            continue
        for path, imported in imports(host, source):
            importers.setdefault(path, {}).setdefault(file.path, set()).update(imported)
    return importers


def makers_that_call(host: Host, source: Source, names: set[str]) -> Iterator[Channel]:
    watched = read_channels(source, socket_factories(host, source))
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


@fact
def taken_by(host: Host, source: Source) -> list[tuple[str, set[str]]]:
    """(path of a host file, names taken from it) for each import, path aliases included."""
    return [*imports(host, source), *aliased_imports(host, source)]


@fact
def imports(host: Host, source: Source) -> list[tuple[str, set[str]]]:
    """(path of a host file, names taken from it) for each relative import or require."""
    return [*relative_imports(host, source)]


def relative_imports(host: Host, source: Source) -> Iterator[tuple[str, set[str]]]:
    for statement in nodes_of(source.root, "import_statement"):
        module = statement.field("source")
        path = relative(host, source, module)
        if path is not None:
            clause = statement.text().partition(" from ")[0]
            yield path, set(NAME.findall(clause)) - {"import", "type", "as"}
    for declarator in nodes_of(source.root, "variable_declarator"):
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
