"""A ``WebSocketApp`` of websocket-client: where it is made, and where it runs.

``run_forever()`` dials, serves, and comes back when the connection is over: True after an
error, False after a clean close. Neither is raised (``on_error`` and ``on_close`` are called),
so an ``except`` around it is not the way to the next dial. ``run_forever(reconnect=5)`` dials
again by itself after a flat 5 s each time, and then calls ``on_close`` only once ``close()`` was
called, ``on_reconnect`` in the place of ``on_open``. Source: websocket-client 1.9.2,
``websocket/_app.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from modify.kit.python.source import Source, all_of, called, dotted

MADE = re.compile(r"(?:^|\.)WebSocketApp$")
# ``await asyncio.to_thread(ws.run_forever)``: it is handed over, and waited for.
HANDS_OVER = re.compile(r"(?:^|\.)(?:to_thread|run_in_executor|run_sync)$")
EVENTS = ("on_open", "on_message", "on_error", "on_close")
# WebSocketApp(url, header, on_open, …): the same in every version since 0.11.
ON_OPEN = 2


@dataclass(frozen=True, eq=False)
class App:
    """name: what it is kept as: ``ws``, ``self._ws``, nothing where it runs right away.

    makings: the ``WebSocketApp(…)`` calls that it may come from; run: ``run_forever(…)``, or
    the call that hands it to a thread.
    """

    name: str
    makings: tuple[cst.Call, ...]
    run: cst.Call

    @property
    def redials_itself(self) -> bool:
        """``reconnect=5``; a plain 0 switches it off."""
        given = keyword(self.run, "reconnect")
        off = isinstance(given, cst.Name) and given.value == "None"
        return (
            given is not None
            and not off
            and not (isinstance(given, cst.Integer) and given.value == "0")
        )


def app_of(source: Source, call: cst.Call, *, threads: bool = False) -> App | None:
    """The app that a call runs, if it is one of this file; threads: ``Thread(target=…)``, too."""
    runs = method_run(call, threads)
    if runs is None:
        return None
    if isinstance(runs.value, cst.Call):
        made = runs.value
        return App("", (made,), call) if MADE.search(called(made)) else None
    name = dotted(runs.value)
    makings = tuple(made for made in makings_of(source, name, call)) if name else ()
    return App(name, makings, call) if makings else None


def method_run(call: cst.Call, threads: bool) -> cst.Attribute | None:
    """``ws.run_forever`` of ``ws.run_forever(…)`` and of ``to_thread(ws.run_forever)``."""
    nodes: list[cst.BaseExpression] = [call.func]
    name = dotted(call.func)
    if HANDS_OVER.search(name) or (threads and name.rpartition(".")[2] == "Thread"):
        nodes = [item.value for item in call.args]
    for node in nodes:
        if isinstance(node, cst.Attribute) and node.attr.value == "run_forever":
            return node
    return None


def makings_of(source: Source, name: str, near: cst.CSTNode) -> Iterator[cst.Call]:
    """The ``WebSocketApp(…)`` calls whose result a name holds, as seen from a place."""
    for made in all_of(source.module, cst.Call, functions=True):
        if not MADE.search(called(made)):
            continue
        assigned = source.parent(made)
        if isinstance(assigned, cst.Assign):
            targets = {dotted(target.target) for target in assigned.targets}
        elif isinstance(assigned, cst.AnnAssign):
            targets = {dotted(assigned.target)}
        else:
            continue
        if name in targets and within_reach(source, name, made, near):
            yield made


def within_reach(source: Source, name: str, made: cst.CSTNode, near: cst.CSTNode) -> bool:
    """Whether a name that is set at one place is the same thing at another."""
    kind: type[cst.CSTNode] = cst.ClassDef if "." in name else cst.FunctionDef
    home = source.nearest(made, kind)
    return home is None or any(above is home for above in source.above(near))


def keyword(call: cst.Call, name: str) -> cst.BaseExpression | None:
    for item in call.args:
        if item.keyword is not None and item.keyword.value == name:
            return item.value
    return None


def handlers_of(app: App, event: str) -> Iterator[cst.BaseExpression]:
    """The handlers of an event that are passed to ``WebSocketApp(…)``."""
    for made in app.makings:
        given = keyword(made, event)
        plain = [item for item in made.args if item.keyword is None and not item.star]
        if given is None and event == "on_open" and len(plain) > ON_OPEN:
            given = plain[ON_OPEN].value
        if given is not None:
            yield given


def assigned_later(source: Source, app: App, event: str) -> list[cst.Assign]:
    """``ws.on_open = …`` of this app."""
    name = f"{app.name}.{event}"
    return [
        found
        for found in all_of(source.module, cst.Assign, functions=True)
        if app.name and any(dotted(target.target) == name for target in found.targets)
    ]


def given_for(source: Source, app: App, event: str) -> list[cst.BaseExpression]:
    """Every handler of an event: of ``WebSocketApp(…)``, and set later."""
    later = [found.value for found in assigned_later(source, app, event)]
    return [*handlers_of(app, event), *later]
