"""The one rewrite of a session that starts itself again: its pause grows."""

from __future__ import annotations

import libcst as cst

from modify.python.neonize import Client
from modify.python.restart import Restart
from modify.python.rewrite_link import CannotPlace
from modify.python.source import all_of, block_of, names_in
from modify.python.style import logger_of
from skill.edit import Edit

RULE = "flat-retry"


def restart_edits(restart: Restart, clients: list[Client]) -> list[Edit]:
    """Raises CannotPlace when nothing in the file tells that a session has connected."""
    source = restart.source
    opened = [item for client in clients for item in client.handlers("ConnectedEv")]
    handler = next((item.handler for item in opened if item.handler is not None), None)
    if handler is None:
        raise CannotPlace("nothing in this file says when the session has connected")
    session = restart.session
    if session and session not in visible(clients, handler):
        raise CannotPlace(f"the handler of ConnectedEv does not know {session}")
    name = next(n for n in ("_links", "_session_links") if n not in names_in(source.module))
    key = session or '"whatsapp"'
    made = f"{name}: dict[str, BridgeLink] = {{}}"
    top: cst.CSTNode = restart.function
    for above in source.above(restart.function):
        if isinstance(above, cst.Module):
            break
        top = above
    fetch = f"{name}.setdefault({key}, BridgeLink({logger_of(source)}))"
    statement = source.statement(restart.wait.call)
    assert statement is not None
    turn = "await link.turn()" if restart.function.asynchronous is not None else "link.turn_sync()"
    gate = source.lines(
        source.indent(statement),
        f"link = {fetch}\nlink.closed()\nif not {turn}:\n    return",
    )
    gate[0] = gate[0].lstrip()
    edits = [
        source.before(top, f"# Paces the restarts of each session\n{made}\n\n", RULE),
        Edit(*source.span(statement), source.newline.join(gate), RULE),
        source.before(first_of(handler), f"link = {fetch}\nlink.start()\nlink.opened()", RULE),
    ]
    for item in [item for client in clients for item in client.handlers("LoggedOutEv")]:
        if item.handler is not None and (not session or session in visible(clients, item.handler)):
            edits.append(source.before(first_of(item.handler), f"{fetch}.stop()", RULE))
    return edits


def first_of(handler: cst.FunctionDef) -> cst.CSTNode:
    """Where a handler's own work begins, behind its docstring."""
    block = block_of(handler)
    if not block:
        raise CannotPlace("a handler has no lines of its own")
    return block[1] if handler.get_docstring() is not None and len(block) > 1 else block[0]


def visible(clients: list[Client], handler: cst.FunctionDef) -> set[str]:
    """Names of the functions around the handler's registration."""
    found = {item.name.value for item in handler.params.params}
    for client in clients:
        scope = client.scope
        if scope is not None and any(inner is handler for inner in all_of(scope, cst.FunctionDef)):
            found |= {item.name.value for item in scope.params.params}
    return found
