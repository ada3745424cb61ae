"""The Channel model: what a Baileys channel file is made of, read once from its tree.

It is found by the anchors that hold in every real channel file that was surveyed (536
of them): a listener for ``connection.update``, the function around it that also makes
the socket, a test for ``'close'`` inside the listener. Names do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from modify.typescript.source import (
    FUNCTION_KINDS,
    Source,
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    same,
    span,
    start_of,
    statements,
    string_value,
    walk,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Scope = Literal["class", "closure", "module"]

EVENT = "connection.update"
SOCKET_MAKER = re.compile(r"(^|\.)(make\w*WASocket\w*|makeWASocket\w*|default)$", re.IGNORECASE)
BAILEYS = re.compile(r"baileys", re.IGNORECASE)
TIMERS = ("setTimeout", "setImmediate", "queueMicrotask", "process.nextTick")
LOGGED_OUT = re.compile(r"(\.loggedOut|\[['\"]loggedOut['\"]\]|^401)$")
LOGGER = re.compile(
    r"(^|\.)(log|logger|console|\w*[lL]og(ger)?)\.(trace|debug|info|log|warn|error|fatal)$"
)


@dataclass(frozen=True)
class Function:
    """A function of the file. name: as declared. call: how code of this file calls it."""

    node: SgNode
    name: str
    call: str

    @property
    def parameters(self) -> list[SgNode]:
        single = self.node.field("parameter")
        if single is not None:
            return [single]
        listed = self.node.field("parameters")
        if listed is None:
            return []
        return [
            child for child in listed.children() if child.is_named() and child.kind() != "comment"
        ]

    @property
    def parameter_names(self) -> list[str]:
        names = []
        for parameter in self.parameters:
            pattern = parameter.field("pattern") or parameter.field("left") or parameter
            names.append(pattern.text())
        return names

    @property
    def is_async(self) -> bool:
        return any(child.kind() == "async" for child in self.node.children())


@dataclass(frozen=True)
class Branch:
    """What runs when the connection is in one state. body: its statements, in order."""

    node: SgNode
    body: list[SgNode]

    def holds(self, node: SgNode) -> bool:
        """Whether a node stands in it; ``node`` itself may hold more (after an early return)."""
        return any(within(node, statement) for statement in self.body)


@dataclass
class Channel:
    """One connect function with its handler.

    receiver: the text of the socket that the handler listens on (``this.sock``).
    registration: the ``….ev.on('connection.update', H)`` call. logic: the function that
    tests the connection state (H itself, or what H hands the update to).
    """

    source: Source
    connect: Function
    socket_call: SgNode
    registration: SgNode
    receiver: str
    handler: SgNode
    logic: SgNode

    # --- where it lives -------------------------------------------------------------

    @cached_property
    def class_node(self) -> SgNode | None:
        """The class whose member the connect function is."""
        for outer in self.connect.node.ancestors():
            if outer.kind() in ("class_declaration", "class", "abstract_class_declaration"):
                return outer
            if outer.kind() in FUNCTION_KINDS:
                return None
        return None

    @cached_property
    def owner(self) -> SgNode | None:
        """The function around the connect function, for a closure."""
        return enclosing_function(self.connect.node)

    @property
    def scope(self) -> Scope:
        if self.class_node is not None:
            return "class"
        return "closure" if self.owner is not None else "module"

    # --- what the handler reads ------------------------------------------------------

    @cached_property
    def update_name(self) -> str | None:
        """The handler's parameter, or None when it is destructured in place."""
        parameter = first_parameter(self.logic)
        if parameter is None or parameter.kind() != "identifier":
            return None
        return parameter.text()

    @cached_property
    def _update_texts(self) -> set[str]:
        """What stands for the update in the handler; ``ev.process`` hands on all events."""
        given = self.update_name
        if given is None:
            return set()
        texts = {given, f"{given}['{EVENT}']", f'{given}["{EVENT}"]'}
        for declarator in self.logic.find_all(kind="variable_declarator"):
            value, name = declarator.field("value"), declarator.field("name")
            if value is None or name is None or name.kind() != "identifier":
                continue
            if value.text().rstrip("!") in texts:
                texts.add(name.text())
        return texts

    @cached_property
    def aliases(self) -> dict[str, set[str]]:
        """For ``connection``, ``lastDisconnect`` and ``qr``: the texts that stand for them."""
        found: dict[str, set[str]] = {key: set() for key in ("connection", "lastDisconnect", "qr")}
        parameter = first_parameter(self.logic)
        patterns = []
        if parameter is not None and parameter.kind() == "object_pattern":
            patterns.append(parameter)
        updates = self._update_texts
        for key in found:
            found[key] |= {f"{update}.{key}" for update in updates}
        for declarator in self.logic.find_all(kind="variable_declarator"):
            value, name = declarator.field("value"), declarator.field("name")
            if value is None or name is None:
                continue
            text = value.text().rstrip("!")
            key = text.rpartition(".")[2]
            if text in updates and name.kind() == "object_pattern":
                patterns.append(name)
            elif key in found and text in found[key]:
                found[key].add(name.text())
        for pattern in patterns:
            for key, local in pattern_names(pattern):
                if key in found:
                    found[key].add(local)
        return found

    # --- branches ------------------------------------------------------------------

    def branch(self, state: str) -> Branch | None:
        """What runs when ``connection`` is ``state``: an if, an early return, or a case."""
        return find_branch(self.logic, self.aliases["connection"], state)

    @cached_property
    def close(self) -> Branch | None:
        return self.branch("close")

    @cached_property
    def open(self) -> Branch | None:
        return self.branch("open")

    @cached_property
    def qr_branches(self) -> list[SgNode]:
        """The if statements (outermost) that run when a QR code is asked for."""
        found: list[SgNode] = []
        for node in self.logic.find_all(kind="if_statement"):
            condition = node.field("condition")
            if condition is None or any(within(node, outer) for outer in found):
                continue
            if any(names_positively(condition, name) for name in self.aliases["qr"]):
                found.append(node)
        return found

    # --- the verdict -----------------------------------------------------------------

    @cached_property
    def verdicts(self) -> list[SgNode]:
        """Comparisons of the status with 'logged out' in the handler, in order."""
        found = []
        for node in self.logic.find_all(kind="binary_expression"):
            if comparison(node) is not None and any(
                LOGGED_OUT.search(side.text()) for side in sides(node)
            ):
                found.append(node)
        return found

    # --- calls to the connect function ------------------------------------------------

    @cached_property
    def connect_calls(self) -> list[SgNode]:
        return [call for call in calls(self.source.root) if self.is_connect_call(call)]

    def is_connect_call(self, call: SgNode) -> bool:
        return callee_of(call) in self.connect_texts

    @cached_property
    def connect_texts(self) -> set[str]:
        name = self.connect.name
        if self.connect.call.startswith("this."):
            return {f"{owner}.{name}" for owner in ("this", "self", "that", "me")}
        return {name}

    def dialled_by(self, call: SgNode) -> str:
        """What a call runs, now or later: its callee, or ``f`` of ``setTimeout(f, …)``."""
        callee = callee_of(call)
        given = arguments_of(call) if callee in TIMERS else []
        if not given or given[0].kind() in FUNCTION_KINDS:
            return callee
        return re.sub(r"\s+|\.bind\(this\)$", "", given[0].text())

    def is_deferred(self, call: SgNode) -> bool:
        """``setTimeout(connect, …)``: the connect function or a helper, given by its name."""
        return callee_of(call) in TIMERS and (
            self.dialled_by(call) in self.connect_texts or self.helper_of(call) is not None
        )

    @cached_property
    def helpers(self) -> list[Function]:
        """Functions of the file, other than the connect function, that lead to it.

        The handler and what lies inside the connect function are left out.
        """
        found: list[Function] = []
        texts = set(self.connect_texts)
        candidates = [
            function
            for function in named_functions(self.source.root)
            if not same(function.node, self.connect.node)
            and not same(function.node, self.logic)
            and not within(self.connect.node, function.node)
        ]
        grew = True
        while grew:
            grew = False
            for function in candidates:
                if function in found:
                    continue
                if any(self.dialled_by(call) in texts for call in calls(function.node)):
                    found.append(function)
                    texts.add(function.call)
                    grew = True
        return found

    def helper_of(self, call: SgNode) -> Function | None:
        text = self.dialled_by(call)
        return next((helper for helper in self.helpers if helper.call == text), None)

    @cached_property
    def redials(self) -> list[SgNode]:
        """Calls inside the handler that lead to another attempt, outermost first."""
        return [
            call
            for call in calls(self.logic)
            if self.dialled_by(call) in self.connect_texts or self.helper_of(call) is not None
        ]

    @cached_property
    def first_open_parameter(self) -> str | None:
        """The connect function's parameter that the open branch calls: the first-open callback."""
        if self.open is None:
            return None
        for name in self.connect.parameter_names:
            if any(callee_of(call) == name for call in calls(self.open.node)):
                return name
        return None

    # --- what a rewrite has left ---------------------------------------------------------

    @cached_property
    def gate(self) -> str | None:
        """The Reconnect object whose ``turn()`` the connect function waits for, or None."""
        if "new Reconnect(" not in self.source.text:
            return None
        for call in calls(self.connect.node):
            callee = callee_of(call)
            if callee.endswith(".turn") and not arguments_of(call):
                return callee.removesuffix(".turn")
        return None

    @property
    def is_gated(self) -> bool:
        return self.gate is not None

    @property
    def is_watched(self) -> bool:
        """Whether the Reconnect object sees the connection's events."""
        if self.gate is None:
            return False
        look = f"{self.gate}.observe"
        places = (self.logic, self.registration)
        return any(callee_of(call) == look for place in places for call in calls(place))

    @cached_property
    def is_settled(self) -> bool:
        """Whether the old loop dials through the gate's object now."""
        return self.gate is not None and any(
            callee_of(call) == f"{self.gate}.dial" for call in calls(self.source.root)
        )

    def is_dialled(self, call: SgNode) -> bool:
        """Whether a call of the connect function is made by ``dial(() => call)``."""
        return self.gate is not None and any(
            outer.kind() == "call_expression" and callee_of(outer) == f"{self.gate}.dial"
            for outer in call.ancestors()
        )

    # --- the way out -----------------------------------------------------------------

    @cached_property
    def enders(self) -> list[SgNode]:
        """Functions that end the socket on purpose and lead to no new attempt."""
        socket = re.escape(re.sub(r"[?!\s]", "", self.receiver))
        ways = r"end|logout|ws\.close|ws\.terminate|ws\.end"
        ends = re.compile(rf"^({socket}|(this\.)?#?\w*[sS]ock\w*)\.({ways})$")
        home = self.class_node if self.scope == "class" else self.owner
        found: list[SgNode] = []
        for call in calls(self.source.root):
            if not ends.match(callee_of(call)):
                continue
            if within(call, self.connect.node) or within(call, self.logic):
                continue
            function = enclosing_function(call)
            while function is not None and named(function) is None:
                function = enclosing_function(function)
            if function is None or body_of(function) is None:
                continue
            if (home is not None and not within(function, home)) or same(function, home):
                continue
            if any(self.is_connect_call(c) or self.helper_of(c) for c in calls(function)):
                continue
            if not any(same(function, other) for other in found):
                found.append(function)
        return found

    def is_stopped_in(self, function: SgNode) -> bool:
        return self.gate is not None and any(
            callee_of(call) == f"{self.gate}.stop" for call in calls(function)
        )

    @property
    def exits(self) -> list[SgNode]:
        """``process.exit(…)`` calls inside the handler."""
        return [call for call in calls(self.logic) if callee_of(call) == "process.exit"]

    def uses(self, pattern: str, where: SgNode | None = None) -> bool:
        return re.search(pattern, (where or self.source.root).text()) is not None


