"""neonize clients: what they listen to, and whether anything ends them with their session.

neonize keeps one handler per event type, a second one silently takes the place of the first
(``list_func`` in its events.py), so what is added is merged into what is there. ``idle()``
waits for the Go side, which does not return after a logout until ``stop()`` is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import libcst as cst

from modify.kit.python.functions import function_named, owner_of
from modify.kit.python.source import Source, all_of, block_of, called, dotted, inside
from modify.kit.python.sources import Sources

TERMINAL = ("LoggedOutEv", "StreamReplacedEv", "TemporaryBanEv")
LINKED = ("PairStatusEv", "ConnectedEv")
HELPER = "_stop_when_session_ends"
# Of the added module: hear(client) listens to events without a handler, heard() tells the gate.
HEAR, HEARD = "hear", "heard"
ENDING = re.compile(
    r"(?:^|[._])(?:stop|stop_all|disconnect|shutdown|_exit|quit|on_exit|shut_down|terminate)(?:_\w+)?$"
)
EXIT = re.compile(r"^(?:sys\.exit|exit|quit)$")
ENDING_FLAG = re.compile(r"(?:stop|exit|shutdown|quit|done|end|terminat)\w*\.set$", re.I)
MAKES = re.compile(r"(?:^|\.)NewA?Client$")
CONNECTS = re.compile(r"\.connect(?:_with_proxy)?$")


@dataclass(frozen=True)
class Registration:
    """event: its class's bare name; handler: the function, when it is in this file.

    handler_name: what it is called where it is registered by a call. home: the file of the
    handler, where that is another one.
    """

    client: str
    event: str
    handler: cst.FunctionDef | None
    statement: cst.BaseStatement
    handler_name: str = ""
    home: Source | None = None

    @property
    def dials_again(self) -> str:
        """The call in the handler by which it connects again, or nothing."""
        return redials(self.handler) if self.handler is not None else ""


@dataclass(eq=False)
class Client:
    """name: what the client is called; scope: the function that registers, or None: the module."""

    source: Source
    name: str
    scope: cst.FunctionDef | None
    owner: cst.ClassDef | None
    is_async: bool
    registrations: list[Registration] = field(default_factory=list)
    has_helper: bool = False

    @property
    def place(self) -> cst.CSTNode:
        return self.registrations[0].statement

    def handlers(self, event: str) -> list[Registration]:
        return [item for item in self.registrations if item.event == event]

    @property
    def deaf(self) -> list[str]:
        """Terminal events that nothing is registered for."""
        return [e for e in TERMINAL if not self.handlers(e) and not self.has_helper]

    @property
    def idle_handlers(self) -> list[Registration]:
        """Handlers of terminal events that do not end the client."""
        return [
            item
            for event in TERMINAL
            for item in self.handlers(event)
            if item.handler is None or not ends_client(item.home or self.source, item.handler)
        ]


def clients(source: Source) -> Iterator[Client]:
    """The clients of a file, one for each scope that registers handlers on one name."""
    by_place: dict[tuple[int, str], Client] = {}
    asynchronous = uses_async(source)
    helped = {
        bare(dotted(call.args[-1].value))
        for call in all_of(source.module, cst.Call, functions=True)
        if called(call).rpartition(".")[2] in (HELPER, HEAR) and call.args
    }
    for item in registrations(source):
        scope = source.nearest(item.statement, cst.FunctionDef)
        if scope is not None and scope.name.value in (HELPER,):
            continue
        found = by_place.setdefault(
            (id(scope), item.client),
            Client(
                source,
                item.client,
                scope,
                owner_of(source, scope) if scope is not None else None,
                asynchronous,
                has_helper=bare(item.client) in helped,
            ),
        )
        found.registrations.append(item)
    yield from by_place.values()


def uses_async(source: Source) -> bool:
    return b"neonize.aioze" in source.content or (
        b"NewAClient" in source.content and b"NewClient(" not in source.content
    )


def registrations(source: Source) -> Iterator[Registration]:
    for function in all_of(source.module, cst.FunctionDef, functions=True):
        for decorator in function.decorators:
            found = event_of(decorator.decorator)
            if found is not None:
                yield Registration(*found, function, function)
    for line in all_of(source.module, cst.SimpleStatementLine, functions=True):
        small = line.body[0]
        call = small.value if isinstance(small, cst.Expr) else None
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Call) and call.args:
            found = event_of(call.func)
            if found is not None:
                given = call.args[0].value
                handler = handler_named(source, line, given)
                yield Registration(*found, handler, line, dotted(given))


def event_of(node: cst.CSTNode) -> tuple[str, str] | None:
    """Client and event of ``client.event(LoggedOutEv)``, also ``api.LoggedOutEv``."""
    if not isinstance(node, cst.Call) or len(node.args) != 1:
        return None
    name, event = called(node), dotted(node.args[0].value)
    if not name.endswith(".event") or not event.rpartition(".")[2].endswith("Ev"):
        return None
    return name.removesuffix(".event"), event.rpartition(".")[2]


def handler_named(
    source: Source, near: cst.CSTNode, node: cst.BaseExpression
) -> cst.FunctionDef | None:
    name = dotted(node)
    scope = source.nearest(near, cst.FunctionDef)
    if scope is not None:
        for inner in all_of(scope, cst.FunctionDef):
            if inner.name.value == name:
                return inner
        return function_named(source, scope, name)
    return next(
        (found for found in all_of(source.module, cst.FunctionDef) if found.name.value == name),
        None,
    )


def ends_client(source: Source, handler: cst.FunctionDef) -> bool:
    """Whether a handler ends the client. ``sys.exit`` on neonize's own thread ends nothing."""
    asynchronous = handler.asynchronous is not None
    for call in all_of(handler, cst.Call, functions=True):
        name = called(call)
        if ENDING.search(name) or ENDING_FLAG.search(name) or name == HEARD:
            return True
        if asynchronous and EXIT.match(name):
            return True
    return False


