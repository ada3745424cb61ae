"""Reconnects without a ``while`` of their own: a function that leads to itself.

``connect()`` that calls itself in its ``except``, through ``create_task``, ``call_later``, a
``threading.Timer``, a helper, or the ``on_close`` of a WebSocketApp; a decorator that calls it
again; the library's own reconnect; a loop at a file's top level. They are not rewritten, as
the code between two attempts is spread over callbacks: each is reported, with its pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from modify.bridge.backoff_variable import resets_of
from modify.bridge.link import (
    LinkLoop,
    dial_names,
    heard_by,
    is_about_whatsapp,
    is_dial,
    nearest_loop,
)
from modify.bridge.websocket_app import App, app_of
from modify.kit.python.functions import owner_of
from modify.kit.python.source import Source, all_of, block_of, called, dotted, inside
from modify.kit.python.waits import SLEEPS, is_flat
from modify.python.about_whatsapp import is_whatsapp
from modify.rules import ids

LATER = re.compile(r"(?:^|\.)(?:Timer|call_later|enter)$")
AGAIN = re.compile(r"(?:^|\.)(?:retry|retrying|on_exception|on_predicate|retry_async)$", re.I)
GROWS = re.compile(r"exponential|incrementing|expo\b|fibo\b|stamina|backoff=[2-9]")
# Events of an open link that do not end it.
HEARS = ("on_message", "on_open", "on_data", "on_ping", "on_pong", "on_cont_message")
NO_LOOP = "it reconnects without a loop, so there is no one place for its wait"


@dataclass(frozen=True, eq=False)
class Redial:
    """place: what is pointed at; message, reason: as in a finding. right: nothing is wrong."""

    place: cst.CSTNode
    message: str
    reason: str = ""
    right: bool = False
    rule: str = ids.FLAT_RETRY


def redials(source: Source, links: list[LinkLoop]) -> Iterator[Redial]:
    """Reconnects to a bridge of WhatsApp that are not one of the modelled loops."""
    dials = dial_names(source)
    looped = {link.dial for link in links}
    seen: set[cst.FunctionDef] = set()
    for call in all_of(source.module, cst.Call, functions=True):
        app = app_of(source, call, threads=True)
        if app is None and is_stranger(call):
            yield from of_strangers(source, call)
        if app is None and not is_dial(call, dials):
            continue
        function = source.nearest(call, cst.FunctionDef)
        if function is None:
            yield from at_top_level(source, call)
            continue
        if not is_about_whatsapp(source, function, app):
            continue
        if app is not None and app.redials_itself and call not in looped:
            yield Redial(
                call,
                "run_forever(reconnect=…) reconnects by itself, after a flat time",
                "it is in no loop: Ctrl-C and close() end it for good, but would not end a loop",
            )
        loop = nearest_loop(source, call)
        if app is not None and isinstance(loop, cst.While) and call not in looped:
            said = "a loop around run_forever() connects to the bridge again"
            reason = "run_forever() has no line of its own in the loop"
            if called(call).rpartition(".")[2] == "Thread":
                reason = "the loop leaves it to a thread, and does not see when it is over"
            yield Redial(loop, said, reason)
            continue
        if function not in seen:
            seen.add(function)
            yield from decorated(source, function)
            if call not in looped:
                yield from led_back(source, function, app)


def is_stranger(call: cst.Call) -> bool:
    """``ws.run_forever()`` of no WebSocketApp that is made in sight; an event loop has one, too."""
    first, _, last = dotted(call.func).rpartition(".")
    return last == "run_forever" and not first.endswith("loop")


def of_strangers(source: Source, call: cst.Call) -> Iterator[Redial]:
    function, loop = source.nearest(call, cst.FunctionDef), nearest_loop(source, call)
    known = b"WebSocketApp" in source.content or b"websocket" in source.content
    if function is None or not isinstance(loop, cst.While) or not known:
        return
    if is_whatsapp(source, function):
        said = "a loop calls run_forever() again and again"
        yield Redial(loop, said, "where its WebSocketApp is made is not known")


def at_top_level(source: Source, call: cst.Call) -> Iterator[Redial]:
    loop = nearest_loop(source, call)
    about = re.search(r"whats_?app|baileys", source.path + source.module.code, re.I)
    if isinstance(loop, cst.While) and about:
        said = "a loop at the file's top level connects to the bridge again"
        yield Redial(loop, said, "the loop is in no function, so there is no place for its wait")


def decorated(source: Source, function: cst.FunctionDef) -> Iterator[Redial]:
    """``@retry(wait=wait_fixed(5))`` on the function that connects."""
    for item in function.decorators:
        node = item.decorator
        name = called(node) or dotted(node)
        if not AGAIN.search(name):
            continue
        text = source.module.code_for_node(node)
        if GROWS.search(text):
            yield Redial(item, f"@{name} waits longer each time", right=True)
        else:
            said = f"@{name} reconnects, after a pause that never grows"
            yield Redial(item, said, "a decorator has no place for a gate")


# --- a way back -------------------------------------------------------------------------


def led_back(source: Source, function: cst.FunctionDef, app: App | None) -> Iterator[Redial]:
    way = way_back(source, function)
    if way is None:
        return
    if any(is_gate(call) for step in way for call in all_of(step, cst.Call)):
        yield Redial(function, "paced by skillgen's gate", right=True)
        return
    pauses = [pause for step in way for pause in pauses_of(step)]
    growing = [number for number in pauses if grows(source, number, way)]
    through = ", ".join(f"{step.name.value}()" for step in way[1:])
    name = f"{function.name.value}()" + (f" through {through}" if through else "")
    opens = list(heard_by(source, app, function, "on_open")) if app is not None else []
    resets = [line for step in [*way, *opens] for line in resets_of(source, step, growing)]
    if pauses and len(growing) == len(pauses):
        if not resets:
            said = f"{name} leads to itself, after a pause that grows"
            yield Redial(function, said, right=True)
            return
        said = "the pause is reset ({}) before the connection has lasted: {} leads to itself"
        said = said.format(source.text(resets[0]), name)
        yield Redial(resets[0], said, NO_LOOP, rule=ids.PREMATURE_RESET)
        return
    flat = [source.text(number) for number in pauses if number not in growing]
    after = f"after a flat {flat[0]} s" if flat else "at once"
    yield Redial(function, f"connects to the bridge again {after}: {name} leads to itself", NO_LOOP)


def is_gate(call: cst.Call) -> bool:
    """``link.turn()`` and ``link_of(self).turn()``."""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in ("turn", "turn_sync")


def grows(source: Source, number: cst.BaseExpression, way: list[cst.FunctionDef]) -> bool:
    return any(not is_flat(source, number, step) for step in way)


def way_back(source: Source, function: cst.FunctionDef) -> list[cst.FunctionDef] | None:
    """The shortest way from a function to itself, itself first."""
    ways = [[function]]
    known = set()
    while ways:
        way = ways.pop(0)
        for step in leads_to(source, way[-1], dialling=way[-1] is function):
            if step is function:
                return way
            if step not in known:
                known.add(step)
                ways.append([*way, step])
    return None


def leads_to(
    source: Source, function: cst.FunctionDef, *, dialling: bool
) -> Iterator[cst.FunctionDef]:
    """The functions of its class or file that a function calls or hands on.

    dialling: it serves the link, too; what it does for a message is no way back.
    """
    owner = owner_of(source, function)
    outer = source.nearest(function, cst.FunctionDef)
    while owner is None and outer is not None:
        owner, outer = owner_of(source, outer), source.nearest(outer, cst.FunctionDef)
    methods = named_in(block_of(owner) or []) if owner is not None else {}
    functions = named_in(source.module.body)
    for node in of_ends(function, dialling):
        name = dotted(node)
        first, _, rest = name.partition(".")
        if isinstance(node, cst.Attribute) and first in ("self", "cls") and rest in methods:
            yield methods[rest]
        elif isinstance(node, cst.Name) and name in functions:
            yield functions[name]


def of_ends(node: cst.CSTNode, dialling: bool) -> Iterator[cst.CSTNode]:
    """Every node below but those that serve an open link: its loop, its on_message."""
    parts: Sequence[cst.CSTNode] = () if dotted(node) else node.children
    if isinstance(node, cst.FunctionDef):
        parts = (node.body,)
    elif isinstance(node, cst.Arg):
        parts = (node.value,)
    for child in parts:
        if dialling and isinstance(child, (cst.For, cst.While)):
            continue
        if isinstance(child, cst.Arg) and child.keyword and child.keyword.value in HEARS:
            continue
        if isinstance(child, cst.FunctionDef) and child.name.value in HEARS:
            continue
        if isinstance(child, cst.FunctionDef):
            yield from of_ends(child, dialling)
            continue
        yield child
        yield from of_ends(child, dialling)


def named_in(body: object) -> dict[str, cst.FunctionDef]:
    assert isinstance(body, (list, tuple))
    return {item.name.value: item for item in body if isinstance(item, cst.FunctionDef)}


def pauses_of(function: cst.FunctionDef) -> Iterator[cst.BaseExpression]:
    """How long a step of the way waits: ``sleep(5)``, ``Timer(5, …)``, ``call_later(5, …)``."""
    for call in (node for node in inside(function, functions=True) if isinstance(node, cst.Call)):
        name = called(call)
        if isinstance(call.func, cst.Attribute):  # asyncio.get_event_loop().call_later(…)
            name = name or call.func.attr.value
        if (name in SLEEPS or LATER.search(name)) and call.args:
            yield call.args[0].value
