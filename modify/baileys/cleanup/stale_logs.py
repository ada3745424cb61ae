"""Log lines that name a wait which is no longer one: ``'Reconnecting in 5 seconds...'``.

The wait grows now, and the gate logs its length. The rest of such a line stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import is_log_statement
from modify.baileys.rewrite.draft import Draft
from modify.kit.typescript.source import span, statements
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode

NUMBERS = re.compile(r"(?<![\w.])(\d[\d_]*)(?:\s*\*\s*(1_?000))?(?![\w.])")
OWN_LOG = re.compile(r"(add|write|print)?[lL]og([A-Z]\w*)?\(")
# "in <duration>", in the languages seen in real bots.
END = r"(?!\d|\.\d)"
IN = "in|after|em|en|após|dentro de|dalam|setelah|nach|dans|tra|через"


def rewrite_stale_logs(draft: Draft, statement: SgNode, delay: str) -> None:
    """Cut the words that name an old wait above it; a line of nothing but a number goes.

    delay: the text of the wait's milliseconds.
    """
    waits = "|".join(sorted(waits_of(delay)))
    if not waits:
        return
    phrase = re.compile(rf"[ \t]+(?:{IN})[ \t]+~?(?:{waits}){END}[ \t]?[^\W\d_]*", re.I)
    alone = re.compile(rf"(?<![\d.])(?:{waits}){END}[ \t]?[^\W\d_]")
    for line in logs_above(statement):
        pieces = list(line.find_all(kind="string_fragment"))
        cuts = [(piece, found) for piece in pieces if (found := phrase.search(piece.text()))]
        for piece, found in cuts:
            begin = span(piece)[0]
            draft.put(begin + found.start(), begin + found.end(), "", ids.FLAT_RETRY)
        if not cuts and len(pieces) == 1 and alone.search(pieces[0].text()):
            draft.take_line(line, ids.FLAT_RETRY)


def waits_of(delay: str) -> Iterator[str]:
    """How a line may write the numbers of a delay in milliseconds: ``5000``, ``5``."""
    for number, factor in NUMBERS.findall(delay):
        milliseconds = int(number.replace("_", "")) * int((factor or "1").replace("_", ""))
        if milliseconds >= 1000:
            yield str(milliseconds)
            yield re.escape(f"{milliseconds / 1000:g}")


def logs_above(statement: SgNode) -> Iterator[SgNode]:
    """The log lines right above a statement, those of an ``if`` with nothing else in it, too."""
    line = statement.prev()
    while line is not None and line.kind() != "{":
        if is_log_line(line):
            yield line
        elif line.kind() == "if_statement" and (inner := only_logs(line)):
            yield from inner
        elif line.kind() != "comment":
            return
        line = line.prev()


def is_log_line(statement: SgNode) -> bool:
    """``console.log(…);``, or a function of the host's own that logs: ``logWarn(…)``."""
    return is_log_statement(statement) or OWN_LOG.match(statement.text()) is not None


def only_logs(test: SgNode) -> list[SgNode]:
    """The log lines of an ``if``, if every branch holds nothing else."""
    found: list[SgNode] = []
    branch: SgNode | None = test
    while branch is not None and branch.kind() == "if_statement":
        found += [*block_lines(branch.field("consequence"))]
        alternative = branch.field("alternative")
        inner = [c for c in alternative.children() if c.is_named()] if alternative else []
        branch = inner[0] if inner else None
    found += [*block_lines(branch)] if branch is not None else []
    return found if all(is_log_line(line) for line in found) else []


def block_lines(block: SgNode | None) -> list[SgNode]:
    if block is None:
        return []
    return statements(block) if block.kind() == "statement_block" else [block]