def ends_process(handler: cst.FunctionDef) -> bool:
    """Whether a handler is meant to end the process; from a thread of neonize's it may not."""
    calls = all_of(handler, cst.Call, functions=True)
    return any(EXIT.match(called(call)) or called(call) == "os._exit" for call in calls)


def redials(handler: cst.FunctionDef) -> str:
    """The function that a handler of a terminal event calls to connect again; "" if none."""
    for call in all_of(handler, cst.Call, functions=True):
        name = called(call)
        if re.search(r"(?:^|[._])(?:re_?connect|re_?start|schedule_re)", name, re.I):
            return name
        if name.endswith(".connect"):
            return name
    return ""


# --- what is around a client ----------------------------------------------------------------


def calls_on(client: Client, pattern: re.Pattern[str]) -> list[cst.Call]:
    """Calls like ``client.connect()`` of the same file, and functions given to threads."""
    return [
        call
        for call in all_of(client.source.module, cst.Call, functions=True)
        if pattern.search(called(call)) and looks_like(called(call), client.name)
    ]


def looks_like(call: str, name: str) -> bool:
    base = call.rpartition(".")[0]
    return base == name or bare(base) in (bare(name), "client")


def bare(name: str) -> str:
    """``client`` of ``self._client``: what one function keeps so is the other's parameter."""
    return name.rpartition(".")[2].strip("_")


def connects_first(client: Client) -> bool:
    """Whether a synchronous ``connect()``, which blocks to the end, precedes all handlers."""
    source, first = client.source, client.source.start(client.place)
    return not client.is_async and any(
        source.nearest(call, cst.FunctionDef) is client.scope and source.start(call) < first
        for call in calls_on(client, CONNECTS)
    )


def threads(client: Client) -> bool:
    return any(True for _ in thread_targets(client))


def thread_targets(client: Client) -> Iterator[cst.Call]:
    """``Thread(target=client.connect)``."""
    for call in all_of(client.source.module, cst.Call, functions=True):
        for arg in call.args:
            named = arg.keyword is not None and arg.keyword.value == "target"
            if named and CONNECTS.search(dotted(arg.value)):
                yield call


PAIRING = re.compile(r"auth|login|log_in|pair|link|qr|setup|onboard", re.I)


def pairs_only(client: Client) -> str | None:
    """A script that links the account: no messages, and it ends once that is done."""
    source, scope = client.source, client.scope
    if any(True for _ in message_handlers(client)):
        return None
    for event in LINKED:
        if any(item.handler and ends_process(item.handler) for item in client.handlers(event)):
            return f"ends once the account is linked, on {event}"
    named = scope is not None and PAIRING.search(
        f"{source.path.rpartition('/')[2]} {scope.name.value}"
    )
    if scope is None or not named:
        return None
    connects: list[cst.CSTNode] = [
        call
        for call in [*calls_on(client, CONNECTS), *thread_targets(client)]
        if within(source, call, scope)
    ]
    if not connects or own_loop(client) is not None:
        return None
    begun = min(source.start(call) for call in connects)
    waits = [
        source.start(call)
        for call in all_of(scope, cst.Call)
        if source.start(call) > begun and re.search(r"(?:\.wait|wait_for)$", called(call))
    ]
    last = max(source.start(line) for line in all_of(scope, cst.SimpleStatementLine))
    if waits and last > max(waits):
        return f"{scope.name.value}() links the account and ends"
    return None


