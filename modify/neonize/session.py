"""neonize sessions that start themselves again: a new client each time, after a pause.

The connect function is the one that makes the client. What leads back to it from a handler of
an event, or from itself, is a restart: through ``create_task``, helpers, a function that is
handed over, in this file or another one of the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import libcst as cst

from modify.kit.python.source import Source, all_of, block_of, called, dotted
from modify.kit.python.sources import Place, Sources
from modify.kit.python.waits import SLEEPS, Wait
from modify.neonize.client import MAKES, Registration, clients

GATE = "session_of"
EYE = (
    "ConnectedEv",
    "LoggedOutEv",
    "StreamReplacedEv",
    "TemporaryBanEv",
    "ClientOutdatedEv",
    "ConnectFailureEv",
    "StreamErrorEv",
)
DEEPEST = 6


@dataclass(frozen=True)
class Restart:
    """A call of the connect function, and the pause right before it, if there is one."""

    source: Source
    function: cst.FunctionDef
    call: cst.CSTNode
    wait: Wait | None


@dataclass(frozen=True)
class Handler:
    """A handler of an event. redial: its line that leads to a restart."""

    event: str
    source: Source
    function: cst.FunctionDef
    redial: cst.SimpleStatementLine | None


@dataclass(eq=False)
class Session:
    """creation: ``client = NewClient(database)`` in the connect function."""

    source: Source
    function: cst.FunctionDef
    creation: cst.SimpleStatementLine
    call: cst.Call
    restarts: list[Restart] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    # Handlers that no function of the host is found for.
    strangers: list[Registration] = field(default_factory=list)

    @property
    def is_gated(self) -> bool:
        return any(called(call) == GATE for call in all_of(self.function, cst.Call))


def sessions(sources: Sources, paths: list[str]) -> Iterator[Session]:
    """The sessions of a host's neonize files that something starts again."""
    files = [sources.known[path] for path in paths if path in sources.known]
    for source in files:
        for session in connect_functions(source):
            follow = Follow(sources, session)
            session.handlers += follow.handlers()
            # Also the files that handlers were found in.
            for other in list(sources.known.values()):
                session.restarts += follow.restarts(other)
            session.restarts = [item for item in session.restarts if follow.is_automatic(item)]
            if session.restarts:
                yield session


def connect_functions(source: Source) -> Iterator[Session]:
    for line in all_of(source.module, cst.SimpleStatementLine, functions=True):
        small = line.body[0]
        value = small.value if isinstance(small, (cst.Assign, cst.AnnAssign)) else None
        function = source.nearest(line, cst.FunctionDef)
        if isinstance(value, cst.Call) and MAKES.search("." + called(value)) and function:
            yield Session(source, function, line, value)


class Follow:
    """Ways that lead to one connect function."""

    def __init__(self, sources: Sources, session: Session) -> None:
        self.sources, self.session = sources, session
        self.known: dict[int, bool] = {}

    def is_start(self, place: Place | None) -> bool:
        return place is not None and place[1] is self.session.function

    def start_in(self, source: Source, function: cst.FunctionDef) -> Iterator[cst.CSTNode]:
        """Calls of the connect function, and its name where it is handed on."""
        for name in all_of(function, cst.Call, functions=True):
            place = self.sources.function(source, name, called(name))
            place = place or self.sources.argument(source, function, called(name))
            if self.is_start(place):
                yield name

    def restarts(self, source: Source) -> list[Restart]:
        found: list[Restart] = []
        for function in all_of(source.module, cst.FunctionDef, functions=True):
            for call in self.start_in(source, function):
                if source.nearest(call, cst.FunctionDef) is function:
                    found.append(Restart(source, function, call, self.pause(source, call)))
        return found

    def pause(self, source: Source, call: cst.CSTNode) -> Wait | None:
        """``await asyncio.sleep(5)`` as the line before."""
        statement = source.statement(call)
        block = source.parent(statement) if statement is not None else None
        for before, after in pairwise(block_of(block) or [] if block is not None else []):
            if after is statement:
                return flat_pause(before)
        return None

    def handlers(self) -> Iterator[Handler]:
        source = self.session.source
        for client in clients(source):
            for item in client.registrations:
                place: Place | None = None
                if item.handler is not None:
                    place = source, item.handler
                elif item.handler_name:
                    place = self.sources.function(source, item.statement, item.handler_name)
                if place is None:
                    self.session.strangers.append(item)
                else:
                    yield Handler(item.event, *place, self.redial_line(*place))

    def redial_line(
        self, source: Source, function: cst.FunctionDef
    ) -> cst.SimpleStatementLine | None:
        for line in all_of(function, cst.SimpleStatementLine):
            is_import = isinstance(line.body[0], (cst.Import, cst.ImportFrom))
            if not is_import and self.leads(source, line, DEEPEST):
                return line
        return None

    def leads(self, source: Source, node: cst.CSTNode, depth: int) -> bool:
        """Whether something that is named below a node leads to the connect function."""
        if depth == 0:
            return False
        if id(node) in self.known:
            return self.known[id(node)]
        self.known[id(node)] = False  # until it is known: loops end here
        for name in named_below(node):
            place = self.sources.function(source, node, name)
            if place is not None and (self.is_start(place) or self.leads(*place, depth - 1)):
                self.known[id(node)] = True
                break
        return self.known[id(node)]

    def is_automatic(self, restart: Restart) -> bool:
        """Not a person's: from the connect function itself, or on the way from a handler."""
        session = self.session
        if restart.function is session.function:
            return True
        return any(
            handler.redial is not None
            and self.passes(handler.source, handler.function, restart.function, DEEPEST)
            for handler in session.handlers
        )

    def passes(
        self, source: Source, node: cst.FunctionDef, wanted: cst.FunctionDef, depth: int
    ) -> bool:
        if node is wanted:
            return True
        if depth == 0 or node is self.session.function:
            return False
        for name in named_below(node):
            place = self.sources.function(source, node, name)
            further = place is not None and place[1] is not node
            if place is not None and further and self.passes(*place, wanted, depth - 1):
                return True
        return False


def flat_pause(statement: cst.BaseStatement) -> Wait | None:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    only = statement.body[0]
    value = only.value if isinstance(only, cst.Expr) else None
    call = value.expression if isinstance(value, cst.Await) else value
    if not isinstance(call, cst.Call) or called(call) not in SLEEPS or len(call.args) != 1:
        return None
    number = call.args[0].value
    flat = isinstance(number, (cst.Integer, cst.Float)) or dotted(number).isupper()
    return Wait(call, number, "sleep", flat)


def named_below(node: cst.CSTNode) -> list[str]:
    """The dotted names below a node, nested functions included, each once and in order."""
    names = {
        dotted(found)
        for kind in (cst.Name, cst.Attribute)
        for found in all_of(node, kind, functions=True)
    }
    return sorted(names - {""})
