"""The one rewrite of a neonize session that starts itself again: gate, eye, and its end.

The gate stands right before the client is made: what the host does with the old client has
been done by then. Handlers report their events; where one starts the session again, it does
so only while another attempt may be made, and not after a lost connection, which whatsmeow
makes again by itself in the client that is there. A pause of the host's own before that stays, the
gate counts it in.
"""

from __future__ import annotations

import posixpath

import libcst as cst

from modify.kit.python.errors import CannotPlace
from modify.kit.python.source import Source, all_of, called, names_in, target_of
from modify.kit.python.style import logger_of
from modify.neonize.client import HEARD
from modify.neonize.rewrite.heard import told_by
from modify.neonize.session import EYE, GATE, Handler, Session
from modify.rules import ids
from skill.edit import Edit

RULE = ids.FLAT_RETRY
ENDERS = (".stop", ".disconnect", ".logout")
WHY = "# Each attempt counts, across restarts too: see whatsapp_reconnect"
SIMPLE = (cst.Name, cst.Attribute, cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)


class SessionRewrite:
    """Edits for one session, by file."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.edits: dict[str, list[Edit]] = {}
        self.sources: dict[str, Source] = {}
        self.imports: dict[str, set[str]] = {}

    def run(self) -> None:
        """Raises CannotPlace; then nothing of it may be used."""
        self.gate()
        for handler in self.session.handlers:
            if handler.redial is not None or handler.event in EYE:
                self.tell(handler)
        for item in self.session.strangers:
            if item.event in EYE:
                raise CannotPlace(f"the handler of {item.event} is no function of this host")

    def add(self, source: Source, edits: list[Edit], name: str) -> None:
        here = posixpath.dirname(self.session.source.path)
        if posixpath.dirname(source.path) != here:
            raise CannotPlace(f"{source.path} holds a handler, in another folder")
        self.sources[source.path] = source
        self.edits.setdefault(source.path, []).extend(edits)
        self.imports.setdefault(source.path, set()).add(name)

    def gate(self) -> None:
        session, source = self.session, self.session.source
        given = session.call.args[0].value if session.call.args else None
        is_text = isinstance(given, cst.Call) and called(given) in ("str", "os.fspath")
        if given is None or not (isinstance(given, SIMPLE) or is_text):
            raise CannotPlace("what the client's database is called is computed in place")
        small = session.creation.body[0]
        assert isinstance(small, (cst.Assign, cst.AnnAssign))
        target = target_of(small)
        taken = names_in(session.function)
        name = next(n for n in ("session", "gate", "whatsapp_session") if n not in taken)
        me = session.function.params.params[:1]
        logger = logger_of(source, me[0].name.value if me else "")
        words = ", ".join(filter(None, (source.text(given), logger)))
        turn = f"await {name}.turn()" if session.function.asynchronous else f"{name}.turn_sync()"
        lines = f"{WHY}\n{name} = {GATE}({words})\nif not {turn}:\n    return"
        self.add(source, [source.before(session.creation, lines, RULE)], GATE)
        hear = f"hear({source.text(target)})"
        self.add(source, [source.after(session.creation, hear, RULE)], "hear")

    def tell(self, handler: Handler) -> None:
        source, function = handler.source, handler.function
        if any(called(call) == HEARD for call in all_of(function, cst.Call)):
            return
        first, told, _ = told_by(function, handler.event)
        ends = any(called(call).endswith(ENDERS) for call in all_of(function, cst.Call))
        if handler.event == "DisconnectedEv" and handler.redial is not None and ends:
            # whatsmeow does not dial again in a client that the bot has ended
            raise CannotPlace("the handler of DisconnectedEv ends the client by itself")
        if handler.redial is None:
            self.add(source, [source.before(first, told, RULE)], HEARD)
            return
        line = handler.redial
        if len(line.body) != 1 or not isinstance(line.body[0], cst.Expr):
            raise CannotPlace(f"the handler of {handler.event} reconnects inside another line")
        start, end = source.span(line)
        if b"\n" in source.content[start:end]:
            raise CannotPlace(f"the handler of {handler.event} reconnects over several lines")
        indent = source.indent(line) + source.unit
        edit = Edit(start, start, f"if {told}:".encode() + source.newline + indent, RULE)
        self.add(source, [edit], HEARD)
