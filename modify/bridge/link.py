"""Bridge links: the loops by which a Python program connects to its own Node bridge.

Read by meaning: a ``while`` loop that holds a WebSocket dial (or calls the one function that
holds it), in code that is about WhatsApp; the waits in that loop, and whether one lies on the
way from a clean close back to the dial. ``async for … in ws`` ends without an exception when
the peer closes cleanly, so an ``except`` alone sees only half of the ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from modify.bridge.backoff_variable import resets_of
from modify.bridge.websocket_app import EVENTS, App, app_of, given_for
from modify.kit.python.functions import function_named, function_of, is_async, owner_of
from modify.kit.python.source import Source, all_of, block_of, called, dotted, inside
from modify.kit.python.waits import Loop, Wait, wait_of
from modify.python.about_whatsapp import is_whatsapp

DIALS = re.compile(r"(?:^|\.)(?:websockets?(?:\.\w+)*\.connect|create_connection|ws_connect)$")
SOURCES_OF_CONNECT = re.compile(r"websockets?(\.(sync|asyncio|legacy))?(\.client)?$")
STOP_NAMES = re.compile(r"^_?_?(a?stop|a?close|disconnect|shutdown|teardown|aexit__|exit__)", re.I)
ENDS = (cst.Break, cst.Return, cst.Raise)
GATE = re.compile(r"\.turn(_sync)?$")
CLOCK = re.compile(r"(?:^|\.)(?:time|monotonic|perf_counter|now|utcnow)$")


@dataclass(eq=False)
class LinkLoop:
    """One loop. function: the one it stands in; holder: the one that holds the dial.

    dial: the call; opening: the ``with`` or the assignment that the open link comes from.
    app: of websocket-client, where the dial is its ``run_forever()``; that is the opening, too.
    waits: the pauses between two dials. clean_waits: those that a clean close passes, too.
    resets: what sets a growing one back. entry: the statement of the loop that dials, where
    the loop may go round before it (``if not enabled: sleep(30); continue``).
    """

    source: Source
    function: cst.FunctionDef
    owner: cst.ClassDef | None
    loop: Loop
    holder: cst.FunctionDef
    dial: cst.Call
    opening: cst.With | cst.SimpleStatementLine
    is_async: bool
    app: App | None = None
    waits: list[Wait] = field(default_factory=list)
    clean_waits: list[Wait] = field(default_factory=list)
    ends_cleanly: bool = False
    stops: list[cst.SimpleStatementLine] = field(default_factory=list)
    resets: list[cst.SimpleStatementLine] = field(default_factory=list)
    entry: cst.BaseStatement | None = None

    @property
    def is_gated(self) -> bool:
        return any(GATE.search(called(call)) for call in all_of(self.loop, cst.Call))

    @property
    def is_bounded(self) -> bool:
        """``while time.time() < deadline``: asks for a while whether the bridge is up."""
        return self.condition is not None and is_clock(self.condition)

    @property
    def flat_waits(self) -> list[Wait]:
        return [wait for wait in self.waits if wait.flat]

    @property
    def condition(self) -> cst.BaseExpression | None:
        """The condition of a ``while``; None for ``for … in count()``."""
        return self.loop.test if isinstance(self.loop, cst.While) else None

    @property
    def test(self) -> str:
        return self.source.text(self.condition) if self.condition is not None else "True"

    @property
    def is_cancelled(self) -> bool:
        """Whether a method that stops the channel cancels a task."""
        methods = [self.source.nearest(stop, cst.FunctionDef) for stop in self.stops]
        return any(method and "cancel(" in self.source.text(method) for method in methods)

    @property
    def me(self) -> str:
        """The name of the channel object in the loop's function: ``self``; "" outside a class."""
        parameters = self.function.params.params
        return parameters[0].name.value if self.owner is not None and parameters else ""


def link_loops(source: Source) -> Iterator[LinkLoop]:
    """The loops of a file that connect to a bridge of WhatsApp, in their order."""
    dials = dial_names(source)
    loops: list[Loop] = list(all_of(source.module, cst.While, functions=True))
    loops += [loop for loop in all_of(source.module, cst.For, functions=True) if is_endless(loop)]
    for loop in loops:
        function = source.nearest(loop, cst.FunctionDef)
        if function is None:
            continue
        found = find_dial(source, loop, function, dials)
        if found is None:
            continue
        holder, dial, opening = found
        app = app_of(source, dial)
        if not is_about_whatsapp(source, function, app):
            continue
        owner = owner_of(source, function)
        link = LinkLoop(source, function, owner, loop, holder, dial, opening, is_async(function))
        link.app = app
        read_waits(link)
        link.stops = list(stops_of(link))
        growing = [wait.number for wait in link.waits if not wait.flat]
        link.resets = list(resets_of(source, loop, growing))
        yield link


def self_pacing(source: Source) -> Iterator[cst.For]:
    """``async for ws in websockets.connect(…)``: the library reconnects by itself."""
    dials = dial_names(source)
    for loop in all_of(source.module, cst.For, functions=True):
        function = source.nearest(loop, cst.FunctionDef)
        if function is not None and is_dial(loop.iter, dials) and is_whatsapp(source, function):
            yield loop


