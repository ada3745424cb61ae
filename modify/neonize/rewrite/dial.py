"""The one rewrite of a neonize client that its host connects itself: gate, eye and one dialler.

``dial_sync(client)`` takes the place of ``connect()``, ``dial()`` and ``serve()`` those of an
asynchronous client's ``connect()`` and ``idle()``: what fails or is lost is connected again, by
the gate alone. Handlers report their events, and those that connect again no longer do: whatsmeow
and the gate would dial beside them. A loop of the host's own stays, and asks for its turn.
"""

from __future__ import annotations

import posixpath
import re

import libcst as cst

from modify.kit.python.errors import CannotPlace
from modify.kit.python.imports import unused_import
from modify.kit.python.source import Source, all_of, block_of, called, dotted, names_in
from modify.kit.python.sources import Sources
from modify.neonize.client import CONNECTS, HEARD, Registration, body_of_scope, starts_again
from modify.neonize.dial import ENDS, Dialling, Site
from modify.neonize.rewrite.client import ClientRewrite
from modify.neonize.rewrite.heard import told_by
from modify.neonize.session import flat_pause, named_below
from modify.rules import ids
from skill.edit import Edit

RULE = ids.CHANNEL_GIVES_UP
WHY = "# Each attempt counts, across restarts too: see whatsapp_reconnect"
AGAIN = "pass  # {} connects again"
DEEPEST = 4


