"""The one rewrite of a channel file: gate, eye, close branch, start, ``stop()``.

Everything is decided on the Channel model; nothing is half done. Where the close branch
has no known shape, gate and eye alone are placed (*contained*): they hold the bound
whatever loop the host has around them. Where even they find no place, the file is
handed off as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from modify.typescript.boot import Boot
from modify.typescript.channel import (
    Channel,
    Function,
    comparison,
    leaves,
    named,
    pattern_names,
)
from modify.typescript.layout import Layout
from modify.typescript.places import Logger, auth_folder, instance_name, pairs_in_process
from modify.typescript.redial import Redial, droppable_callback, is_thin, outermost
from modify.typescript.source import (
    FUNCTION_KINDS,
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    end_of,
    line_of,
    same,
    span,
    start_of,
    statement_around,
    statements,
    walk,
    within,
)
from modify.typescript.sweep import Sweep, is_private, names_between, names_in
from skill.edit import Edit
from skill.options import Options

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Outcome = Literal["patched", "contained", "untouched"]
MODULE_STEM = "whatsapp-reconnect"
COMMENT = "Paces reconnects: WhatsApp blocks a number that dials too often"
LATE_COMMENT = "Does not hold up the host: WhatsApp may open later, by itself"
LEVELS = ("info", "warn", "error")
NOT_YET = "WhatsApp is not connected yet"


@dataclass
class Rewrite:
    """The edits of one channel, in character offsets until :meth:`edits`.

    gentle: only the calls themselves are replaced; the timers and counters around them stay,
    because the host reads them elsewhere (``orphans`` of a first run).
    only_contain: gate, eye and stop() alone.
    outcome: patched, contained or untouched. reasons: (line, why) for what is handed off.
    """

    channel: Channel
    layout: Layout
    boot: Boot
    options: Options
    module_import: str
    logger: Logger
    outcome: Outcome = "patched"
    reasons: list[tuple[int, str]] = field(default_factory=list)
    changes: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    gone: list[tuple[int, int]] = field(default_factory=list)
    seeds: set[str] = field(default_factory=set)
    loop: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    inner: str | None = None
    gentle: bool = False
    only_contain: bool = False
    orphans: set[str] = field(default_factory=set)

    # --- what the outside asks -------------------------------------------------------

    def edits(self) -> list[Edit]:
        source = self.channel.source
        return [
            source.edit(start, end, text, rule)
            for (start, end), (text, rule) in self.changes.items()
        ]

    def run(self) -> None:
        """Plan all edits, or none: ``outcome`` and ``reasons`` say what came of it."""
        problem = self._obstacle()
        if problem is not None:
            self.outcome = "untouched"
            self.reasons.append((line_of(self.channel.registration), problem))
            return
        self._instance()
        self._gate()
        self._eye()
        self._stop()
        self._credentials()
        if self.only_contain or not self._known_shape():
            self.outcome = "contained"
            return
        self._wrap()
        self._close_branch()
        self._starts()
        self._exits()
        self._verdicts()
        if self._settles_early:
            self._guards()
        self._sweep()

    # --- small tools -----------------------------------------------------------------

    @property
    def text(self) -> str:
        return self.channel.source.text

    @property
    def instance(self) -> str:
        """How the channel's code names the Reconnect object."""
        name = instance_name(self.channel)
        return f"this.{name}" if self.channel.scope == "class" else name

    @property
    def attempt(self) -> str:
        """The name of the attempt's number: free in the connect function and its handler."""
        taken = names_in(self.channel.connect.node) | names_in(self.channel.logic)
        return next(
            n
            for n in ("attempt", "attemptNumber", "turnNumber", "whatsappAttempt")
            if n not in taken
        )

    def put(self, start: int, end: int, text: str, rule: str) -> None:
        self.changes[(start, end)] = (text, rule)
        if end > start:
            self.gone.append((start, end))

    def insert_first(self, block: SgNode, text: str, rule: str) -> None:
        """Write a statement at the start of a block, on a line of its own."""
        source = self.channel.source
        brace = start_of(block) + 1
        inner = statements(block)
        step = self.layout.style.indent
        if inner and line_of(inner[0]) == line_of(block):  # { one; line }
            outer = source.indent_at(start_of(block))
            rest = re.match(r"[ \t]*", self.text[brace:])
            assert rest is not None
            self.put(brace, brace + rest.end(), f"\n{outer}{step}{text}\n{outer}{step}", rule)
            return
        indent = (
            source.indent_at(start_of(inner[0]))
            if inner
            else source.indent_at(start_of(block)) + step
        )
        self._insert_at(
            brace,
            f"\n{indent}{text}"
            if inner
            else f"\n{indent}{text}\n{source.indent_at(start_of(block))}",
            rule,
        )

    def _insert_at(self, place: int, text: str, rule: str) -> None:
        before, _ = self.changes.get((place, place), ("", ""))
        self.changes[(place, place)] = (before + text, rule)

    def inner_indent(self, block: SgNode) -> str:
        inner = statements(block)
        source = self.channel.source
        if inner and line_of(inner[0]) != line_of(block):
            return source.indent_at(start_of(inner[0]))
        return source.indent_at(start_of(block)) + self.layout.style.indent

    # --- preconditions ----------------------------------------------------------------

    def _obstacle(self) -> str | None:
        """Why not even the gate can be placed, or None."""
        channel = self.channel
        if not channel.connect.is_async:
            return f"the connect function {channel.connect.name} is not async: it cannot wait"
        if body_of(channel.connect.node) is None:
            return f"the connect function {channel.connect.name} has no body of its own"
        self.folder = auth_folder(channel)
        if self.folder is None:
            return "the credentials folder is known only inside the connect function"
        return None

    def _known_shape(self) -> bool:
        """Whether the close branch is one that the rewrite understands; else says why not."""
        channel = self.channel
        close = channel.close
        if close is None:
            self.reasons.append(
                (line_of(channel.registration), "no branch for a closed connection was found")
            )
            return False
        inside = [call for call in channel.redials if within(call, close.node)]
        if not inside:
            self.reasons.append(
                (line_of(close.node), "the close branch does not call the connect function")
            )
            return False
        for call in calls(close.node):
            if re.search(r"\.(rm|rmSync|rmdir|unlink|unlinkSync|rmdirSync)$", callee_of(call)):
                self.reasons.append(
                    (
                        line_of(call),
                        "credentials are deleted when the session ends, to link again at once",
                    )
                )
                return False
        for exit_ in channel.exits:
            if (
                within(exit_, close.node)
                and exit_code(exit_) not in ("0", "")
                and not self._ends_terminal(exit_)
            ):
                self.reasons.append(
                    (line_of(exit_), "the process ends with an error after some attempts")
                )
                return False
        for helper in self._used_helpers(inside):
            for call in calls(helper.node):
                if callee_of(call) == "process.exit" and exit_code(call) not in ("0", ""):
                    self.reasons.append(
                        (line_of(call), "the process ends with an error after some attempts")
                    )
                    return False
        return True

    def _used_helpers(self, redials: list[SgNode]) -> Iterator[Function]:
        for call in redials:
            helper = self.channel.helper_of(call)
            if helper is not None:
                yield helper

    def _ends_terminal(self, exit_: SgNode) -> bool:
        """Whether an exit stands where the session is known to be over."""
        for outer in exit_.ancestors():
            if outer.kind() != "if_statement":
                continue
            condition = outer.field("condition")
            alternative = outer.field("alternative")
            consequence = outer.field("consequence")
            if condition is None:
                continue
            if consequence is not None and within(exit_, consequence):
                if any(within(v, condition) and comparison(v) for v in self.channel.verdicts):
                    return True
                if negated_flag(condition) in self._reconnect_flags:
                    return True
            if alternative is not None and within(exit_, alternative):
                if any(
                    within(v, condition) and comparison(v) is False for v in self.channel.verdicts
                ):
                    return True
                if names_in(condition) & self._reconnect_flags:
                    return True
        return False

    @property
    def _reconnect_flags(self) -> set[str]:
        """Names of constants that say 'not logged out' (``shouldReconnect``)."""
        found = set()
        for verdict in self.channel.verdicts:
            declarator = enclosing(verdict, {"variable_declarator"})
            name = declarator.field("name") if declarator is not None else None
            if name is not None and comparison(verdict) is False:
                found.add(name.text())
        return found

    # --- instance, gate, eye -----------------------------------------------------------

    def _instance(self) -> None:
        channel, _layout = self.channel, self.layout
        assert self.folder is not None
        logger = self.logger.name
        entries = [f"authDir: {self.folder}" if self.folder != "authDir" else "authDir"]
        entries.append(self._logger_entry())
        if not pairs_in_process(channel):
            entries.append("pairing: false")
        self.alive |= set(re.findall(r"\w+", self.folder)) | {logger}
        name = instance_name(channel)
        made = self._object(entries)
        if channel.scope == "class":
            self._field(name, made, deferred="this." in f"{self.folder}{logger}")
        else:
            self._variable(name, made)
        self._import()

    def _logger_entry(self) -> str:
        name, takes = self.logger.name, self.logger.takes
        if takes == "text":
            return "logger" if name == "logger" else f"logger: {name}"
        step, arrow = self.layout.style.indent, self.layout.arrow("message")
        given = takes.replace("fields", "{}").replace("text", "message")
        levels = [f"{step}{each}: {arrow} {name}.{each}({given})" for each in LEVELS]
        return "logger: {\n" + ",\n".join(levels) + f"{self.layout.comma}\n}}"

    def _object(self, entries: list[str]) -> list[str]:
        step, comma = self.layout.style.indent, self.layout.comma
        body = ",\n".join(entries) + comma
        return [
            "new Reconnect({",
            *(step + line for line in body.split("\n")),
            f"}}){self.layout.end}",
        ]

    def _field(self, name: str, made: list[str], deferred: bool) -> None:
        channel, source = self.channel, self.channel.source
        assert channel.class_node is not None
        body = channel.class_node.field("body")
        assert body is not None
        typed = not source.path.endswith((".js", ".mjs", ".cjs", ".jsx"))
        modifier = "private " if typed else ""
        fields = [
            c
            for c in body.children()
            if c.kind() in ("public_field_definition", "field_definition")
        ]
        members = [c for c in body.children() if c.is_named() and c.kind() != "comment"]
        anchor = fields[-1] if fields else None
        indent = source.indent_at(start_of(members[0])) if members else self.layout.style.indent
        lines = [f"// {COMMENT}"]
        constructor = next(
            (m for m in members if m.kind() == "method_definition" and named(m) is None), None
        )
        if deferred and constructor is not None:
            lines.append(f"{modifier}{name}{': Reconnect' if typed else ''}{self.layout.end}")
            block = constructor.field("body")
            assert block is not None
            inner = self.inner_indent(block)
            assignment = (f"\n{inner}").join([f"this.{name} = {made[0]}", *made[1:]])
            last = statements(block)[-1] if statements(block) else None
            place = end_of(last) if last is not None else start_of(block) + 1
            self._insert_at(place, f"\n{inner}{assignment}", "ungated-connect")
        else:
            lines += [f"{modifier}{name} = {made[0]}", *made[1:]]
        text = "".join(f"{indent}{line}\n" for line in lines)
        if anchor is not None:
            place = source.line_end(end_of(anchor))
            self._insert_at(place, f"\n{text}" if self._spaced(anchor) else text, "ungated-connect")
        else:
            place = source.line_end(start_of(body))
            self._insert_at(place, text + "\n", "ungated-connect")

    def _spaced(self, anchor: SgNode) -> bool:
        """A commented field stands apart from the fields before it."""
        return True

    def _variable(self, name: str, made: list[str]) -> None:
        source = self.channel.source
        statement = statement_around(self.channel.connect.node)
        place = source.line_start(start_of(statement))
        previous = statement.prev()
        while previous is not None and previous.kind() == "comment":
            if self.text[end_of(previous) : place].count("\n") > 1:
                break
            place = source.line_start(start_of(previous))
            previous = previous.prev()
        indent = source.indent_at(start_of(statement))
        lines = [f"// {COMMENT}", f"const {name} = {made[0]}", *made[1:]]
        text = "".join(f"{indent}{line}\n" for line in lines)
        self._insert_at(place, text + "\n", "ungated-connect")

    def _import(self) -> None:
        source, layout = self.channel.source, self.layout
        module = layout.quoted(self.module_import)
        imports = [n for n in source.root.children() if n.kind() == "import_statement"]
        if imports:
            text = f"import {layout.braces('Reconnect')} from {module}{layout.end}\n"
            anchor = imports[-1]
            relative = [n for n in imports if re.search(r"from\s*['\"]\./", n.text())]
            if relative:
                anchor = relative[-1]
            self._insert_at(source.line_end(end_of(anchor)), text, "ungated-connect")
            return
        if layout.style.modules == "esm":  # Baileys by ``await import()``, and nothing else
            text = f"import {layout.braces('Reconnect')} from {module}{layout.end}\n\n"
            self._insert_at(first_code(source.root), text, "ungated-connect")
            return
        text = f"const {layout.braces('Reconnect')} = require({module}){layout.end}\n"
        requires = [
            n
            for n in source.root.children()
            if n.kind() in ("lexical_declaration", "variable_declaration")
            and "require(" in n.text()
        ]
        place = source.line_end(end_of(requires[-1])) if requires else first_code(source.root)
        self._insert_at(place, text, "ungated-connect")

    def _gate(self) -> None:
        block = body_of(self.channel.connect.node)
        assert block is not None
        line = f"const {self.attempt} = await {self.instance}.turn(){self.layout.end}"
        self.insert_first(block, line, "ungated-connect")

    def _eye(self) -> None:
        channel = self.channel
        source = channel.source
        handler = channel.handler
        inline = handler.kind() in FUNCTION_KINDS and same(handler, channel.logic)
        assigned = same(channel.logic, self._assigned_handler())
        block = body_of(channel.logic)
        if (
            (inline or assigned)
            and block is not None
            and channel.registration.text().find(".process(") < 0
        ):
            indent = self.inner_indent(block)
            update, taken = channel.update_name, ""
            if update is None:
                update, taken = self._destructured(indent)
            self.insert_first(block, self._look(indent, update) + taken, "no-connect-deadline")
            return
        self._wrap_handler(source.indent_at(start_of(channel.registration)))

    @property
    def _receiver(self) -> str:
        return re.sub(r"[?!]+$", "", self.channel.receiver)

    def _assigned_handler(self) -> SgNode | None:
        """A function kept in a property inside the connect function: it sees the attempt."""
        logic = self.channel.logic
        return logic if within(logic, self.channel.connect.node) else None

    def _look(self, indent: str, update: str) -> str:
        """The eye's statement: an event of an earlier attempt is no business of the host's."""
        arguments = [update, self.attempt, self._receiver]
        return self.layout.guard(indent, f"!{self.instance}.observe", arguments, self._braced)

    def _destructured(self, indent: str) -> tuple[str, str]:
        """(what to hand to the eye, a statement to follow it) for ``({ connection, … }) => {``.

        The parameter gets a name and is taken apart in the next statement. Where the
        formatter has put it on a line of its own, it stays: a shorter parameter would
        make it reformat the whole handler.
        """
        parameter = self._parameter_pattern()
        names = dict(pattern_names(parameter))
        pattern = " ".join(parameter.text().split())
        alone = line_of(parameter) != line_of(self.channel.registration)
        if alone and all(names.get(key) == key for key in ("connection", "lastDisconnect", "qr")):
            return self.layout.braces("connection, lastDisconnect, qr"), ""
        taken = names_in(self.channel.logic)
        update = next(n for n in ("update", "state", "connectionUpdate") if n not in taken)
        self.put(*span(parameter), update, "no-connect-deadline")
        return update, f"\n{indent}const {pattern} = {update}{self.layout.end}"

    def _parameter_pattern(self) -> SgNode:
        parameter = Function(self.channel.logic, "", "").parameters[0]
        return parameter.field("pattern") or parameter

    def _wrap_handler(self, indent: str) -> None:
        """The handler lies elsewhere: the eye goes between the event and the handler."""
        channel, layout = self.channel, self.layout
        step = layout.style.indent
        handler = channel.handler
        if channel.registration.text().find(".process(") >= 0:
            self._eye_in_process()
            return
        if handler.kind() in FUNCTION_KINDS and body_of(handler) is not None:
            block = body_of(handler)
            parameter = Function(handler, "", "").parameter_names
            assert block is not None
            name = parameter[0] if parameter else "update"
            look = self._look(self.inner_indent(block), name)
            self.insert_first(block, look, "no-connect-deadline")
            return
        target = re.sub(r"\.bind\(.*\)$", "", handler.text(), flags=re.DOTALL)
        if handler.kind() in FUNCTION_KINDS:  # (u) => this.onUpdate(u)
            body = handler.field("body")
            name = Function(handler, "", "").parameter_names[0]
            inner = body.text() if body is not None else ""
        else:
            name, inner = "update", f"{target}(update)"
        guard = self._look(indent + step, name)
        lines = f"{indent}{step}{guard}\n{indent}{step}{inner}{layout.end}"
        text = f"{layout.arrow(name)} {{\n{lines}\n{indent}}}"
        self.put(*span(handler), text, "no-connect-deadline")

    def _eye_in_process(self) -> None:
        """``ev.process(events => { if (events['connection.update']) … })``."""
        for test in self.channel.handler.find_all(kind="if_statement"):
            condition, block = test.field("condition"), test.field("consequence")
            if condition is None or block is None or "connection.update" not in condition.text():
                continue
            event = re.sub(r"^\(|\)$", "", condition.text())
            if block.kind() == "statement_block":
                look = self._look(self.inner_indent(block), event)
                self.insert_first(block, look, "no-connect-deadline")
                return
        self.outcome = "untouched"
        self.changes.clear()
        self.reasons.append(
            (
                line_of(self.channel.registration),
                "the place where the update is taken out was not found",
            )
        )

    @property
    def _braced(self) -> bool:
        """Whether this file writes braces around single statements (ESLint's ``curly``)."""
        tests = self.channel.source.root.find_all(kind="if_statement")
        bare = sum(
            1
            for t in tests
            if (c := t.field("consequence")) is not None and c.kind() != "statement_block"
        )
        single = sum(
            1
            for t in tests
            if (c := t.field("consequence")) is not None
            and c.kind() == "statement_block"
            and len(statements(c)) == 1
            and leaves(c)
        )
        return bare == 0 and single >= 2

    # --- stop and credentials -----------------------------------------------------------

    def _stop(self) -> None:
        """``stop()`` first in every function that ends the link on purpose."""
        channel = self.channel
        placed: list[SgNode] = []
        for function in channel.enders:
            block = body_of(function)
            if block is None or any(same(block, other) for other in placed):
                continue
            placed.append(block)
            self.insert_first(
                block, f"{self.instance}.stop(){self.layout.end}", "reconnect-after-stop"
            )
        if not placed and channel.scope != "class":
            for function in self._signal_handlers():
                block = body_of(function)
                if block is not None and not any(same(block, other) for other in placed):
                    placed.append(block)
                    self.insert_first(
                        block, f"{self.instance}.stop(){self.layout.end}", "reconnect-after-stop"
                    )

    def _signal_handlers(self) -> Iterator[SgNode]:
        channel = self.channel
        for call in calls(channel.source.root):
            given = arguments_of(call)
            if callee_of(call) not in ("process.on", "process.once") or len(given) < 2:
                continue
            if not re.search(r"SIG(TERM|INT)", given[0].text()):
                continue
            target = given[1]
            names = {callee_of(c) for c in calls(target)} | {target.text()}
            for function in channel.source.root.find_all(kind="variable_declarator"):
                name, value = function.field("name"), function.field("value")
                if (
                    name is not None
                    and name.text() in names
                    and value is not None
                    and value.kind() in FUNCTION_KINDS
                ):
                    yield value
            for declared in channel.source.root.find_all(kind="function_declaration"):
                name = declared.field("name")
                if name is not None and name.text() in names:
                    yield declared
            if target.kind() in FUNCTION_KINDS and "process.exit" in target.text():
                yield target

    def _credentials(self) -> None:
        """A restart right after pairing (515) waits until the credentials are written."""
        channel = self.channel
        for call in calls(channel.connect.node):
            given = arguments_of(call)
            if not callee_of(call).endswith(".ev.on") or len(given) < 2:
                continue
            if given[0].text().strip("'\"`") != "creds.update":
                continue
            handler = given[1]
            if handler.kind() == "identifier" or (
                handler.kind() == "member_expression" and "Handler" not in handler.text()
            ):
                self.put(
                    *span(handler),
                    f"{self.instance}.saving({handler.text()})",
                    "no-connect-deadline",
                )
                self.alive |= names_in(handler)
                return

    # --- close branch -------------------------------------------------------------------

    def _close_branch(self) -> None:
        channel = self.channel
        assert channel.close is not None
        for call in channel.redials:
            if not within(call, channel.close.node) or self._covered(call):
                continue
            helper = channel.helper_of(call)
            if helper is not None and (self.gentle or not is_thin(channel, helper)):
                self._inside_helper(helper)
                continue
            found = outermost_chain_only(channel, call) if self.gentle else outermost(channel, call)
            self._replace(found, self._again(call))

    def _covered(self, node: SgNode) -> bool:
        start, end = span(node)
        return any(first <= start and end <= last for first, last in self.gone)

    def _inside_helper(self, helper: Function) -> None:
        """A helper that does more than loop stays; only its dialling goes through the gate."""
        for call in calls(helper.node):
            if self.channel.is_connect_call(call) and not self._covered(call):
                again = "" if self.channel.first_open_parameter else closure(self._callee(call), [])
                self._replace(outermost_chain_only(self.channel, call), again)

    def _again(self, call: SgNode) -> str:
        """The closure that dials again, the first-open callback passed on."""
        channel = self.channel
        if channel.helper_of(call) is not None:
            return closure(self.inner or channel.connect.call, self._own_arguments())
        given = [a.text() for a in arguments_of(call)]
        return closure(self._callee(call), given or self._own_arguments())

    def _callee(self, call: SgNode) -> str:
        if self.inner is not None:
            return self.inner
        function = call.field("function")
        return function.text() if function is not None else self.channel.connect.call

    def _own_arguments(self) -> list[str]:
        channel = self.channel
        name = channel.first_open_parameter
        if name is None or not within(channel.logic, channel.connect.node):
            return []
        position = channel.connect.parameter_names.index(name)
        return channel.connect.parameter_names[: position + 1]

    def _replace(self, redial: Redial, again: str) -> None:
        """Put ``dial(…)`` in the place of an old way to dial again."""
        channel = self.channel
        start, end = span(redial.whole)
        indent = channel.source.indent_at(start)
        tail = self.layout.end if redial.statement else ""
        if again:
            text = self.layout.call_with_closure(
                indent, f"{self.instance}.dial", again, tail=tail or "\0"
            )
        else:
            text = f"{self.instance}.dial(){tail}"
        text = text.replace("\0", "")
        if redial.returns and not self._is_last(redial.whole):
            text += f"\n{indent}return{self.layout.end}"
        self.loop |= names_between(channel.source, start, end)
        self.alive |= set(re.findall(r"\w+", again)) - {"this"}
        self.put(start, end, text, "flat-retry")

    def _is_last(self, statement: SgNode) -> bool:
        assert self.channel.close is not None
        body = self.channel.close.body
        return bool(body) and same(body[-1], statement)

    # --- the verdict --------------------------------------------------------------------

    def _verdicts(self) -> None:
        """'Not logged out' becomes 'not terminal': the policy knows every code, not just 401."""
        for node in self.channel.verdicts:
            if self._covered(node):
                continue
            terminal = f"{self.instance}.terminal"
            text = terminal if comparison(node) else f"!{terminal}"
            start, end = span(node)
            self.seeds |= names_in(node)
            self.put(start, end, text, "auth-failure-exit")

    # --- exits ----------------------------------------------------------------------------

    def _exits(self) -> None:
        channel = self.channel
        assert channel.close is not None
        for call in channel.exits:
            if self._covered(call):
                continue
            in_qr = any(within(call, branch) for branch in channel.qr_branches)
            in_close = within(call, channel.close.node)
            if not (in_qr or (in_close and self._ends_terminal(call))):
                continue
            rule = "qr-exit" if in_qr else "auth-failure-exit"
            replacement = self._ending()
            if replacement == "process.exit(0)":
                if exit_code(call) not in ("0",):
                    self.put(*span(call), replacement, rule)
                continue
            if replacement:
                self._put_exit(call, replacement, rule)
            elif self.options.on_auth_failure == "stop-channel":
                self._drop(statement_around_exit(call), rule)

    def _put_exit(self, call: SgNode, replacement: str, rule: str) -> None:
        """Write the new ending; a timer around it that no longer fits its line is broken."""
        source, step = self.channel.source, self.layout.style.indent
        function = enclosing_function(call)
        timer = statement_around_exit(call)
        parts = re.fullmatch(r"setTimeout\((\(\) =>) [^\n]*?, ([\w.]+)\);?", timer.text())
        indent = source.indent_at(start_of(timer))
        line = timer.text().replace(call.text(), replacement)
        if function is None or parts is None or self.layout.fits(indent, line):
            self.put(*span(call), replacement, rule)
            return
        inner = f"{indent}{step}{parts.group(1)} {replacement},\n{indent}{step}{parts.group(2)}"
        text = f"setTimeout(\n{inner}{self.layout.call_comma}\n{indent}){self.layout.end}"
        self.put(*span(timer), text, rule)

    def _ending(self) -> str:
        """What ends the process, or only the channel, when the session is over."""
        if self.options.on_auth_failure == "stop-channel":
            return ""
        if self.options.on_auth_failure == "exit":
            return "process.exit(0)"
        if not self.channel.exits:
            return ""  # a host that never ends its process here has other work
        if self.boot.shared and self.boot.question is not None:
            return f"{self.instance}.exitIfAlone({self.boot.question})"
        return "process.exit(0)"

    def _drop(self, statement: SgNode, rule: str) -> None:
        source = self.channel.source
        start, end = source.line_start(start_of(statement)), source.line_end(end_of(statement))
        self.put(start, end, "", rule)

    # --- the start --------------------------------------------------------------------------

    @property
    def _is_adapter(self) -> bool:
        """A closure whose setup belongs to an object that a registry starts (v2)."""
        return self.channel.scope == "closure"

    @property
    def _settles_early(self) -> bool:
        return self._is_adapter or self.boot.shared or self._ending() != "process.exit(0)"

    def _wrap(self) -> None:
        """A connect function that other files call: its callers get one that dials.

        The old one keeps its body under a new name. Where callers use what it returns,
        nothing is wrapped and the file says so.
        """
        channel = self.channel
        node = channel.connect.node
        outside = [c for c in channel.connect_calls if not within(c, channel.logic)]
        if any(not within(c, node) for c in outside) or not self._is_public():
            return
        if any(returns_value(each, node) for each in node.find_all(kind="return_statement")):
            self.reasons.append((line_of(node), "other files use the socket that it returns"))
            return
        name = node.field("name")
        names = channel.connect.parameter_names
        if name is None or not all(re.fullmatch(r"\w+", each) for each in names):
            return
        taken = channel.source.names
        new = next(n for n in ("openSocket", "connectOnce", "openWhatsApp") if n not in taken)
        owner = channel.connect.call.removesuffix(channel.connect.name)
        self.inner = owner + new
        statement = node
        parent = node.parent()
        exported = parent is not None and parent.kind() == "export_statement"
        if exported and parent is not None:
            statement = parent
        source, layout = channel.source, self.layout
        indent = source.indent_at(start_of(statement))
        step = layout.style.indent
        block = body_of(node)
        assert block is not None
        head = " ".join(self.text[start_of(statement) : start_of(block)].split())
        hooks = self._stopped_hook()
        again = closure(self.inner, names)
        dial = layout.call_with_closure(
            indent + step, f"await {self.instance}.dial", again, hooks, tail=layout.end
        )
        public = f"{head} {{\n{indent}{step}{dial}\n{indent}}}\n\n{indent}"
        inner_head = self.text[start_of(statement) : start_of(name)]
        inner_head = re.sub(r"^export\s+(default\s+)?", "", inner_head)
        if channel.scope == "class" and not source.path.endswith((".js", ".mjs", ".cjs", ".jsx")):
            inner_head = "private " + re.sub(r"^public\s+", "", inner_head)
        self.put(
            start_of(statement), end_of(name), f"{public}{inner_head}{new}", "channel-gives-up"
        )

    def _is_public(self) -> bool:
        """Whether other files may call the connect function."""
        node = self.channel.connect.node
        if self.channel.scope == "class":
            return node.kind() == "method_definition" and not is_private(node)
        parent = node.parent()
        return (
            node.kind() == "function_declaration"
            and parent is not None
            and parent.kind() == "export_statement"
        )

    def _stopped_hook(self) -> list[tuple[str, str]]:
        if self._ending() != "process.exit(0)":
            return []
        return [("stopped", "() => process.exit(0)")]

    def _starts(self) -> None:
        """Calls that connect for the first time: a rejection must not be the end."""
        channel = self.channel
        for call in channel.connect_calls:
            if self._covered(call) or within(call, channel.logic):
                continue
            function = enclosing_function(call)
            if function is not None and within(function, channel.connect.node):
                continue
            self._start(call)

    def _start(self, call: SgNode) -> None:
        channel = self.channel
        source = channel.source
        redial = outermost(channel, call)
        chain = self._rejecting_chain(call)
        again = closure(self._callee(call), [a.text() for a in arguments_of(call)])
        executor = self._executor(call)
        if executor is not None and redial.statement:
            hooks, uses_reject = self._hooks(executor)
            indent = source.indent_at(start_of(redial.whole))
            hooks = [
                (key, value.replace("\n", f"\n{indent}{self.layout.style.indent}"))
                for key, value in hooks
            ]
            text = self.layout.call_with_closure(
                indent, f"{self.instance}.dial", again, hooks, tail=self.layout.end
            )
            if any(key == "late" for key, _ in hooks):
                text = f"// {LATE_COMMENT}\n{indent}{text}"
            self.seeds |= names_between(source, *span(redial.whole))
            self.alive |= set(re.findall(r"\w+", again))
            self.put(*span(redial.whole), text, "channel-gives-up")
            if not uses_reject:
                self._drop_reject(executor, redial.whole)
            return
        whole = chain if chain is not None else call
        hooks = self._stopped_hook()
        indent = source.indent_at(start_of(whole))
        text = self.layout.call_with_closure(
            indent, f"{self.instance}.dial", again, hooks, tail="\0"
        ).replace("\0", "")
        self.seeds |= names_between(source, *span(whole))
        self.alive |= set(re.findall(r"\w+", again))
        self.put(*span(whole), text, "channel-gives-up")

    def _rejecting_chain(self, call: SgNode) -> SgNode | None:
        """``call.catch(…)`` when the catch is the whole chain."""
        parent = call.parent()
        chain = parent.parent() if parent is not None else None
        if parent is None or chain is None or parent.kind() != "member_expression":
            return None
        method = parent.field("property")
        if method is None or method.text() != "catch" or chain.kind() != "call_expression":
            return None
        after = chain.parent()
        return chain if after is None or after.kind() != "member_expression" else None

    def _executor(self, call: SgNode) -> SgNode | None:
        """The ``(resolve, reject) => {…}`` of a ``new Promise`` around the call."""
        function = enclosing_function(call)
        if function is None:
            return None
        arguments = function.parent()
        made = arguments.parent() if arguments is not None else None
        if made is None or made.kind() != "new_expression":
            return None
        constructor = made.field("constructor")
        return function if constructor is not None and constructor.text() == "Promise" else None

    def _hooks(self, executor: SgNode) -> tuple[list[tuple[str, str]], bool]:
        """(hooks of dial, whether the executor's reject is still used)."""
        names = Function(executor, "", "").parameter_names
        resolve = names[0] if names else "undefined"
        reject = names[1] if len(names) > 1 else None
        if self._is_adapter:
            hooks = [("late", resolve)] if names else []
            if reject:
                hooks.append(("stopped", reject))
            return hooks, reject is not None
        ending = self._ending()
        step = self.layout.style.indent
        if ending == "process.exit(0)":
            hooks = [("stopped", "() => process.exit(0)")]
            return ([("late", resolve), *hooks] if self.boot.shared else hooks), False
        if not ending:
            if reject and self._is_kept(executor, reject):
                return [("late", resolve), ("stopped", reject)], True
            return [("late", resolve), ("stopped", f"() => {resolve}()")], False
        end = self.layout.end
        body = f"() => {{\n{step}{resolve}(){end}\n{step}{ending}{end}\n}}"
        return [("late", resolve), ("stopped", body)], False

    def _is_kept(self, executor: SgNode, reject: str) -> bool:
        """Whether the host keeps the promise's reject for when the session is over."""
        return any(
            (right := each.field("right")) is not None and right.text() == reject
            for each in executor.find_all(kind="assignment_expression")
        )

    def _drop_reject(self, executor: SgNode, whole: SgNode) -> None:
        """``(resolve, reject)`` becomes ``(resolve)`` when nothing rejects any more."""
        names = Function(executor, "", "").parameters
        if len(names) < 2:
            return
        name = names[1].text()
        elsewhere = [
            node
            for node in walk(executor)
            if node.kind() in ("identifier", "shorthand_property_identifier")
            and node.text() == name
            and not within(node, whole)
            and not within(node, names[1])
        ]
        if not elsewhere:
            self.put(end_of(names[0]), end_of(names[1]), "", "channel-gives-up")
            if not self.layout.style.arrow_parens and names[0].kind() == "required_parameter":
                parameters = executor.field("parameters")
                if parameters is not None:
                    del self.changes[(end_of(names[0]), end_of(names[1]))]
                    self.put(*span(parameters), names[0].text(), "channel-gives-up")

    # --- nothing uses a socket that does not exist yet -----------------------------------------

    def _guards(self) -> None:
        """The host now starts before the socket exists: say so instead of failing on undefined."""
        channel = self.channel
        receiver = self._receiver
        for function in self._entry_points():
            for block in self._unguarded_blocks(function, receiver):
                indent = self.inner_indent(block)
                in_try = block.parent() is not None and block.parent().kind() == "try_statement"  # type: ignore[union-attr]
                leave = f"throw new Error({self.layout.quoted(NOT_YET)})" if in_try else "return"
                line = self.layout.guard(indent, f"!{receiver}", (), self._braced, leave)
                self.insert_first(block, line, "lost-first-open")
        del channel

    def _entry_points(self) -> Iterator[SgNode]:
        """Methods that the host calls: public ones of the class, or of the adapter object."""
        channel = self.channel
        home = channel.class_node if channel.scope == "class" else channel.owner
        if home is None:
            return
        for method in home.find_all(kind="method_definition"):
            private = any(
                c.kind() == "accessibility_modifier" and c.text() != "public"
                for c in method.children()
            )
            name = method.field("name")
            if (
                private
                or name is None
                or name.text() == "constructor"
                or within(method, channel.connect.node)
            ):
                continue
            yield method

    def _unguarded_blocks(self, method: SgNode, receiver: str) -> Iterator[SgNode]:
        """Innermost try blocks (or the method's body) that use the socket without asking first."""
        found: list[SgNode] = []
        body = body_of(method)
        if body is None:
            return
        tests = re.compile(
            r"(!\s*(this\.)?(is)?connected\b|!\s*" + re.escape(receiver) + r"\b|isConnected\()",
            re.IGNORECASE,
        )
        for node in body.find_all(kind="member_expression"):
            target = node.field("object")
            if (
                target is None
                or target.text() != receiver
                or "?." in node.text()[len(receiver) : len(receiver) + 2]
            ):
                continue
            if same(enclosing_function(node), method) is False:
                continue
            call = node.parent()
            if call is None or (
                call.kind() != "call_expression" and node.field("property") is None
            ):
                continue
            block = enclosing(node, {"statement_block"})
            chosen = body
            while block is not None and not same(block, body):
                parent = block.parent()
                if parent is not None and parent.kind() == "try_statement":
                    chosen = block
                    break
                block = enclosing(block, {"statement_block"})
            before = self.text[start_of(body) : start_of(node)]
            if tests.search(before) or any(same(chosen, other) for other in found):
                continue
            found.append(chosen)
        yield from found

    # --- the rest ---------------------------------------------------------------------------

    def _sweep(self) -> None:
        channel = self.channel
        sweep = Sweep(channel.source, list(self.gone), self.alive, set(self.loop))
        branch = channel.close.node if channel.close is not None else None
        for range_ in sweep.run(self.seeds - {"process"}, branch):
            self.changes[range_] = ("", "flat-retry")
        self.orphans = sweep.orphans()
        for start, end in list(self.changes):
            if any(
                (start, end) != r and r[0] <= start and end <= r[1] and r[1] > r[0]
                for r in sweep.removed
            ):
                del self.changes[(start, end)]


