"""Finds the channels of a file by the anchors that hold in every real one (see channel.py)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from modify.baileys.model.channel import EVENT, KEEPS_VALUE, Channel, is_gated
from modify.kit.typescript.functions import (
    Function,
    functions_by_call,
    named,
    named_functions,
    pattern_names,
    resolve,
)
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    REMEMBERED,
    Source,
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing_function,
    nodes_of,
    same,
    span,
    statements,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Found = tuple[Function, "SgNode"]
"""A connect function and the call in it that makes the socket."""

SOCKET_MAKER = re.compile(r"(^|\.)(make\w*WASocket\w*|makeWASocket\w*|default)$", re.IGNORECASE)
BAILEYS = re.compile(r"baileys", re.IGNORECASE)
BAILEYS_MODULE = re.compile(r"(await\s+import|require)\(\s*['\"][^'\"]*baileys", re.IGNORECASE)
PACKAGE = re.compile(r"(await\s+import|require)\(\s*['\"](?![.'\"])")
MOST = 64
CLOSE = re.compile(r"['\"`]close['\"`]")
HOLDS = re.compile(
    r"import\s*\*\s*as\s+([\w$]+)\s+from\s*['\"][^'\"]*whatsapp-reconnect(?:\.\w+)?['\"]"
    r"|(?:const|var|let)\s+([\w$]+)\s*=\s*require\(\s*['\"][^'\"]*whatsapp-reconnect(?:\.\w+)?['\"]"
)


def read_channels(source: Source, factories: Collection[str] = ()) -> list[Channel]:
    """Every channel of the file: one for each listener whose connect function is found.

    factories: names that the file imports of functions that make the socket elsewhere.
    """
    if is_crowded(source):
        return []
    makers = socket_makers(source.root, factories)
    listeners = list(registrations(source.root))
    foreign = [listener for listener in listeners if not is_eye(listener[2])]
    found: list[Channel] = []
    for registration, receiver, handler in foreign or listeners:
        connect, apart = connect_function(registration, makers), False
        if connect is None:
            connect, apart = function_that_hands_over(registration, makers), True
        if connect is None or any(same(connect[0].node, other.connect.node) for other in found):
            continue
        function, socket_call = connect
        logic = logic_of(handler, source.root)
        if logic is None:
            continue
        channel = Channel(
            source, function, socket_call, registration, receiver, handler, logic, apart
        )
        channel.is_on_a_wrapper = is_on_a_wrapper(receiver, socket_call, source.root)
        found.append(channel)
    return found


def is_crowded(source: Source) -> bool:
    """Whether a file has too many listeners to tell apart: its dials are held.

    The largest file seen has 9. Each channel is looked at with all of its file.
    """
    return source.text.count(EVENT) > MOST


def is_on_a_wrapper(receiver: str, socket_call: SgNode, root: SgNode) -> bool:
    """Whether a listener hangs on what a package made of the socket: ``wrap(sock).ev.on(…)``.

    The package then decides which of the socket's events come through.
    """
    made = socket_call.parent()
    while made is not None and made.kind() in KEEPS_VALUE:
        made = made.parent()
    name = made.field("name") if made is not None else None
    if name is None or name.text() == receiver:
        return False
    packages = set(imported_from_packages(root))
    return any(
        (target := declarator.field("name")) is not None
        and target.text() == receiver
        and (value := declarator.field("value")) is not None
        and any(
            callee_of(call) in packages
            and any(each.text() == name.text() for each in arguments_of(call))
            for call in calls(value)
        )
        for declarator in nodes_of(root, "variable_declarator")
    )


def imported_from_packages(root: SgNode) -> Iterator[str]:
    """The names that a file takes from packages, not from files of the host."""
    for statement in nodes_of(root, "import_statement"):
        module = statement.field("source")
        if module is None or module.text()[1] == ".":
            continue
        for clause in nodes_of(statement, "import_clause"):
            yield from (c.text() for c in clause.children() if c.kind() == "identifier")
        for specifier in nodes_of(statement, "import_specifier"):
            name = specifier.field("alias") or specifier.field("name")
            if name is not None:
                yield name.text()
    for declarator in nodes_of(root, "variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or not PACKAGE.match(value.text()):
            continue
        if name.kind() == "object_pattern":
            yield from (local for _, local in pattern_names(name))
        else:
            yield name.text()


def acts_on_close(source: Source) -> bool:
    """Whether a listener of the file handles a closed connection."""
    logics = (logic_of(handler, source.root) for _, _, handler in registrations(source.root))
    return any(logic is not None and CLOSE.search(logic.text()) for logic in logics)


def channel_without_listener(source: Source) -> Channel | None:
    """The file's one function that makes the socket, where no listener could be read.

    Listeners made in a loop over a table of handlers, or in another file. Nothing is known
    of what happens after a close.
    """
    functions: list[Found] = []
    for call in socket_makers(source.root):
        around = named_around(call)
        if around is not None:
            functions.append((around, call))
    if len(functions) != 1:
        return None
    connect, call = functions[0]
    return Channel(source, connect, call, call, "", call, call, apart=True)


def registrations(root: SgNode) -> Iterator[tuple[SgNode, str, SgNode]]:
    """``X.ev.on('connection.update', H)`` calls: the call, X, and the node given as H."""
    for call in calls(root):
        function = call.field("function")
        if function is None or function.kind() != "member_expression":
            continue
        method = function.field("property")
        target = function.field("object")
        arguments = arguments_of(call)
        if method is None or target is None or not arguments:
            continue
        receiver = re.sub(r"[?!]?\.ev$", "", target.text())
        if receiver == target.text():
            continue
        if method.text() in ("on", "addListener") and len(arguments) > 1:
            if arguments[0].text()[1:-1] == EVENT:  # in quotes of any kind
                yield call, receiver, arguments[1]
        elif method.text() == "process" and EVENT in arguments[0].text():
            yield call, receiver, arguments[0]


def is_eye(handler: SgNode) -> bool:
    """Whether a handler is skillgen's own: all it does is ``observe(…)``."""
    body = body_of(handler) if handler.kind() in FUNCTION_KINDS else None
    if body is None or len(statements(body)) != 1:
        return False
    return any(callee_of(call).endswith(".observe") for call in calls(statements(body)[0])[:1])