class DialRewrite:
    """Edits for one client, by file. records: its host writes down why a start failed."""

    def __init__(self, dialling: Dialling, sources: Sources, records: bool) -> None:
        self.dialling, self.sources, self.records = dialling, sources, records
        self.client, self.source = dialling.client, dialling.source
        self.down = ClientRewrite(self.client, records).down()
        self.edits: dict[str, list[Edit]] = {}
        self.imports: dict[str, set[str]] = {}
        self.handlers: set[int] = set()
        # ids of helpers that connect() for the function that awaits idle()
        self.ways: set[int] = set()
        self.waiting: cst.FunctionDef | None = None
        # Uses of modules that the edits take away.
        self.gone: dict[str, int] = {}

    def run(self) -> None:
        """Raises CannotPlace; then nothing of it may be used."""
        if self.dialling.creations > 1:
            raise CannotPlace("the file makes several clients")
        again = starts_again(self.client)
        # A loop that waits for the dial itself asks for its turn; any other one does not wait.
        if again and not any(site.loop and site.call for site in self.dialling.sites):
            raise CannotPlace(f"{again} starts it again once it has ended, and would not wait")
        self.hear()
        for item in self.dialling.told():
            self.tell(item)
        for site in self.dialling.sites:
            self.site(site)
        for loop in self.dialling.loops:
            self.turns(loop)
        self.stops()
        for module, gone in self.gone.items():
            edit = unused_import(self.source, module, gone, RULE)
            if edit is not None:
                self.add(self.source, edit)
        for path, names in self.imports.items():
            taken = names & names_in(self.sources.known[path].module)
            if taken:
                raise CannotPlace(f"{path} has a name {min(taken)} of its own")

    def add(self, source: Source, edit: Edit, *names: str) -> None:
        self.edits.setdefault(source.path, []).append(edit)
        self.imports.setdefault(source.path, set()).update(names)

    # --- the eye ---

    def hear(self) -> None:
        source, client = self.source, self.client
        made = self.dialling.creation
        if made is not None:
            lines = f"{WHY}\nhear({self.dialling.called})"
            self.add(source, source.after(made, lines, RULE), "hear")
            return
        first = client.registrations[0].statement
        for statement in body_of_scope(client):
            if source.is_within(first, statement):
                gap = "\n\n" if client.scope is None else "\n"
                gap = gap if isinstance(statement, cst.FunctionDef) else ""
                lines = f"{WHY}\nhear({client.name}){gap}"
                self.add(source, source.before(statement, lines, RULE), "hear")
                return
        raise CannotPlace("the registrations are of no known form")

    def tell(self, item: Registration) -> None:
        source, handler = item.home or self.source, item.handler
        if handler is None:
            raise CannotPlace(f"the handler of {item.event} is no function of this host")
        if posixpath.dirname(source.path) != posixpath.dirname(self.source.path):
            raise CannotPlace(f"{source.path} holds a handler, in another folder")
        if id(handler) in self.handlers:
            return  # one function for several events
        self.handlers.add(id(handler))
        first, told, client = told_by(handler, item.event)
        self.add(source, source.before(first, told, RULE), HEARD)
        for line in self.redials(source, handler, client):
            self.leave_out(source, line, item.event)

    def redials(
        self, source: Source, handler: cst.FunctionDef, client: str
    ) -> list[cst.SimpleStatementLine]:
        """The lines of a handler that connect again."""
        found = []
        for line in all_of(handler, cst.SimpleStatementLine):
            if isinstance(line.body[0], (cst.Import, cst.ImportFrom)):
                continue
            names = named_below(line)
            direct = any(CONNECTS.search(name) and self.is_client(name, client) for name in names)
            if direct or self.leads(source, line, DEEPEST):
                found.append(line)
        for name in all_of(handler, cst.Attribute, functions=True):
            inside = any(source.is_within(name, line) for line in found)
            if (
                not inside
                and CONNECTS.search(dotted(name))
                and self.is_client(dotted(name), client)
            ):
                raise CannotPlace("a handler connects again, not in a line of its own")
        return found

    def is_client(self, name: str, also: str) -> bool:
        base = name.rpartition(".")[0]
        return base == also or self.dialling.is_client(base)

    def leads(self, source: Source, node: cst.CSTNode, depth: int) -> bool:
        """Whether something that is named below a node leads to a place that connects."""
        if depth == 0:
            return False
        for name in named_below(node):
            place = self.sources.function(source, node, name)
            if place is None or place[1] is node:
                continue
            if any(place[1] is site.function for site in self.dialling.sites):
                return True
            if self.leads(*place, depth - 1):
                return True
        return False

    def leave_out(self, source: Source, line: cst.SimpleStatementLine, event: str) -> None:
        only = line.body[0]
        if len(line.body) != 1 or not isinstance(only, cst.Expr):
            raise CannotPlace(f"the handler of {event} connects again inside another line")
        block = block_of(source.parent(line) or line) or []
        place = block.index(line) if line in block else -1
        before = block[place - 1] if place > 0 else None
        wait = flat_pause(before) if before is not None else None
        pause = wait is not None and source is self.source
        if pause and wait is not None and before is not None:
            self.add(source, source.remove(before, RULE))
            module = called(wait.call).partition(".")[0]
            self.gone[module] = self.gone.get(module, 0) + 1
        if len(block) == 1 + pause:
            said = AGAIN.format("serve()" if self.client.is_async else "dial_sync()")
            said = AGAIN.format("the loop") if self.dialling.loops else said
            self.add(source, Edit(*source.span(line), said.encode(), RULE))
        else:
            self.add(source, source.remove(line, RULE))

    # --- the places that connect ---

    def site(self, site: Site) -> None:
        source = self.source
        if site.loop is not None:
            self.in_loop(site)
            return
        around = source.nearest(site.node, cst.For)
        if around is not None and source.nearest(around, cst.FunctionDef) is site.function:
            raise CannotPlace("the host connects a number of times of its own")
        if self.client.is_async:
            self.asynchronous(site)
        elif site.call is None:
            self.handed_on(site)
        else:
            self.add(source, source.replace(site.node, "dial_sync", RULE), "dial_sync")
            self.first_argument(site.call, site.client)
            self.afterwards(site.call, site.client)

    def first_argument(self, call: cst.Call, client: str) -> None:
        end = self.source.end(call)
        place = self.source.content.index(b"(", self.source.end(call.func), end) + 1
        more = ", " if call.args else ""
        self.add(self.source, Edit(place, place, f"{client}{more}".encode(), RULE))

    def handed_on(self, site: Site) -> None:
        """``Thread(target=client.connect)``."""
        source, given = self.source, self.source.parent(site.node)
        call = source.parent(given) if isinstance(given, cst.Arg) else None
        if not isinstance(call, cst.Call) or not isinstance(given, cst.Arg):
            raise CannotPlace("connect is taken as a value")
        others = [arg.keyword.value for arg in call.args if arg.keyword is not None]
        last = call.args[-1] is given or all(arg.keyword for arg in call.args[-1:])
        if "args" in others or "kwargs" in others or not last:
            raise CannotPlace("connect is handed on with arguments")
        if self.down and not self.client.handlers("LoggedOutEv"):
            raise CannotPlace("nothing follows connect that could note the end of the session")
        text = f"lambda: dial_sync({site.client})"
        self.add(source, source.replace(site.node, text, RULE), "dial_sync")

    def asynchronous(self, site: Site) -> None:
        source, call = self.source, site.call
        if call is None or not isinstance(source.parent(call), cst.Await):
            raise CannotPlace("connect() is not awaited where it is called")
        if site.function is not None and self.through(site.function):
            return
        idle = self.idle(site)
        self.add(source, source.replace(site.node, "dial", RULE), "dial")
        self.first_argument(call, site.client)
        settings = "".join(f", {source.text(arg)}" for arg in call.args)
        start, end = source.span(idle)
        served = f"serve({site.client}{settings})".encode()
        self.add(source, Edit(start, end, served, RULE), "serve")
        self.afterwards(idle, site.client)

    def through(self, way: cst.FunctionDef) -> bool:
        """Whether a function only connects, for the one that waits with ``idle()``."""
        source = self.source
        if id(way) in self.ways:
            return True
        name = re.compile(rf"(?:^|\.){re.escape(way.name.value)}$")
        found = []
        for call in all_of(source.module, cst.Call, functions=True):
            caller = source.nearest(call, cst.FunctionDef)
            line = source.statement(call)
            if caller is None or caller is way or not name.search(called(call)):
                continue
            alone = isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Expr)
            if not alone or not isinstance(source.parent(call), cst.Await):
                continue
            for idle in all_of(caller, cst.Call):
                client = called(idle).removesuffix(".idle")
                waits = called(idle).endswith(".idle") and self.dialling.is_client(client)
                if waits and isinstance(source.parent(idle), cst.Await) and not idle.args:
                    found.append((call, idle, client))
        if len(found) != 1:
            return False
        self.ways.add(id(way))
        call, idle, client = found[0]
        self.waiting = source.nearest(idle, cst.FunctionDef)
        if "\n" in source.text(call) or source.nearest(idle, cst.While) is not None:
            raise CannotPlace("what connects the client is of no known form")
        given = f"{client}, through=lambda: {source.text(call)}"
        self.add(source, source.replace(call, f"dial({given})", RULE), "dial")
        self.add(source, source.replace(idle, f"serve({given})", RULE), "serve")
        self.afterwards(idle, client)
        return True

    def idle(self, site: Site) -> cst.Call:
        """The call of ``idle()`` that waits for what was connected."""
        scope: cst.CSTNode = site.function or self.source.module
        found = [
            call
            for call in all_of(scope, cst.Call)
            if called(call) == f"{site.client}.idle" and not call.args
        ]
        if len(found) != 1 or not isinstance(self.source.parent(found[0]), cst.Await):
            raise CannotPlace("no idle() in the same function waits for the client")
        loop = self.source.nearest(found[0], cst.While)
        if loop is not site.loop and loop is not None and self.source.is_within(loop, scope):
            raise CannotPlace("idle() stands in a loop of its own")
        return found[0]

    def afterwards(self, call: cst.Call, client: str) -> None:
        """Add the host's reaction to the end of the session after connect()."""
        source = self.source
        line = source.statement(call)
        lines = [] if self.client.handlers("LoggedOutEv") else self.down
        if self.records:
            lines = [
                *lines,
                f"ended = end_of({client})",
                "if ended:",
                '    raise RuntimeError(f"WhatsApp ended the session: {ended}")',
            ]
        if not lines:
            return
        if not isinstance(line, cst.SimpleStatementLine):
            raise CannotPlace("the end of the session has no place after connect()")
        self.add(source, source.after(line, "\n".join(lines), RULE))
        if self.records:
            self.imports[source.path].add("end_of")

    # --- loops of the host's own ---

    def in_loop(self, site: Site) -> None:
        """The loop makes the next attempt once this one is over, whatever else it would do."""
        source, call, loop = self.source, site.call, site.loop
        assert loop is not None
        if call is None:
            raise CannotPlace("connect is handed on inside a loop")
        if self.client.is_async and not isinstance(source.parent(call), cst.Await):
            raise CannotPlace("connect() is not awaited where it is called")
        over = self.idle(site) if self.client.is_async else call
        line = source.statement(over)
        if not isinstance(line, cst.SimpleStatementLine):
            raise CannotPlace("connect() stands in no line of its own")
        block = block_of(source.parent(line) or line) or []
        inner = source.is_within(line, loop)
        if block and block[-1] is not line:
            word = "continue" if inner else "return"
            lines = f"if disconnected({site.client}):\n    {word}"
            self.add(source, source.after(line, lines, ids.FLAT_RETRY), "disconnected")

    def turns(self, loop: cst.While) -> None:
        source = self.source
        if loop.orelse is not None or not block_of(loop):
            raise CannotPlace("the loop around connect() is of no known form")
        function = source.nearest(loop, cst.FunctionDef)
        is_async = function is not None and function.asynchronous is not None
        client = self.name_at(loop)
        name = "next_turn" if is_async else "next_turn_sync"
        turn = f"await {name}({client})" if is_async else f"{name}({client})"
        test = source.text(loop.test)
        if test not in ("True", "1"):
            simple = isinstance(loop.test, (cst.Name, cst.Attribute, cst.Call, cst.UnaryOperation))
            asked = test if simple else f"({test})"
            # It may have fallen during the wait.
            turn = f"{asked} and {turn} and {asked}"
        start, end = source.span(loop.test)
        self.add(source, Edit(start, end, turn.encode(), ids.FLAT_RETRY), name)
        if self.stop_sites():
            self.add(source, source.before(loop, f"ready({client})", ids.FLAT_RETRY), "ready")

    def name_at(self, loop: cst.While) -> str:
        """The client's name where a loop begins; its database, if it is made inside."""
        source, made, call = self.source, self.dialling.creation, self.dialling.made
        site = next(site for site in self.dialling.sites if site.loop is loop)
        scope = source.nearest(loop, cst.FunctionDef)
        if made is None or call is None:
            if site.function is scope or site.client.startswith("self."):
                return site.client
            raise CannotPlace("the loop around connect() does not know the client")
        home = source.nearest(made, cst.FunctionDef)
        early = not source.is_within(made, loop) and source.start(made) < source.start(loop)
        if home is None or (home is scope and early):
            return site.client
        if home is not site.function and site.client.startswith("self."):
            return site.client
        given = call.args[0].value if call.args else None
        known = dotted(given)
        if isinstance(given, cst.SimpleString) or known.isupper() or known.startswith("self."):
            assert given is not None
            return source.text(given)
        raise CannotPlace("the loop makes its client, of a database that is computed in place")

    # --- the host's own end ---

    def stop_sites(self) -> list[tuple[cst.Attribute, str]]:
        functions = [self.waiting, *(site.function for site in self.dialling.sites)]
        found = []
        for node, client in self.dialling.attributes(ENDS):
            function = self.source.nearest(node, cst.FunctionDef)
            above = [f for f in self.source.above(node) if isinstance(f, cst.FunctionDef)]
            if any(id(f) in self.handlers for f in above) or function in functions:
                continue
            found.append((node, client))
        return found

    def stops(self) -> None:
        seen: list[cst.BaseStatement] = []
        for node, client in self.stop_sites():
            line = self.source.statement(node)
            if not isinstance(line, cst.SimpleStatementLine):
                raise CannotPlace("the client is stopped in no line of its own")
            if line not in seen:
                seen.append(line)
                lines = f"hang_up({client})"
                edit = self.source.before(line, lines, ids.RECONNECT_AFTER_STOP)
                self.add(self.source, edit, "hang_up")