# --- pieces --------------------------------------------------------------------------------


def closure(callee: str, arguments: list[str]) -> str:
    """``() => callee(arguments)``, or the function itself when nothing is passed."""
    if not arguments and re.fullmatch(r"\w+", callee):
        return callee
    return f"() => {callee}({', '.join(arguments)})"


def returns_value(statement: SgNode, function: SgNode) -> bool:
    """Whether a return of this very function hands something back."""
    if not same(enclosing_function(statement), function):
        return False
    return any(child.is_named() for child in statement.children())


def exit_code(call: SgNode) -> str:
    given = arguments_of(call)
    return given[0].text() if given else ""


def negated_flag(condition: SgNode) -> str:
    """``x`` of ``(!x)``."""
    found = re.fullmatch(r"\(\s*!(\w+)\s*\)", condition.text())
    return found.group(1) if found else ""


def statement_around_exit(call: SgNode) -> SgNode:
    """The whole statement that ends the process: the exit itself, or the timer around it."""
    statement = statement_around(call)
    function = enclosing_function(call)
    if function is not None and function.kind() == "arrow_function":
        outer = function.parent()
        timer = outer.parent() if outer is not None else None
        if timer is not None and callee_of(timer) == "setTimeout":
            return statement_around(timer)
    return statement


def outermost_chain_only(channel: Channel, call: SgNode) -> Redial:
    """The call with its ``.catch``, without the timer that the host keeps around it.

    A ``.then`` or ``.finally`` stays: ``dial`` returns a promise, too.
    """
    node = call
    while True:
        parent = node.parent()
        chain = parent.parent() if parent is not None else None
        method = parent.field("property") if parent is not None else None
        if (
            chain is not None
            and chain.kind() == "call_expression"
            and method is not None
            and method.text() == "catch"
            and all(droppable_callback(channel, each) for each in arguments_of(chain))
        ):
            node = chain
            continue
        if parent is not None and parent.kind() == "expression_statement":
            return Redial(call, parent, True)
        return Redial(call, node, False)


def first_code(root: SgNode) -> int:
    """The offset of the first statement that is no directive and no comment."""
    for child in root.children():
        if child.is_named() and child.kind() not in ("comment", "hash_bang_line"):
            if child.kind() == "expression_statement" and re.match(
                r"['\"]use strict", child.text()
            ):
                continue
            return start_of(child)
    return 0
