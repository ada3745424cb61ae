"""Where a host connects a neonize client, and the loop of its own that it may have around it.

``connect()`` of a synchronous client blocks until the client is stopped; that of an
asynchronous one returns a task at once, which ``idle()`` waits for. Both raise NeonizeError
when the first attempt fails (neonize 0.5.2, seen with a refusing proxy and without a network):
``connect()`` itself, or ``idle()``. Nothing tries again then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from modify.kit.python.source import Source, all_of, called, dotted, target_of
from modify.kit.python.waits import Wait
from modify.neonize.client import MAKES, Client, Registration, bare
from modify.neonize.session import EYE, flat_pause

# Events whose handlers end a client or notify the gate; each stands for a handler.
TOLD = (*EYE, "DisconnectedEv", "KeepAliveTimeoutEv")
ENDS = ("stop", "disconnect")
OURS = re.compile(r"(?:^|[\W])NewA?Client\b")
TURNS = ("next_turn", "next_turn_sync")


@dataclass(frozen=True)
class Site:
    """A place that connects: ``client.connect()``, or ``client.connect`` handed to a thread.

    client: what the client is called there; loop: the loop of the host's own around it, in the
    same function or around a call of that function.
    """

    node: cst.Attribute
    call: cst.Call | None
    client: str
    function: cst.FunctionDef | None
    loop: cst.While | None


@dataclass(eq=False)
class Dialling:
    """How the one client of a file is connected, ended and listened to.

    creation: ``client = NewClient(database)``, called so; made: the call in it. once: functions
    that connect for one purpose, such as a login, and stop the client whatever comes of it.
    """

    client: Client
    sites: list[Site] = field(default_factory=list)
    creation: cst.SimpleStatementLine | None = None
    called: str = ""
    made: cst.Call | None = None
    creations: int = 0
    once: list[cst.FunctionDef] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return self.client.source

    @property
    def loops(self) -> list[cst.While]:
        found: list[cst.While] = []
        for site in self.sites:
            if site.loop is not None and site.loop not in found:
                found.append(site.loop)
        return found

    @property
    def unpaced_loops(self) -> list[cst.While]:
        return [loop for loop in self.loops if not is_paced(loop)]

    def pauses(self, loop: cst.While) -> list[Wait]:
        """The host's own waits in a loop, which stay: the gate counts them in."""
        lines = all_of(loop, cst.SimpleStatementLine)
        return [wait for wait in map(flat_pause, lines) if wait is not None]

    def attributes(self, names: tuple[str, ...]) -> Iterator[tuple[cst.Attribute, str]]:
        """``client.stop`` and the like, called or handed on, and what the client is called."""
        for node in all_of(self.source.module, cst.Attribute, functions=True):
            name = dotted(node)
            base, _, last = name.rpartition(".")
            if last in names and self.is_client(base) and not is_foreign(self.source, node, base):
                yield node, base

    def is_client(self, name: str) -> bool:
        """``self._client`` is the local ``client``, as far as a file tells."""
        return bool(name) and bare(name) == bare(self.client.name)

    def told(self) -> list[Registration]:
        return [item for item in self.client.registrations if item.event in TOLD]


def is_foreign(source: Source, node: cst.CSTNode, name: str) -> bool:
    """Whether a ``client`` belongs to another library: ``client = mqtt.Client()``.

    A value returned by a function of the host may be neonize's.
    """
    function = source.nearest(node, cst.FunctionDef)
    scope: cst.CSTNode = source.module
    if function is not None and "." not in name:
        scope = function
        for parameter in function.params.params:
            if parameter.name.value == name and parameter.annotation is not None:
                kind = source.text(parameter.annotation.annotation).strip("'\"")
                return not (OURS.search(kind) or kind in ("Any", "typing.Any", "object"))
    theirs = imported(source)
    for value in values_of(scope, name):
        made = called(value)
        if MAKES.search("." + made):
            return False
        # A class, or a function of another module.
        if made.rpartition(".")[2][:1].isupper() or made.partition(".")[0] in theirs:
            return True
    return False


