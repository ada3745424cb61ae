"""The one rewrite of a bridge link: the gate, the eye, one wait, and the stop.

``link.turn()`` in the loop's own test is the only wait. It grows, covers a clean close like
any other end, and ``link.stop()`` ends it. A host's own interruptible wait stays and only
gets its length from ``link.delay()``; the turn after it is then due at once.
"""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from modify.bridge.backoff_variable import spent
from modify.bridge.bridge_status import StatusBranch
from modify.bridge.link import LinkLoop, heard_by
from modify.bridge.rewrite.websocket_app import (
    closed_by,
    made_before,
    opened_edits,
    without_reconnect,
)
from modify.kit.python.errors import CannotPlace
from modify.kit.python.imports import unused_import
from modify.kit.python.source import Source, all_of, block_of, called, dotted, inside, names_in
from modify.kit.python.style import logger_of
from modify.kit.python.waits import Wait
from modify.rules import ids
from skill.edit import Edit

RULE = ids.SILENT_REDIAL
WHY = "# Paces reconnects: a clean close waits like any other"
# A comment right above a pause that goes with it.
OF_A_PAUSE = re.compile(
    rb"\b(?:wait|sleep|pause|delay|retry|reconnect|back ?off|next try|try again)", re.IGNORECASE
)
SECONDS = r"(?<![\d.]){}(?:\.0)?(?=\s*(?:s\b|secs?\b|seconds?\b|秒))"