def is_endless(loop: cst.For) -> bool:
    """``for attempt in itertools.count():``, a ``while True`` that counts."""
    return loop.asynchronous is None and called(loop.iter) in ("itertools.count", "count")


def nearest_loop(source: Source, node: cst.CSTNode) -> Loop | None:
    loops = (cst.While, cst.For)
    return next((above for above in source.above(node) if isinstance(above, loops)), None)


def is_clock(test: cst.BaseExpression) -> bool:
    return any(CLOCK.search(called(node)) for node in [test, *inside(test)])


def is_about_whatsapp(source: Source, function: cst.FunctionDef, app: App | None) -> bool:
    """Whether a function that connects, or a handler of its app, is about WhatsApp."""
    scopes = [function]
    if app is not None:
        for event in EVENTS:
            scopes += heard_by(source, app, function, event)
    return any(is_whatsapp(source, scope) for scope in scopes)


# --- the dial ---------------------------------------------------------------------------


def dial_names(source: Source) -> frozenset[str]:
    """Names that a file imports a WebSocket library's connect function under."""
    names = set()
    for found in all_of(source.module, cst.ImportFrom, functions=True):
        if SOURCES_OF_CONNECT.match(dotted(found.module)) and not isinstance(
            found.names, cst.ImportStar
        ):
            for item in found.names:
                if item.name.value in ("connect", "create_connection"):
                    names.add(item.evaluated_alias or "connect")
    for plain in all_of(source.module, cst.Import, functions=True):
        for item in plain.names:
            if SOURCES_OF_CONNECT.match(dotted(item.name)) and item.evaluated_alias:
                names.add(f"{item.evaluated_alias}.connect")
    return frozenset(names)


def is_dial(node: cst.CSTNode, dials: frozenset[str]) -> bool:
    name = called(node)
    return bool(name) and (name in dials or DIALS.search(name) is not None)


def find_dial(
    source: Source, loop: Loop, function: cst.FunctionDef, dials: frozenset[str]
) -> tuple[cst.FunctionDef, cst.Call, cst.With | cst.SimpleStatementLine] | None:
    """The dial in a loop, or in the one function that the loop calls."""
    direct = opening_in(source, loop, dials)
    if direct is not None:
        return (function, *direct) if nearest_loop(source, direct[0]) is loop else None
    for call in all_of(loop, cst.Call):
        helper = function_named(source, function, called(call))
        if helper is None or helper is function:
            continue
        inner = opening_in(source, helper, dials)
        if inner is not None and not within_loop(source, inner[0], helper):
            return (helper, *inner)
    return None


def opening_in(
    source: Source, scope: cst.CSTNode, dials: frozenset[str]
) -> tuple[cst.Call, cst.With | cst.SimpleStatementLine] | None:
    for call in all_of(scope, cst.Call):
        if not is_dial(call, dials) and app_of(source, call) is None:
            continue
        for above in source.above(call):
            if isinstance(above, (cst.With, cst.SimpleStatementLine)):
                return call, above
            if isinstance(above, cst.BaseCompoundStatement):
                break
    return None


def within_loop(source: Source, node: cst.CSTNode, function: cst.FunctionDef) -> bool:
    for above in source.above(node):
        if above is function:
            return False
        if isinstance(above, (cst.While, cst.For)):
            return True
    return False


def heard_by(
    source: Source, app: App, near: cst.FunctionDef, event: str
) -> Iterator[cst.FunctionDef]:
    """The functions of this file that an app calls on an event."""
    for handler in given_for(source, app, event):
        found = function_of(source, near, dotted(handler))
        if found is not None:
            yield found


# --- the waits --------------------------------------------------------------------------


def read_waits(link: LinkLoop) -> None:
    source, loop = link.source, link.loop
    held = link.opening if isinstance(link.opening, cst.With) else None
    link.entry, idle = entry_of(link)
    for call in all_of(loop, cst.Call):
        if any(source.is_within(call, statement) for statement in idle):
            continue
        if held is not None and source.is_within(call, held):
            continue
        if nearest_loop(source, call) is not loop:
            continue
        wait = wait_of(source, call, loop)
        if wait is not None:
            link.waits.append(wait)
    path = clean_path(link)
    link.ends_cleanly = path is None
    if path is not None and link.condition is not None:
        path.append(link.condition)  # ``while not stop.wait(5):``
    link.clean_waits = [
        wait
        for wait in link.waits
        if any(source.is_within(wait.call, statement) for statement in path or [])
    ]


def entry_of(link: LinkLoop) -> tuple[cst.BaseStatement | None, list[cst.BaseStatement]]:
    """The statement that dials, and those before it that may ``continue`` without a dial.

    (None, []) without the latter: each turn of the loop is a dial.
    """
    idle: list[cst.BaseStatement] = []
    for statement in block_of(link.loop) or []:
        calls = all_of(statement, cst.Call)
        if any(call is link.dial or is_helper(link, call) for call in calls):
            return (statement, idle) if idle else (None, [])
        if isinstance(statement, cst.If) and any(all_of(statement, cst.Continue)):
            idle.append(statement)
    return None, []