def imported(source: Source) -> set[str]:
    """The names that the imports of a file bind."""
    items: list[cst.ImportAlias] = []
    for plain in all_of(source.module, cst.Import, functions=True):
        items += plain.names
    for line in all_of(source.module, cst.ImportFrom, functions=True):
        items += [] if isinstance(line.names, cst.ImportStar) else line.names
    names = (item.evaluated_alias or dotted(item.name) for item in items)
    return {name.partition(".")[0] for name in names}


def values_of(scope: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression]:
    """The values given to a name by ``=`` or ``with`` in a scope; to an attribute in a file."""
    everywhere = isinstance(scope, cst.Module) and "." in name
    for item in all_of(scope, cst.Assign, functions=everywhere):
        if any(dotted(target.target) == name for target in item.targets):
            yield item.value
    for typed in all_of(scope, cst.AnnAssign, functions=everywhere):
        if dotted(typed.target) == name and typed.value is not None:
            yield typed.value
    for opened in all_of(scope, cst.WithItem, functions=everywhere):
        if opened.asname is not None and dotted(opened.asname.name) == name:
            yield opened.item


def dialling(client: Client) -> Dialling:
    found = Dialling(client)
    source = client.source
    for line in all_of(source.module, cst.SimpleStatementLine, functions=True):
        small = line.body[0]
        if not isinstance(small, (cst.Assign, cst.AnnAssign)):
            continue
        made = small.value
        if isinstance(made, cst.Call) and MAKES.search("." + called(made)):
            found.creations += 1
            name = dotted(target_of(small))
            if found.is_client(name):
                found.creation, found.made, found.called = line, made, name
    handlers = {id(item.handler) for item in client.registrations if item.handler is not None}
    gated = gated_ways(source)
    for node, name in found.attributes(("connect", "connect_with_proxy")):
        function = source.nearest(node, cst.FunctionDef)
        if id(function) in handlers:
            continue  # a second dialler, which is left out
        above = source.parent(node)
        call = above if isinstance(above, cst.Call) and above.func is node else None
        if function is not None and function.name.value in gated:
            continue
        if function is not None and is_for_once(source, function, name):
            found.once.append(function)
            continue
        found.sites.append(Site(node, call, name, function, loop_around(source, node, function)))
    return found


def is_for_once(source: Source, function: cst.FunctionDef, client: str) -> bool:
    """Whether a function stops the client that it connects in a ``finally``, and serves nothing.

    ``idle()`` would serve until the link ends; a loop would connect again.
    """
    if any(called(call) == f"{client}.idle" for call in all_of(function, cst.Call)):
        return False
    if any(all_of(function, cst.While)):
        return False
    ends = {f"{client}.{end}" for end in ENDS}
    return any(
        called(call) in ends
        for final in all_of(function, cst.Finally)
        for call in all_of(final, cst.Call)
    )


def gated_ways(source: Source) -> set[str]:
    """The functions that ``dial(client, through=lambda: connect())`` connects through."""
    return {
        called(inner).rpartition(".")[2]
        for call in all_of(source.module, cst.Call, functions=True)
        if called(call) in ("dial", "serve")
        for inner in all_of(call, cst.Call, functions=True)
    }


def loop_around(
    source: Source, node: cst.CSTNode, function: cst.FunctionDef | None
) -> cst.While | None:
    """``while`` around a dial, or around a call of the function that it stands in."""
    loop = source.nearest(node, cst.While)
    if loop is not None and source.nearest(loop, cst.FunctionDef) is function:
        return loop
    if function is None:
        return None
    name = re.compile(rf"(?:^|\.){re.escape(function.name.value)}$")
    for call in all_of(source.module, cst.Call, functions=True):
        if name.search(called(call)):
            loop = source.nearest(call, cst.While)
            same = source.nearest(call, cst.FunctionDef)
            if loop is not None and source.nearest(loop, cst.FunctionDef) is same:
                return loop
    return None


def is_paced(loop: cst.While) -> bool:
    return any(called(call) in TURNS for call in all_of(loop.test, cst.Call)) or (
        isinstance(loop.test, (cst.Call, cst.Await)) and called(loop.test) in TURNS
    )