# --- what makes a socket ----------------------------------------------------------------


def socket_makers(root: SgNode, factories: Collection[str] = ()) -> list[SgNode]:
    """Calls that make a Baileys socket, whatever the import is called.

    A function of the file that only makes the socket and hands it out counts as a maker
    where it is called.
    """
    local = {"makeWASocket", *factories, *imported_makers(root), *renamed_makers(root)}
    direct = [
        call
        for call in calls(root)
        if callee_of(call) in local
        or (SOCKET_MAKER.search(callee_of(call)) and not is_import(call))
        or is_held(call)
        or is_gated(call)
    ]
    listening = {
        around.call
        for registration, _, _ in registrations(root)
        if (around := named_around(registration)) is not None
    }
    outer = (enclosing_function(call) for call in direct)
    makes = {span(function) for function in outer if function is not None}
    wrappers = {
        function.call
        for function in named_functions(root)
        if span(function.node) in makes
        and hands_out(function)
        and not leads_to(function, listening, root)
    }
    known = set(direct)
    return [
        *direct,
        *(call for call in calls(root) if callee_of(call) in wrappers and call not in known),
    ]


def is_held(call: SgNode) -> bool:
    """Whether a call makes a socket that waits for its turn: ``reconnect.socket(make, …)``."""
    owner, _, method = callee_of(call).rpartition(".")
    return method == "socket" and owner in held_names(call.get_root().root())


@lru_cache(REMEMBERED)
def held_names(root: SgNode) -> frozenset[str]:
    """The local names of the added module, where a file imports it as a whole."""
    return frozenset(first or second for first, second in HOLDS.findall(root.text()))


def imported_makers(root: SgNode) -> Iterator[str]:
    yield from required_makers(root)
    for statement in nodes_of(root, "import_statement"):
        module = statement.field("source")
        if module is None or not BAILEYS.search(module.text()):
            continue
        for clause in nodes_of(statement, "import_clause"):
            yield from (c.text() for c in clause.children() if c.kind() == "identifier")
        for specifier in nodes_of(statement, "import_specifier"):
            name, alias = specifier.field("name"), specifier.field("alias")
            if (
                name is not None
                and alias is not None
                and name.text() in ("makeWASocket", "default")
            ):
                yield alias.text()


