"""The one rewrite of a neonize client: it ends when WhatsApp ends its session."""

from __future__ import annotations

import re

import libcst as cst

from modify.kit.python.errors import CannotPlace
from modify.kit.python.source import Source, all_of, block_of, called
from modify.kit.python.style import annotation, logger_of
from modify.neonize.client import (
    HELPER,
    Client,
    Registration,
    anchor,
    calls_on,
    connects_first,
    own_loop,
    redials,
    returns,
    starts_again,
)
from modify.rules import ids
from skill.edit import Edit

RULE = ids.LOGOUT_UNHEARD
IDLES = re.compile(r"\.idle$")
DOWN_OF_OBJECT = re.compile(r"self\.\w+ = False|self\.\w+\.clear\(\)")
DOWN_OF_MODULE = re.compile(r"\w+\.clear\(\)")


class ClientRewrite:
    """Edits for one client. records: its host writes down why a channel's start failed."""

    def __init__(self, client: Client, records: bool) -> None:
        self.client, self.records = client, records
        self.source: Source = client.source
        self.edits: list[Edit] = []
        # Of handlers that stand in other files, by their file.
        self.elsewhere: dict[str, list[Edit]] = {}

    def run(self) -> list[Edit]:
        """Raises CannotPlace; then nothing of it may be used."""
        client = self.client
        if own_loop(client) is not None:
            raise CannotPlace("a loop of the host's own connects again when the client has ended")
        again = starts_again(client)
        if again:
            raise CannotPlace(
                f"{again} starts it again once it has ended: a stop would make it connect"
            )
        if connects_first(client):
            raise CannotPlace("connect() comes first, and what follows it is never heard")
        for item in client.idle_handlers:
            self.merge(item)
        if client.deaf:
            self.listen(client.deaf)
        return self.edits

    # --- a handler that is there ---

    def merge(self, item: Registration) -> None:
        handler = item.handler
        if handler is None:
            raise CannotPlace(f"the handler of {item.event} is no function of this host")
        source = item.home or self.source
        edits = self.edits
        if item.home is not None:
            edits = self.elsewhere.setdefault(source.path, [])
        block = block_of(handler)
        if not block:
            raise CannotPlace(f"the handler of {item.event} has no lines of its own")
        again = redials(handler)
        call = f"{self.seen_from(handler, item)}.stop()"
        if handler.asynchronous is not None:
            call = f"await {call}"
        if again:
            edits.append(self.take_place(source, handler, again, call))
            return
        if any(True for statement in block for _ in returns(statement)):
            first = block[1] if handler.get_docstring() is not None and len(block) > 1 else block[0]
            edits.append(source.before(first, call, RULE))
        else:
            edits.append(source.after(block[-1], call, RULE, source.indent(block[-1])))

    def take_place(self, source: Source, handler: cst.FunctionDef, again: str, call: str) -> Edit:
        """The line that connects again becomes the one that stops."""
        for line in all_of(handler, cst.SimpleStatementLine):
            whole = line.body[0]
            alone = len(line.body) == 1 and isinstance(whole, cst.Expr)
            if alone and isinstance(whole, cst.Expr) and called(whole.value) == again:
                return Edit(*source.span(line), call.encode(), RULE)
        raise CannotPlace(f"the handler reconnects by {again}(), not in a line of its own")

    def seen_from(self, handler: cst.FunctionDef, item: Registration) -> str:
        """The client's name inside its handler: the first parameter, if that has a name."""
        given = [parameter.name.value for parameter in handler.params.params]
        parameters = [name for name in given if name != "self"]
        if parameters and (parameters[0].strip("_") or item.home is not None):
            return parameters[0]
        if item.home is not None:
            raise CannotPlace("the handler has no name for the client")
        if item.client.startswith("self.") and handler.params.params:
            method = self.source.nearest(handler, cst.FunctionDef)
            if method is None and handler.params.params[0].name.value != "self":
                raise CannotPlace("the handler has no name for the client")
        return item.client

    # --- handlers that are missing ---

    def listen(self, events: list[str]) -> None:
        client, source = self.client, self.source
        last = anchor(client)
        if last is None:
            raise CannotPlace("the registrations are of no known form")
        me = self.me
        call = f"{me}.{HELPER}({client.name})" if me else f"{HELPER}({client.name})"
        gap = "\n" if isinstance(last, cst.BaseCompoundStatement) else ""
        if me:
            assert client.scope is not None
            self.edits.append(source.after(last, gap + call, RULE, source.indent(last)))
            text = "\n" + self.helper(events, f"{me}, ")
            self.edits.append(source.after(client.scope, text, RULE, source.indent(client.scope)))
            self.record()
            return
        if client.scope is None:
            text = "\n\n" + self.helper(events, "") + f"\n\n\n{call}"
            self.edits.append(source.after(last, text, RULE, source.indent(last)))
            return
        self.edits.append(source.after(last, gap + call, RULE, source.indent(last)))
        top = self.topmost(client.scope)
        self.edits.append(source.before(top, self.helper(events, "") + "\n\n", RULE))

    @property
    def me(self) -> str:
        client = self.client
        if client.owner is None or client.scope is None or not client.scope.params.params:
            return ""
        first = client.scope.params.params[0].name.value
        return first if first == "self" else ""

    def topmost(self, node: cst.CSTNode) -> cst.CSTNode:
        here = node
        for above in self.source.above(node):
            if isinstance(above, cst.Module):
                break
            here = above
        return here

    def helper(self, events: list[str], me: str) -> str:
        client = self.client
        typed = annotation(self.source)
        home = "neonize.aioze.events" if client.is_async else "neonize.events"
        logger = logger_of(self.source, self.me)
        tell = f"{logger}.error" if logger else "print"
        kind, wait = ("async def", "await ") if client.is_async else ("def", "")
        names = ", ".join(events)
        listed = f"({names})" if len(events) > 1 else f"({names},)"
        returned = " -> None" if typed or b") -> None:" in self.source.content else ""
        record = ["        self._session_end = ended"] if self.records and me else []
        down = [f"        {line}" for line in self.down()]
        reset = ['    self._session_end = ""'] if record else []
        lines = [
            f"def {HELPER}({me}client{typed}){returned}:",
            '    """Each attempt after a logout or a block gets the number blocked for longer."""',
            *reset,
            "    try:",
            f"        from {home} import {names}",
            "    except ImportError:  # an older neonize",
            "        return",
            "",
            f"    {kind} on_session_end(current{typed}, event{typed}){returned}:",
            "        ended = type(event).__name__",
            *record,
            *down,
            f'        {tell}(f"WhatsApp ended the session ({{ended}}): link the bot again")',
            f"        {wait}current.stop()",
            "",
            f"    for kind in {listed}:",
            "        client.event(kind)(on_session_end)",
        ]
        return "\n".join(lines)

    def down(self) -> list[str]:
        """How the host notes that the link is down: ``self.connected = False``, ``up.clear()``."""
        for event in ("LoggedOutEv", "DisconnectedEv"):
            for item in self.client.handlers(event):
                here = item.handler is not None and item.home is None
                block = block_of(item.handler) if here and item.handler is not None else None
                lines = [self.source.text(line) for line in block or [] if is_simple(line)]
                wanted = DOWN_OF_OBJECT if self.me else DOWN_OF_MODULE
                found = [line for line in lines if wanted.fullmatch(line)]
                if found:
                    return found
        return []

    def record(self) -> None:
        """After ``idle()`` has returned: the start fails with the reason, as others do."""
        if not self.records:
            return
        for call in calls_on(self.client, IDLES):
            statement = self.source.statement(call)
            if isinstance(statement, cst.SimpleStatementLine):
                lines = (
                    'ended = getattr(self, "_session_end", "")\n'
                    "if ended:\n"
                    '    raise RuntimeError(f"WhatsApp ended the session ({ended}): '
                    'link the bot again")'
                )
                self.edits.append(
                    self.source.after(statement, lines, RULE, self.source.indent(statement))
                )


def is_simple(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
