"""The Channel model: what a Baileys channel file is made of, read once from its tree.

It is found by the anchors that hold in every real channel file that was surveyed (536
of them): a listener for ``connection.update``, the function around it that also makes
the socket, a test for ``'close'`` inside the listener. Names do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Literal

from modify.kit.typescript.functions import (
    Function,
    first_parameter,
    named_functions,
    pattern_names,
)
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    REMEMBERED,
    Source,
    arguments_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    nodes_of,
    same,
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
TIMERS = ("setTimeout", "setImmediate", "queueMicrotask", "process.nextTick")
KEEPS_VALUE = ("await_expression", "parenthesized_expression", "as_expression")
GATED_BY = ("socket", "watch", "turn")
MADE = re.compile(r"([\w$]+)(?::\s*Reconnect)?\s*=\s*new Reconnect\(")
LOGGED_OUT = re.compile(r"(\.loggedOut|\[['\"]loggedOut['\"]\]|^401)$")
LOGGER = re.compile(
    r"(^|\.)(log|logger|console|\w*[lL]og(ger)?)\.(trace|debug|info|log|warn|error|fatal)$"
)


@dataclass(frozen=True)
class Branch:
    """The code for one state of the connection. body: its statements, in order."""

    node: SgNode
    body: list[SgNode]

    def holds(self, node: SgNode) -> bool:
        """Whether a node stands in it; ``node`` itself may hold more (after an early return)."""
        return any(within(node, statement) for statement in self.body)


@dataclass(frozen=True)
class Factory:
    """A function of another file that makes the socket and hands it out.

    path: that file. shared: whether yet other files call it, too.
    folder: the credentials folder that it loads, as an expression that means the same in any
    file; None where there is none. pairs: whether its file may show the QR or pairing code.
    """

    folder: str | None
    pairs: bool
    path: str = ""
    shared: bool = False


@dataclass
class Channel:
    """One connect function with its handler.

    receiver: the text of the socket that the handler listens on (``this.sock``).
    registration: the ``….ev.on('connection.update', H)`` call. logic: the function that
    tests the connection state (H itself, or what H hands the update to). apart: the
    listener is placed by another function, or not to be read. is_on_a_wrapper: it hangs on what
    a package made of the socket.
    factory: the function of another file that makes the socket, if it is not made in this one.
    paired_elsewhere: a file that is imported, or that imports this one, listens for the QR code.
    run_elsewhere: names of functions that other files call while the bot is to stay up.
    """

    source: Source
    connect: Function
    socket_call: SgNode
    registration: SgNode
    receiver: str
    handler: SgNode
    logic: SgNode
    apart: bool = False
    is_on_a_wrapper: bool = False
    factory: Factory | None = None
    paired_elsewhere: bool = False
    run_elsewhere: frozenset[str] = frozenset()

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

    @cached_property
    def socket_name(self) -> str | None:
        """The name that keeps the socket where it is made: ``sock``, ``this.client``."""
        node = self.socket_call
        parent = node.parent()
        while parent is not None and parent.kind() in KEEPS_VALUE:
            node, parent = parent, parent.parent()
        if parent is None or not same(parent.field("value") or parent.field("right"), node):
            return None
        target = parent.field("name") or parent.field("left")
        plain = target is not None and re.fullmatch(r"(this\.)?#?\w+", target.text())
        return target.text() if target is not None and plain else None

    @property
    def maker(self) -> str:
        """What makes the socket: ``f``, also in ``reconnect.socket(f, …)``."""
        given = arguments_of(self.socket_call)
        return (
            given[0].text() if given and is_gated(self.socket_call) else callee_of(self.socket_call)
        )

    # --- what the handler reads ------------------------------------------------------

    @cached_property
    def update_name(self) -> str | None:
        """The handler's parameter, or None when it is destructured in place."""
        parameter = first_parameter(self.logic)
        if parameter is None or parameter.kind() != "identifier":
            return None
        return parameter.text()

    @cached_property
    def update_texts(self) -> set[str]:
        """The expressions for the update in the handler; ``ev.process`` hands on all events."""
        given = self.update_name
        if given is None:
            return set()
        texts = {given, f"{given}['{EVENT}']", f'{given}["{EVENT}"]'}
        for declarator in nodes_of(self.logic, "variable_declarator"):
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
        updates = self.update_texts
        for key in found:
            found[key] |= {f"{update}.{key}" for update in updates}
        for declarator in nodes_of(self.logic, "variable_declarator"):
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
        """The code for ``connection`` being ``state``: an if, an early return, or a case."""
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
        for node in nodes_of(self.logic, "if_statement"):
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
        for node in nodes_of(self.logic, "binary_expression"):
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
        """The function a call runs, now or later: its callee, or ``f`` of ``setTimeout(f, …)``."""
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
        candidates = [
            function
            for function in named_functions(self.source.root)
            if not same(function.node, self.connect.node)
            and not same(function.node, self.logic)
            and not within(self.connect.node, function.node)
        ]
        users: dict[str, set[int]] = {}
        for index, function in enumerate(candidates):
            for call in calls(function.node):
                users.setdefault(self.dialled_by(call), set()).add(index)
        # In rounds, each from the first candidate to the last: the first that leads there wins.
        waiting = [(0, index) for text in self.connect_texts for index in users.get(text, ())]
        heapify(waiting)
        found: dict[int, Function] = {}
        while waiting:
            turn, index = heappop(waiting)
            if index in found:
                continue
            found[index] = candidates[index]
            for user in users.get(candidates[index].call, set()) - found.keys():
                heappush(waiting, (turn + (user < index), user))
        return [*found.values()]

    def helper_of(self, call: SgNode) -> Function | None:
        return self._helper_of.get(self.dialled_by(call))

    @cached_property
    def _helper_of(self) -> dict[str, Function]:
        return {helper.call: helper for helper in reversed(self.helpers)}

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
        """The Reconnect object that the connect function's socket goes through, or None."""
        made = reconnect_objects(self.source.root)
        for call in calls(self.connect.node) if made else ():
            owner, _, method = callee_of(call).rpartition(".")
            if method in GATED_BY and owner.rpartition(".")[2] in made:
                return owner
        return None

    @property
    def is_gated(self) -> bool:
        return self.gate is not None

    @property
    def is_of_an_earlier_form(self) -> bool:
        """Whether it waits in its connect function, as skillgen once had it."""
        gate = f"{self.gate}.turn"
        return self.is_gated and any(callee_of(call) == gate for call in calls(self.connect.node))

    @property
    def is_watched(self) -> bool:
        """Whether the Reconnect object sees the connection's events."""
        if not self.is_of_an_earlier_form:
            return self.is_gated
        look = f"{self.gate}.observe"
        places = (self.logic, self.registration, self.connect.node)
        return any(callee_of(call) == look for place in places for call in calls(place))

    @cached_property
    def is_settled(self) -> bool:
        """Whether the old loop connects through the gate's object now."""
        return self.gate is not None and any(
            callee_of(call) == f"{self.gate}.dial" for call in calls(self.source.root)
        )

    def asks_gate_too(self, verdict: SgNode) -> bool:
        """``reconnect.terminal && code === 401``: one code of those that the gate ends at."""
        around = verdict.parent()
        left = around.field("left") if around is not None else None
        terminal = f"{self.gate}.terminal"
        return left is not None and re.search(rf"{re.escape(terminal)}$", left.text()) is not None

    def is_dialled(self, call: SgNode) -> bool:
        """Whether a call of the connect function is made by ``dial(() => call)``."""
        return self.gate is not None and any(
            outer.kind() == "call_expression" and callee_of(outer) == f"{self.gate}.dial"
            for outer in call.ancestors()
        )

    # --- the way out -----------------------------------------------------------------

    def is_stopped_in(self, function: SgNode) -> bool:
        return self.gate is not None and any(
            callee_of(call) == f"{self.gate}.stop" for call in calls(function)
        )

    @property
    def exits(self) -> list[SgNode]:
        """``process.exit(…)`` calls inside the handler."""
        return [call for call in calls(self.logic) if callee_of(call) == "process.exit"]

    def uses(self, pattern: str) -> bool:
        return re.search(pattern, self.source.root.text()) is not None


@lru_cache(REMEMBERED)
def reconnect_objects(root: SgNode) -> frozenset[str]:
    """The names of a file's Reconnect objects, without their ``this.``."""
    text = root.text()
    return frozenset(MADE.findall(text)) if "new Reconnect(" in text else frozenset()


def is_gated(call: SgNode) -> bool:
    """Whether a call makes a socket by a Reconnect object: ``this.reconnect.socket(make, …)``."""
    owner, _, method = callee_of(call).rpartition(".")
    made = reconnect_objects(call.get_root().root()) if method == "socket" else ()
    return owner.rpartition(".")[2] in made


# --- reading conditions ---------------------------------------------------------------


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
    for test in nodes_of(node, "binary_expression"):
        equal = comparison(test)
        if equal is None:
            continue
        left, right = sides(test)
        for one, other in ((left, right), (right, left)):
            if string_value(other) == state and one.text().replace("?", "") in names:
                yield test, equal


def find_branch(logic: SgNode, names: set[str], state: str) -> Branch | None:
    for node in nodes_of(logic, "if_statement"):
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
    for case in nodes_of(logic, "switch_case"):
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