def is_helper(link: LinkLoop, call: cst.Call) -> bool:
    if link.holder is link.function:
        return False
    return function_named(link.source, link.function, called(call)) is link.holder


def clean_path(link: LinkLoop) -> list[cst.CSTNode] | None:
    """The nodes run between a clean close and the next turn of the loop; None if the loop ends.

    From the dial outwards: the statements that follow in each block, ``else`` and
    ``finally``, never an ``except``.
    """
    source, path = link.source, list[cst.CSTNode]()
    here: cst.CSTNode = link.opening
    if link.holder is not link.function:
        path_in_holder = rest_of(source, here, link.holder)
        if path_in_holder is None:
            return None  # it raises or the like; a bare return only leaves the helper
        path += path_in_holder
        here = next(
            call
            for call in all_of(link.loop, cst.Call)
            if function_named(source, link.function, called(call)) is link.holder
        )
    elif isinstance(here, cst.With) and ended_by(here.body):
        return None
    rest = rest_of(source, here, link.loop)
    return None if rest is None else path + rest


def rest_of(source: Source, node: cst.CSTNode, top: cst.CSTNode) -> list[cst.CSTNode] | None:
    found: list[cst.CSTNode] = []
    here = node
    while here is not top:
        above = source.parent(here)
        if above is None:
            break
        if isinstance(above, cst.IndentedBlock):
            following = list(above.body)
            following = following[following.index(here) + 1 :]  # type: ignore[arg-type]
            found += following
            in_helper = isinstance(top, cst.FunctionDef)
            if any(ends(statement, in_helper) for statement in following):
                return None
        elif isinstance(above, cst.Try) and here is above.body:
            found += [part for part in (above.orelse, above.finalbody) if part is not None]
            if above.orelse is not None and ended_by(above.orelse.body):
                return None
        here = above
    return found


def ended_by(block: cst.BaseSuite) -> bool:
    return bool(block.body) and ends(block.body[-1], False)


def ends(statement: cst.CSTNode, in_helper: bool) -> bool:
    """Whether a statement surely leaves the loop; a ``return`` of a helper does not."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    kinds = (cst.Raise,) if in_helper else ENDS
    return any(isinstance(small, kinds) for small in statement.body)


def gives_up(link: LinkLoop) -> cst.If | None:
    """``if tries >= most: break``: the host's own end of a loop, after some attempts."""
    counted = {dotted(node.target) for node in all_of(link.loop, cst.AugAssign)}
    for branch in all_of(link.loop, cst.If):
        test = branch.test
        if not isinstance(test, cst.Comparison) or dotted(test.left) not in counted:
            continue
        most = isinstance(test.comparisons[0].operator, (cst.GreaterThan, cst.GreaterThanEqual))
        if most and ended_by(branch.body):
            return branch
    return None


# --- how it is stopped ------------------------------------------------------------------


def stops_of(link: LinkLoop) -> Iterator[cst.SimpleStatementLine]:
    """The statements that tell the loop to end: ``self._running = False``, ``event.set()``."""
    if link.owner is None:
        return
    asked = dotted_names(link.condition) if link.condition is not None else set()
    flags = {name for name in asked if "." in name}
    waited = {
        called(wait.call.args[0].value).removesuffix(".wait")
        for wait in link.waits
        if wait.kind == "event" and wait.call.args
    }
    for method in block_of(link.owner) or []:
        if not isinstance(method, cst.FunctionDef) or method is link.function:
            continue
        if method is link.holder or not method.params.params:
            continue
        if method.name.value in ("__init__", "__post_init__"):
            continue  # where the flag is born
        found = None
        for line in all_of(method, cst.SimpleStatementLine):
            if any(is_stopping(small, flags | waited) for small in line.body):
                found = line
                break
        if found is not None:
            yield found
        elif STOP_NAMES.match(method.name.value) and not flags:
            block = block_of(method) or []
            first = block[1:] if method.get_docstring() is not None else block
            if first and isinstance(first[0], cst.SimpleStatementLine):
                yield first[0]


def dotted_names(node: cst.CSTNode) -> set[str]:
    whole = dotted(node)
    found = {whole} if whole else set()
    for below in inside(node):
        name = dotted(below)
        if name:
            found.add(name)
    return found | {name.removesuffix(".is_set") for name in found}


def is_stopping(small: cst.CSTNode, flags: set[str]) -> bool:
    if isinstance(small, cst.Assign):
        false = isinstance(small.value, cst.Name) and small.value.value in ("False", "True")
        return (
            false
            and any(dotted(target.target) in flags for target in small.targets)
            and (
                small.value.value == "False"  # type: ignore[attr-defined]
                or not any("running" in name for name in flags)
            )
        )
    if isinstance(small, cst.Expr):
        name = called(small.value)
        return name.endswith(".set") and name.removesuffix(".set") in flags
    return False