def message_handlers(client: Client) -> Iterator[Registration]:
    for item in registrations(client.source):
        if item.event == "MessageEv":
            yield item


def within(source: Source, node: cst.CSTNode, scope: cst.FunctionDef) -> bool:
    return source.nearest(node, cst.FunctionDef) is scope


def why_not_a_daemon(client: Client) -> str | None:
    """A client that pairs, or sends once, and is stopped by its own function."""
    source = client.source
    pairing = pairs_only(client)
    if pairing is not None:
        return pairing
    if client.scope is None or b".idle(" in source.content or threads(client):
        return None
    for call in calls_on(client, CONNECTS):
        function = source.nearest(call, cst.FunctionDef)
        if function is not client.scope:
            return None
        stopped = [
            other
            for other in all_of(function, cst.Call)
            if re.search(r"\.(stop|disconnect)$", called(other))
            and source.start(other) > source.start(call)
        ]
        if stopped and source.nearest(call, cst.While) is None:
            return f"{function.name.value}() connects once and stops the client"
    return None


def own_loop(client: Client) -> cst.While | None:
    """A loop of the host's own around ``connect()``."""
    for call in calls_on(client, CONNECTS):
        loop = client.source.nearest(call, cst.While)
        if loop is not None and client.source.nearest(call, cst.FunctionDef) is (
            client.source.nearest(loop, cst.FunctionDef)
        ):
            return loop
    return None


def starts_again(client: Client) -> str:
    """The code that starts a client anew once it has ended, in words; "" if none is found.

    A watchdog's loop, or ``if not self._thread.is_alive(): self.start()``: to stop the client
    would make that connect, again and again, where a client that is left alone stays quiet.
    """
    source = client.source
    held = [source.nearest(call, cst.FunctionDef) for call in calls_on(client, CONNECTS)]
    held += [source.nearest(call, cst.FunctionDef) for call in thread_targets(client)]
    starts = {outermost(source, item) for item in [client.scope, *held] if item is not None}
    known = set(starts)
    for _ in range(2):
        callers = list(calls_of(source, starts))
        for caller, call in callers:
            if caller not in known and is_asked_again(source, call):
                return f"{caller.name.value}()" if caller is not None else "the script's own loop"
        starts = {caller for caller, _ in callers if caller is not None} - known
        known |= starts
    return ""


def outermost(source: Source, function: cst.FunctionDef) -> cst.FunctionDef:
    above = source.nearest(function, cst.FunctionDef)
    return function if above is None else outermost(source, above)


def calls_of(
    source: Source, wanted: set[cst.FunctionDef]
) -> Iterator[tuple[cst.FunctionDef | None, cst.Call]]:
    """Calls of some functions of a file, by their names, and the function each stands in."""
    names = {function.name.value for function in wanted}
    for call in all_of(source.module, cst.Call, functions=True):
        if called(call).rpartition(".")[2] in names:
            near = source.nearest(call, cst.FunctionDef)
            caller = outermost(source, near) if near is not None else None
            exact = caller is not None and function_named(source, caller, called(call)) in wanted
            # ``bot.run()`` of another object counts where it is called in a loop.
            if exact or source.nearest(call, cst.While) is not None:
                yield caller, call


def is_asked_again(source: Source, call: cst.Call) -> bool:
    for above in source.above(call):
        if isinstance(above, cst.FunctionDef):
            return False
        if isinstance(above, cst.While):
            return True
        if isinstance(above, cst.If) and any(
            called(node).endswith(".is_alive") for node in [above.test, *inside(above.test)]
        ):
            return True
    return False


def body_of_scope(client: Client) -> list[cst.BaseStatement]:
    if client.scope is not None:
        return block_of(client.scope) or []
    return [item for item in client.source.module.body if isinstance(item, cst.BaseStatement)]


def anchor(client: Client) -> cst.BaseStatement | None:
    """The last statement of the scope that registers something before it may return."""
    source, last = client.source, None
    for statement in body_of_scope(client):
        if any(source.is_within(item.statement, statement) for item in client.registrations):
            last = statement
        elif last is not None and any(True for _ in returns(statement)):
            break
    return last


def returns(statement: cst.BaseStatement) -> Iterator[cst.Return]:
    if not isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        yield from all_of(statement, cst.Return)


def with_handlers(sources: Sources, client: Client) -> Client:
    """The same client, with its handlers that stand in other files."""
    for index, item in enumerate(client.registrations):
        if item.handler is None and item.handler_name:
            place = sources.function(client.source, item.statement, item.handler_name)
            if place is not None:
                home, handler = place
                client.registrations[index] = replace(item, handler=handler, home=home)
    return client
