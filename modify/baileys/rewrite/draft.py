"""The draft of one channel's rewrite: its edits so far, and how statements are written into it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel, leaves
from modify.baileys.model.host_context import Logger, instance_name
from modify.baileys.model.startup import Boot
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.nodes import part
from modify.kit.typescript.source import end_of, line_of, nodes_of, span, start_of, statements
from skill.edit import Edit
from skill.options import Options

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MODULE_STEM = "whatsapp-reconnect"
COMMENT = "Paces reconnects: WhatsApp blocks a number that connects too often"
LATE_COMMENT = "Does not hold up the host: WhatsApp may open later, by itself"
VOID = re.compile(r"(?:^|[;{}\n])\s*void\s+[\w.]+\(|=>\s*void\s+[\w.]+\(")
EXIT_COMMENT = "0, so that no supervisor starts it again"
LEVELS = ("info", "warn", "error")
NOT_YET = "WhatsApp is not connected yet"


@dataclass
class Draft:
    """The edits of one channel, in character offsets until :meth:`edits`.

    gone: the ranges that they replace. seeds: names that may be unused now; loop: those of the
    old loop; alive: those that the edits use. inner: the new name of a connect function whose
    own name its callers keep. waits_to_start: the host goes on before the first socket is made.
    """

    channel: Channel
    layout: Layout
    boot: Boot
    options: Options
    module_import: str
    logger: Logger
    changes: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    gone: list[tuple[int, int]] = field(default_factory=list)
    seeds: set[str] = field(default_factory=set)
    loop: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    inner: str | None = None
    waits_to_start: bool = False

    def edits(self) -> list[Edit]:
        source = self.channel.source
        return [
            source.edit(start, end, text, rule)
            for (start, end), (text, rule) in self.changes.items()
        ]

    @property
    def text(self) -> str:
        return self.channel.source.text

    @property
    def instance(self) -> str:
        """How the channel's code names the Reconnect object."""
        name = instance_name(self.channel)
        return f"this.{name}" if self.channel.scope == "class" else name

    def put(self, start: int, end: int, text: str, rule: str) -> None:
        self.changes[(start, end)] = (text, rule)
        if end > start:
            self.gone.append((start, end))

    def take_line(self, statement: SgNode, rule: str) -> None:
        """Take a statement away that has its lines for itself."""
        begin, end = span(statement)
        first, last = self.channel.source.line_start(begin), self.channel.source.line_end(end)
        if self.text[first:last].strip().rstrip(";") == self.text[begin:end].strip().rstrip(";"):
            self.put(first, last, "", rule)

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
            gap = (brace, brace + rest.end())
            before, _ = self.changes.get(gap, (f"\n{outer}{step}", ""))
            self.put(*gap, f"{before}{text}\n{outer}{step}", rule)
            last, close = end_of(inner[-1]), end_of(block) - 1
            if self.text[last:close] in ("", " "):
                self.put(last, close, f"\n{outer}", rule)
            return
        indent = (
            source.indent_at(start_of(inner[0]))
            if inner
            else source.indent_at(start_of(block)) + step
        )
        self.insert_at(
            brace,
            f"\n{indent}{text}"
            if inner
            else f"\n{indent}{text}\n{source.indent_at(start_of(block))}",
            rule,
        )

    def insert_at(self, place: int, text: str, rule: str) -> None:
        before, _ = self.changes.get((place, place), ("", ""))
        self.changes[(place, place)] = (before + text, rule)

    def inner_indent(self, block: SgNode) -> str:
        inner = statements(block)
        source = self.channel.source
        if inner and line_of(inner[0]) != line_of(block):
            return source.indent_at(start_of(inner[0]))
        return source.indent_at(start_of(block)) + self.layout.style.indent

    @property
    def receiver(self) -> str:
        return re.sub(r"[?!]+$", "", self.channel.receiver)

    @property
    def braced(self) -> bool:
        """Whether this file writes braces around single statements (ESLint's ``curly``)."""
        taken = [
            part(test, "consequence") for test in nodes_of(self.channel.source.root, "if_statement")
        ]
        blocks = [each for each in taken if each.kind() == "statement_block"]
        single = [each for each in blocks if len(statements(each)) == 1 and leaves(each)]
        return len(blocks) == len(taken) and len(single) >= 2

    @property
    def floating(self) -> str:
        """``void `` where this file writes it before a promise that nobody awaits."""
        return "void " if VOID.search(self.text) else ""

    def covered(self, node: SgNode) -> bool:
        start, end = span(node)
        return any(first <= start and end <= last for first, last in self.gone)

    def callee(self, call: SgNode) -> str:
        if self.inner is not None:
            return self.inner
        return part(call, "function").text() or self.channel.connect.call

    @property
    def is_adapter(self) -> bool:
        """A closure whose setup belongs to an object that a registry starts (v2)."""
        return self.channel.scope == "closure"


def closure(callee: str, arguments: list[str]) -> str:
    """``() => callee(arguments)``, or the function itself when nothing is passed."""
    if not arguments and re.fullmatch(r"\w+", callee):
        return callee
    return f"() => {callee}({', '.join(arguments)})"