class LinkRewrite:
    """Edits for one loop. keep_sleep: the host's tests take the place of its sleep call."""

    def __init__(self, link: LinkLoop, status: StatusBranch | None, keep_sleep: bool) -> None:
        self.link, self.status, self.keep_sleep = link, status, keep_sleep
        self.source: Source = link.source
        self.edits: list[Edit] = []
        taken = names_in(link.function) | names_in(link.holder)
        self.name = next(n for n in ("link", "bridge_link", "redial_link") if n not in taken)
        self.removed: dict[str, int] = {}
        # Pauses that are gone, nodes of the log that tell another number, lines to take away.
        self.paused: list[cst.BaseExpression] = []
        self.renamed: list[cst.CSTNode] = []
        self.gone: list[cst.SimpleStatementLine] = []

    @property
    def is_of_one_run(self) -> bool:
        """Whether the loop is ended by what it was called with: the next run has its own link."""
        link = self.link
        given = {item.name.value for item in link.function.params.params} - {link.me}
        return (
            not link.stops
            and self.status is None
            and link.holder is link.function
            and link.condition is not None
            and bool(given & names_in(link.condition))
        )

    @property
    def imported(self) -> str:
        return "link_of" if self.link.me and not self.is_of_one_run else "BridgeLink"

    def run(self) -> list[Edit]:
        """Raises CannotPlace; then nothing of it may be used."""
        link = self.link
        if not block_of(link.loop):
            raise CannotPlace("the loop's body has no lines of its own")
        if link.holder is not link.function and not link.me:
            raise CannotPlace("the function that connects knows nothing of the loop")
        logger = logger_of(self.source, self.link.me)
        made = f"link_of({', '.join(filter(None, (link.me, logger)))})"
        if self.imported == "BridgeLink":
            made = f"BridgeLink({logger})"
        lines = f"{WHY}\n{self.name} = {made}\n{self.name}.start()"
        self.edits.append(self.source.before(made_before(link) or link.loop, lines, RULE))
        self.gate()
        self.opened()
        for wait in link.waits:
            self.wait(wait)
        self.gone += spent(self.source, link.function, self.paused, self.renamed)
        self.remove()
        self.handlers()
        for statement in link.stops:
            method = self.source.nearest(statement, cst.FunctionDef)
            assert method is not None
            me = method.params.params[0].name.value
            self.edits.append(
                self.source.after(statement, f"link_of({me}).stop()", ids.RECONNECT_AFTER_STOP)
            )
        if self.status is not None:
            self.logout(self.status)
        for name, gone in self.removed.items():
            edit = unused_import(self.source, name, gone, ids.FLAT_RETRY)
            if edit is not None:
                self.edits.append(edit)
        return self.edits

    def gate(self) -> None:
        """The loop goes round when its turn has come, or ends."""
        test = self.link.condition
        again = self.asked_again()
        call = again.removesuffix("()")
        is_one_call = again != call and not again.startswith(("not ", "("))
        given = f"going={call}" if is_one_call else f"going=lambda: {again}"
        given = given if again else ""
        if self.link.is_async:
            turn = f"await {self.name}.turn({given})"
        else:
            event = stop_event(test) if test is not None else ""
            turn = f"{self.name}.turn_sync({event or given})"
        first: cst.BaseStatement | None = self.link.entry
        tried = self.tried()
        if tried is not None or (test is None and first is None):
            first = (block_of(tried or self.link.loop) or [])[0]
        if first is not None:
            self.edits.append(self.source.before(first, f"if not {turn}:\n    break", RULE))
            return
        assert test is not None
        start, end = self.source.span(test)
        if self.link.test in ("True", "1"):
            self.edits.append(Edit(start, end, turn.encode(), RULE))
            return
        either = isinstance(test, (cst.IfExp, cst.NamedExpr, cst.Lambda)) or (
            isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or)
        )
        if test.lpar:
            raise CannotPlace("the loop's test is too long to add to")
        if either:
            self.edits.append(Edit(start, start, b"(", RULE))
            self.edits.append(Edit(end, end, f") and {turn}".encode(), RULE))
            return
        self.edits.append(Edit(end, end, f" and {turn}".encode(), RULE))

    def tried(self) -> cst.Try | None:
        """The ``try`` of a loop that ends on Ctrl-C or a cancel during its wait: it still must."""
        block = block_of(self.link.loop) or []
        first = block[0]
        if not isinstance(first, cst.Try) or not block_of(first):
            return None
        caught = " ".join(self.source.text(item.type) for item in first.handlers if item.type)
        if not re.search(r"KeyboardInterrupt|CancelledError|BaseException|SystemExit", caught):
            return None
        waits = any(self.source.is_within(wait.call, first.body) for wait in self.link.waits)
        return first if waits else None

    def asked_again(self) -> str:
        """The loop's test, where it may turn false during a wait and nothing tells the link so."""
        test = self.link.condition
        if test is None or self.link.stops or self.link.test in ("True", "1"):
            return ""
        calls = [called(node) for node in [test, *inside(test)] if isinstance(node, cst.Call)]
        # A call may have an effect; asking an event has none.
        if any(not name.endswith(".is_set") for name in calls):
            return ""
        if isinstance(test, (cst.NamedExpr, cst.Lambda)):
            return f"({self.link.test})"
        return self.link.test

    def opened(self) -> None:
        link = self.link
        if link.app is not None:
            self.edits += opened_edits(link, link.app, self.name)
            edit = without_reconnect(link, link.app)
            if edit is not None:
                self.edits.append(edit)
            return
        name = self.name if link.holder is link.function else f"link_of({self.me_of_holder()})"
        if isinstance(link.opening, cst.With):
            block = block_of(link.opening)
            if not block:
                raise CannotPlace("the body of the connection has no lines of its own")
            self.edits.append(self.source.before(block[0], f"{name}.opened()", RULE))
        else:
            self.edits.append(self.source.after(link.opening, f"{name}.opened()", RULE))

    def me_of_holder(self) -> str:
        parameters = self.link.holder.params.params
        if not parameters:
            raise CannotPlace("the function that connects knows nothing of the loop")
        return parameters[0].name.value

    # --- the waits ---

    def wait(self, wait: Wait) -> None:
        rule, source = ids.FLAT_RETRY, self.source
        statement = source.statement(wait.call)
        assert statement is not None
        lines = self.told(wait, statement)
        self.paused.append(wait.number)
        if wait.kind == "event" or self.keep_sleep or not self.is_alone(wait, statement):
            # delay() is asked once for each attempt.
            number = f"{self.name}.delay()"
            if lines:
                pause = f"{self.name}_delay"
                self.edits.append(source.before(lines[0], f"{pause} = {number}", rule))
                number = pause
            for line in lines:
                self.log_line(line, wait, number)
            self.edits.append(source.replace(wait.number, number, rule))
            return
        told = f"{self.name}.delay()"
        if len(lines) > 1:
            # delay() is asked once for each attempt.
            self.edits.append(source.before(lines[0], f"{self.name}_delay = {told}", rule))
            told = f"{self.name}_delay"
        for line in lines:
            self.log_line(line, wait, told)
        head = dotted(wait.call.func).partition(".")[0]
        if head in ("asyncio", "time", "anyio"):
            self.removed[head] = self.removed.get(head, 0) + 1
        assert isinstance(statement, cst.SimpleStatementLine)
        self.gone.append(statement)

    def remove(self) -> None:
        """Take lines away; a block that would be left empty tells the link of its end."""
        source, rule = self.source, ids.FLAT_RETRY
        for line in self.gone:
            block = source.parent(line)
            body = list(block.body) if isinstance(block, cst.IndentedBlock) else []
            if line is body[0] and all(item in self.gone for item in body):
                told = Edit(*source.span(line), f"{self.name}.closed()".encode(), rule)
                self.edits.append(told)
                continue
            edit = source.remove(line, rule)
            head = source.head(line)
            if OF_A_PAUSE.search(source.content[head : edit.start]):
                edit = replace(edit, start=head)
            self.edits.append(edit)

    def handlers(self) -> None:
        """Drop the numbers from texts in on_close and on_error: only the loop may call delay()."""
        link, said = self.link, set[cst.FunctionDef]()
        if link.app is not None:
            for event in ("on_close", "on_error"):
                said |= set(heard_by(link.source, link.app, link.function, event))
        for wait in link.flat_waits:
            number = self.source.text(wait.number)
            if not re.fullmatch(r"[\d.]+", number):
                continue
            for node in (node for function in said for node in inside(function)):
                if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
                    text = self.source.text(node)
                    new = without_number(number, text)
                    if new != text:
                        self.edits.append(self.source.replace(node, new, ids.FLAT_RETRY))

    def is_alone(self, wait: Wait, statement: cst.BaseStatement) -> bool:
        """``await asyncio.sleep(5)`` as a line of its own, nothing else on it."""
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            return False
        only = statement.body[0]
        if not isinstance(only, cst.Expr):
            return False
        value = only.value.expression if isinstance(only.value, cst.Await) else only.value
        return value is wait.call

    def told(self, wait: Wait, statement: cst.BaseStatement) -> list[cst.SimpleStatementLine]:
        """The host's log lines that mention the wait, between the ``except`` and the wait."""
        found: list[cst.SimpleStatementLine] = []
        here: cst.CSTNode = statement
        for above in self.source.above(statement):
            if isinstance(above, cst.IndentedBlock):
                before = list(above.body)
                before = before[: before.index(here)]  # type: ignore[arg-type]
                found = [
                    line
                    for line in before
                    if isinstance(line, cst.SimpleStatementLine)
                    and isinstance(line.body[0], cst.Expr)
                    and self.speaks(line, wait)
                ] + found
            if isinstance(above, (cst.ExceptHandler, cst.While)):
                break
            here = above
        return found

    def speaks(self, line: cst.SimpleStatementLine, wait: Wait) -> bool:
        number = self.source.text(wait.number)
        text = self.source.text(line)
        if not re.fullmatch(r"[\d.]+", number):
            return re.search(rf"(?<![\w.]){re.escape(number)}(?!\w)", text) is not None
        return pattern_of(number).search(text) is not None

    def log_line(self, line: cst.SimpleStatementLine, wait: Wait, delay: str) -> None:
        number = self.source.text(wait.number)
        if not re.fullmatch(r"[\d.]+", number):
            for node in inside(line):
                if isinstance(node, cst.FormattedStringExpression):
                    if self.source.text(node.expression) == number and not node.format_spec:
                        start, end = self.source.span(node.expression)
                        self.renamed.append(node)
                        told = f"{delay}:.0f".encode()
                        self.edits.append(Edit(start, end, told, ids.FLAT_RETRY))
                elif isinstance(node, cst.Arg) and self.source.text(node.value) == number:
                    self.renamed.append(node)
                    new = f"round({delay})"
                    self.edits.append(self.source.replace(node.value, new, ids.FLAT_RETRY))
            return
        pattern = pattern_of(number)
        for node in inside(line):
            if not isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
                continue
            text = self.source.text(node)
            if not pattern.search(text):
                continue
            if isinstance(node, cst.FormattedStringText):
                new = pattern.sub(f"{{{delay}:.0f}}", text)
            elif not node.prefix and "{" not in text:
                new = "f" + pattern.sub(f"{{{delay}:.0f}}", text)
            elif place := self.argument_after(node, pattern):
                new = pattern.sub("{}", text, count=1)
                text = f", round({delay})"
                self.edits.append(Edit(place, place, text.encode(), ids.FLAT_RETRY))
            else:
                new = without_number(number, text)
            self.edits.append(self.source.replace(node, new, ids.FLAT_RETRY))

    def argument_after(self, node: cst.SimpleString, pattern: re.Pattern[str]) -> int:
        """Where an argument for the number goes in ``logger.info("in 5 s (try {})", n)``; or 0."""
        text = self.source.text(node)
        call = self.source.parent(self.source.parent(node) or node)
        found = pattern.search(text)
        if not isinstance(call, cst.Call) or call.args[0].value is not node or found is None:
            return 0
        before = text[: found.start()].count("{}")
        bare = text.replace("{}", "")
        plain = [item for item in call.args if item.keyword is None and not item.star]
        if "{" in bare or "}" in bare or len(plain) <= before:
            return 0
        return self.source.end(plain[before].value)

    # --- a logout that the bridge reports ---

    def logout(self, status: StatusBranch) -> None:
        rule = ids.LOGOUT_HIDDEN_BY_BRIDGE
        source, link = self.source, self.link
        lines = [f"elif {status.subject} == {status.quote}logged_out{status.quote}:"]
        if status.copied:
            lines.append("    " + status.copied)
        lines.append(f"    link_of({status.me}).logout()")
        closing = closed_by(link, status) if link.app is not None else ""
        if closing:
            lines.append(f"    {closing}.close()")
        self.edits.append(
            source.after(status.branch, "\n".join(lines), rule, source.indent(status.branch))
        )
        for loop in all_of(link.opening, cst.For):
            block = block_of(loop)
            last = block[-1] if block else None
            if last is not None and source.parent(source.parent(loop) or loop) is link.opening:
                text = f"if {self.name}.terminal:\n    break"
                self.edits.append(source.after(last, text, rule, source.indent(last)))
                return


def without_number(number: str, text: str) -> str:
    """``Reconnecting in a while`` for ``Reconnecting in 5s``, where the wait is not known."""
    whole = pattern_of(number).pattern.replace("(?=", "(?:")
    return re.sub(whole, lambda found: "一段时间" if "秒" in found[0] else "a while", text)


def pattern_of(number: str) -> re.Pattern[str]:
    return re.compile(SECONDS.format(re.escape(number.removesuffix(".0"))))


def stop_event(test: cst.BaseExpression) -> str:
    """``not self._stop.is_set()``: the event that ends a wait as well, and what it is called."""
    for node in [test, *inside(test)]:
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            name = called(node.expression)
            if name.endswith(".is_set"):
                return name.removesuffix(".is_set")
    return ""