# --- finding channels -----------------------------------------------------------------


def read_channels(source: Source) -> list[Channel]:
    """Every channel of the file: one for each listener whose connect function is found."""
    makers = socket_makers(source.root)
    found: list[Channel] = []
    for registration, receiver, handler in registrations(source.root):
        connect = connect_function(registration, makers)
        if connect is None or any(same(connect[0].node, other.connect.node) for other in found):
            continue
        function, socket_call = connect
        logic = logic_of(handler, source.root)
        if logic is None:
            continue
        found.append(Channel(source, function, socket_call, registration, receiver, handler, logic))
    return found


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
            if string_value(arguments[0]) == EVENT:
                yield call, receiver, arguments[1]
        elif method.text() == "process" and EVENT in arguments[0].text():
            yield call, receiver, arguments[0]


def socket_makers(root: SgNode) -> list[SgNode]:
    """Calls that make a Baileys socket, whatever the import is called."""
    local = {"makeWASocket"}
    for statement in root.find_all(kind="import_statement"):
        module = statement.field("source")
        if module is None or not BAILEYS.search(module.text()):
            continue
        for clause in statement.find_all(kind="import_clause"):
            local |= {child.text() for child in clause.children() if child.kind() == "identifier"}
        for specifier in statement.find_all(kind="import_specifier"):
            name, alias = specifier.field("name"), specifier.field("alias")
            if (
                name is not None
                and name.text() in ("makeWASocket", "default")
                and alias is not None
            ):
                local.add(alias.text())
    for declarator in root.find_all(kind="variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or name.kind() != "identifier":
            continue
        if re.search(
            r"\bmakeWASocket\b|baileys\w*(\.default)+\b", value.text()[:200], re.IGNORECASE
        ) and value.kind() in ("member_expression", "identifier", "binary_expression"):
            local.add(name.text())
    return [
        call
        for call in calls(root)
        if callee_of(call) in local
        or (SOCKET_MAKER.search(callee_of(call)) and not is_import(call))
    ]


def is_import(call: SgNode) -> bool:
    return callee_of(call) in ("import", "require")


def connect_function(registration: SgNode, makers: list[SgNode]) -> tuple[Function, SgNode] | None:
    """The nearest function around the listener that also makes the socket."""
    for outer in registration.ancestors():
        if outer.kind() not in FUNCTION_KINDS:
            continue
        inside = [call for call in makers if within(call, outer)]
        if inside:
            function = named(outer)
            return (function, inside[0]) if function is not None else None
    return None


def logic_of(handler: SgNode, root: SgNode) -> SgNode | None:
    """The function that looks at the update: the handler, or what it passes the update on to."""
    node = resolve(handler, root)
    if node is None:
        return None
    if re.search(r"['\"`]close['\"`]", node.text()):
        return node
    for call in calls(node):
        function = call.field("function")
        if function is None or not arguments_of(call):
            continue
        target = resolve(function, root)
        if target is not None and re.search(r"['\"`]close['\"`]", target.text()):
            return target
    return node


def resolve(node: SgNode, root: SgNode) -> SgNode | None:
    """The function that an expression stands for, when it is in this file."""
    if node.kind() in FUNCTION_KINDS:
        return node
    if node.kind() == "call_expression":  # handler.bind(this)
        function = node.field("function")
        if function is not None and function.text().endswith(".bind"):
            target = function.field("object")
            return resolve(target, root) if target is not None else None
        return None
    text = re.sub(r"[!\s]", "", node.text())
    name = text.rpartition(".")[2]
    if not re.fullmatch(r"(this\.)?#?\w+", text):
        return None
    for declared in named_functions(root):
        if declared.name == name:
            return declared.node
    for assignment in root.find_all(kind="assignment_expression"):
        left, right = assignment.field("left"), assignment.field("right")
        if left is None or right is None or left.text() != text:
            continue
        if right.kind() in FUNCTION_KINDS:
            return right
    return None


def named_functions(root: SgNode) -> Iterator[Function]:
    for kind in sorted(FUNCTION_KINDS):
        for node in root.find_all(kind=kind):
            function = named(node)
            if function is not None:
                yield function


def named(node: SgNode) -> Function | None:
    """How a function is declared and called, or None when it has no name of its own."""
    name = node.field("name")
    if node.kind() == "method_definition":
        if name is None or name.text() == "constructor":
            return None
        return Function(node, name.text(), f"this.{name.text()}")
    if name is not None:
        return Function(node, name.text(), name.text())
    parent = node.parent()
    if parent is None:
        return None
    if parent.kind() == "variable_declarator":
        name = parent.field("name")
        if name is not None and name.kind() == "identifier":
            return Function(node, name.text(), name.text())
    if parent.kind() in ("public_field_definition", "field_definition"):
        name = parent.field("name") or parent.field("property")
        if name is not None:
            return Function(node, name.text(), f"this.{name.text()}")
    if parent.kind() == "pair":
        name = parent.field("key")
        if name is not None:
            return Function(node, name.text(), f"this.{name.text()}")
    return None


# --- reading conditions ---------------------------------------------------------------


def first_parameter(function: SgNode) -> SgNode | None:
    parameters = Function(function, "", "").parameters
    if not parameters:
        return None
    first = parameters[0]
    return first.field("pattern") or first.field("left") or first


def pattern_names(pattern: SgNode) -> Iterator[tuple[str, str]]:
    """(key, local name) for each plain entry of a destructuring pattern."""
    for child in pattern.children():
        if child.kind() == "shorthand_property_identifier_pattern":
            yield child.text(), child.text()
        elif child.kind() == "pair_pattern":
            key, value = child.field("key"), child.field("value")
            if key is not None and value is not None and value.kind() == "identifier":
                yield key.text(), value.text()
        elif child.kind() == "object_assignment_pattern":
            left = child.field("left")
            if left is not None:
                yield left.text(), left.text()


def sides(node: SgNode) -> list[SgNode]:
    return [side for side in (node.field("left"), node.field("right")) if side is not None]


def comparison(node: SgNode) -> bool | None:
    """True for an equality, False for an inequality, None for anything else.

    Tested with ``is``: a plain truth test would take an inequality for no comparison.
    """
    operator = node.field("operator")
    text = operator.text() if operator is not None else ""
    return {"===": True, "==": True, "!==": False, "!=": False}.get(text)


def state_tests(node: SgNode, names: set[str], state: str) -> Iterator[tuple[SgNode, bool]]:
    """Comparisons with the connection state below a node; True where it must be equal."""
    for test in node.find_all(kind="binary_expression"):
        equal = comparison(test)
        if equal is None:
            continue
        left, right = sides(test)
        for one, other in ((left, right), (right, left)):
            if string_value(other) == state and one.text().replace("?", "") in names:
                yield test, equal


def find_branch(logic: SgNode, names: set[str], state: str) -> Branch | None:
    for node in logic.find_all(kind="if_statement"):
        condition = node.field("condition")
        if condition is None:
            continue
        for _, equal in state_tests(condition, names, state):
            taken = node.field("consequence") if equal else None
            if not equal:
                alternative = node.field("alternative")
                if alternative is not None:
                    taken = next((c for c in alternative.children() if c.is_named()), None)
                elif leaves(node.field("consequence")):
                    parent = node.parent()
                    if parent is not None:
                        later = [s for s in statements(parent) if start_of(s) > start_of(node)]
                        return Branch(parent, later)
            if taken is not None:
                body = statements(taken) if taken.kind() == "statement_block" else [taken]
                return Branch(taken, body)
    for case in logic.find_all(kind="switch_case"):
        value = case.field("value")
        switch = enclosing(case, {"switch_statement"})
        tested = switch.field("value") if switch is not None else None
        if value is None or tested is None or string_value(value) != state:
            continue
        if tested.text().strip("()").strip() in names:
            body = [s for s in statements(case) if not same(s, value)]
            if len(body) == 1 and body[0].kind() == "statement_block":
                return Branch(body[0], statements(body[0]))
            return Branch(case, body)
    return None


def leaves(node: SgNode | None) -> bool:
    """Whether a statement ends with a return."""
    if node is None:
        return False
    if node.kind() == "statement_block":
        body = statements(node)
        return bool(body) and leaves(body[-1])
    return node.kind() in ("return_statement", "throw_statement")


def names_positively(condition: SgNode, name: str) -> bool:
    """Whether a condition holds only when ``name`` is set: alone, or joined by &&."""
    text = condition.text().strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    return any(
        (part.strip().strip("!( )") == name and not part.strip().lstrip("(").startswith("!"))
        or (part.strip().startswith("!!") and part.strip()[2:].strip() == name)
        for part in text.split("&&")
    )


def is_log_statement(node: SgNode) -> bool:
    """``logger.info(…);`` and its like: a statement that only writes a log line."""
    if node.kind() != "expression_statement":
        return False
    call = next((child for child in node.children() if child.is_named()), None)
    return (
        call is not None
        and call.kind() == "call_expression"
        and bool(LOGGER.search(callee_of(call)))
    )


def identifiers(node: SgNode) -> set[str]:
    return {
        n.text() for n in walk(node) if n.kind() in ("identifier", "shorthand_property_identifier")
    }


__all__ = [
    "Branch",
    "Channel",
    "Function",
    "body_of",
    "comparison",
    "identifiers",
    "is_log_statement",
    "leaves",
    "named",
    "named_functions",
    "read_channels",
    "span",
]