def required_makers(root: SgNode) -> Iterator[str]:
    """``const { default: connect } = require('baileys')``, and the same of ``await import()``."""
    for declarator in nodes_of(root, "variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or not BAILEYS_MODULE.match(value.text()):
            continue
        if name.kind() == "object_pattern":
            yield from (
                local for key, local in pattern_names(name) if key in ("default", "makeWASocket")
            )


def renamed_makers(root: SgNode) -> Iterator[str]:
    """``const connect = baileys.default``, ``= require('baileys').default``."""
    for declarator in nodes_of(root, "variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or name.kind() != "identifier":
            continue
        if re.search(
            r"\bmakeWASocket\b|baileys[\w./-]*(['\"]\)+)?(\.default)+\b",
            value.text()[:200],
            re.IGNORECASE,
        ) and value.kind() in ("member_expression", "identifier", "binary_expression"):
            yield name.text()


def hands_out_a_socket(function: Function, makers: list[SgNode]) -> bool:
    """Whether a function makes a socket, listens to nothing and returns something."""
    return hands_out(function) and any(
        same(enclosing_function(call), function.node) for call in makers
    )


def hands_out(function: Function) -> bool:
    """Whether a function listens to nothing and returns something."""
    if EVENT in function.node.text():
        return False
    if body_of(function.node) is None:
        return True
    return any(
        same(enclosing_function(each), function.node)
        and any(child.is_named() for child in each.children())
        for each in nodes_of(function.node, "return_statement")
    )


def is_import(call: SgNode) -> bool:
    return callee_of(call) in ("import", "require")


# --- which function connects --------------------------------------------------------------


def connect_function(registration: SgNode, makers: list[SgNode]) -> Found | None:
    """The nearest function around the listener that also makes the socket itself."""
    for outer in registration.ancestors():
        if outer.kind() not in FUNCTION_KINDS:
            continue
        # The functions that the listener calls dial again: they do not make this socket.
        inside = [c for c in makers if within(c, outer) and not within(c, registration)]
        if not inside:
            continue
        own = next((call for call in inside if is_own(call, outer, registration)), None)
        function = named(outer)
        return (function, own) if function is not None and own is not None else None
    return None


def is_own(call: SgNode, outer: SgNode, registration: SgNode) -> bool:
    """Whether no named function between ``outer`` and the call hands over to the listener."""
    inner = named_around(call)
    if inner is None or same(inner.node, outer) or not within(inner.node, outer):
        return True
    return not hands_over(inner, registration)


def function_that_hands_over(registration: SgNode, makers: list[SgNode]) -> Found | None:
    """A function that makes the socket and leads to the one in which the listener is placed."""
    for call in makers:
        function = None if within(call, registration) else named_around(call)
        if function is not None and hands_over(function, registration):
            return function, call
    return None


def hands_over(function: Function, registration: SgNode) -> bool:
    listening = named_around(registration)
    if listening is None:
        return False
    return leads_to(function, {listening.call}, registration.get_root().root())


def leads_to(function: Function, targets: set[str], root: SgNode) -> bool:
    """Whether a function calls one of the targets, itself or by others of the file.

    Calls of a listener come later, for another connection: they do not count.
    """
    leading = leading_to(root, frozenset(targets))
    return not leading.isdisjoint(called_by(function.node))


@lru_cache(REMEMBERED)
def leading_to(root: SgNode, targets: frozenset[str]) -> frozenset[str]:
    """The targets, and how the functions are called that lead to one of them."""
    callers: dict[str, list[str]] = {}
    for call, function in functions_by_call(root).items() if targets else ():
        for callee in called_by(function.node):
            callers.setdefault(callee, []).append(call)
    found, waiting = set(targets), [*targets]
    while waiting:
        fresh = set(callers.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return frozenset(found)


@lru_cache(REMEMBERED)
def called_by(function: SgNode) -> frozenset[str]:
    """The names that a function calls itself, without those that its listeners call."""
    return frozenset(
        callee_of(call) for call in calls(function) if not is_in_listener(call, function)
    )


def is_in_listener(node: SgNode, function: SgNode) -> bool:
    """Whether a node of a function stands in a callback that ``….on(…)`` is given there."""
    for outer in node.ancestors():
        if same(outer, function):
            return False
        if outer.kind() == "call_expression" and re.search(
            r"\.(on|once|process|addListener)$", callee_of(outer)
        ):
            return True
    return False


def named_around(node: SgNode) -> Function | None:
    """The nearest function with a name around a node."""
    for outer in node.ancestors():
        if outer.kind() in FUNCTION_KINDS:
            function = named(outer)
            if function is not None:
                return function
    return None


def logic_of(handler: SgNode, root: SgNode) -> SgNode | None:
    """The function that looks at the update: the handler, or what it passes the update on to."""
    node = resolve(handler, root)
    if node is None:
        return None
    if CLOSE.search(node.text()):
        return node
    for call in calls(node):
        function = call.field("function")
        if function is None or not arguments_of(call):
            continue
        target = resolve(function, root)
        if target is not None and CLOSE.search(target.text()):
            return target
    return node
