"""Loops of a shell script that run the host again: ``while true; do node dist/index.js; done``.

Understood by tree-sitter's bash grammar (through ast-grep), changed by byte edits. The
script is never run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from modify.kit.typescript.javascript import ASCII_ONLY
from modify.kit.typescript.source import span
from modify.units.model import UnitText
from modify.units.started import Started

if TYPE_CHECKING:
    from ast_grep_py import Config, SgNode

LOOPS: Config = {"rule": {"any": [{"kind": "while_statement"}, {"kind": "c_style_for_statement"}]}}
# Conditions that are true forever, behind while; false forever, behind until.
ENDLESS = re.compile(r"true|:|/bin/true|\[\[? *(?:1|true|:) *\]\]?|\(\( *1 *\)\)|test 1")
NEVER = re.compile(r"false|/bin/false|\[\[? *false *\]\]?|\(\( *0 *\)\)")
NO_CONDITION = re.compile(r"for *\(\( *; *; *\)\)")
ENDS_ON_ZERO = re.compile(
    r"(?:\$\?|\$\{?\w+\}?)\"?\s*(?:-eq|==?)\s*\"?0\b[^\n]*(?:\n\s*then\b)?"
    r"(?:\n[ \t]*(?:echo|printf|#)[^\n]*)*[\s;]*(?:break|exit)\b"
)
AND_ENDS = re.compile(r"&&\s*(?:break|exit)\b")
ENDS_BY_ITSELF = re.compile(r"\b(?:break|exit|return|continue|exec|trap)\b")
EXIT_ON_ERROR = re.compile(r"^\s*set\s+-\w*e|^#!.*sh\s+-\w*e|^\s*set\s+-o\s+errexit", re.MULTILINE)
PROGRAM = re.compile(r"\b(?:node|tsx|ts-node|npm|pnpm|yarn|npx|bun|python[\d.]*)\b")
PAUSE = re.compile(r"sleep\s+(\d+)s?")
GROWS = re.compile(r"\b(\w+)=[\"']?\$\(\(.*\b\1\b.*[*+].*\)\)|\(\(\s*\w+\s*[*+]=|\blet\b")
LONG_ENOUGH = 300


@dataclass(frozen=True)
class Loop:
    """A loop that runs one program again and again.

    program: the command, the redirections included; its exit status is the loop's affair.
    ends: the loop ends once the program has ended with 0. paces: its pause grows, or is
    long. sleep: a pause of a plain number. problem: what keeps it from being rewritten.
    """

    text: UnitText
    node: SgNode
    body: SgNode
    program: SgNode
    started: Started
    ends: bool
    paces: bool
    sleep: SgNode | None
    problem: str = ""
    name: str = "the loop"
    remark: str = ""

    @property
    def position(self) -> int:
        return span(self.node)[0]

    @property
    def seconds(self) -> int:
        found = PAUSE.fullmatch(self.sleep.text()) if self.sleep is not None else None
        return int(found[1]) if found else 0


@lru_cache(maxsize=8)
def parse(content: bytes) -> SgNode:
    from ast_grep_py import SgRoot

    return SgRoot(content.translate(ASCII_ONLY).decode("ascii"), "bash").root()


def loops(text: UnitText, started_by: Callable[[str], Started]) -> Iterator[Loop]:
    """The loops without an end that may run the host.

    started_by: what a shell command line starts.
    """
    for node in parse(text.content).find_all(LOOPS):
        body = next((child for child in node.children() if child.kind() == "do_group"), None)
        if body is None or body.find(LOOPS) is not None:
            continue
        programs, tested = programs_of(node, body)
        for program in programs:
            started = started_by(program.text())
            if started.kind == "side" or not PROGRAM.search(f"{program.text()} {started.what}"):
                continue
            yield a_loop(text, node, body, program, started, tested)
            break


def programs_of(node: SgNode, body: SgNode) -> tuple[list[SgNode], bool]:
    """The commands of an endless loop, or the one whose success ends it (``until CMD``): which.

    Empty for a loop with any other condition: it has an end.
    """
    inside = [child for child in body.children() if child.is_named()]
    head = node.text()[: span(body)[0] - span(node)[0]].strip().rstrip(";").strip()
    keyword, _, condition = head.partition(" ")
    condition = condition.strip()
    if NO_CONDITION.match(head) or (keyword == "while" and ENDLESS.fullmatch(condition)):
        return inside, False
    if keyword == "until" and NEVER.fullmatch(condition):
        return inside, False
    parts = [child for child in node.children() if child.is_named() and child is not body]
    first = parts[0]
    if keyword == "until":
        return [first], True
    if keyword == "while" and first.kind() == "negated_command":
        return [child for child in first.children() if child.is_named()], True
    return [], False


def a_loop(
    text: UnitText, node: SgNode, body: SgNode, program: SgNode, started: Started, tested: bool
) -> Loop:
    inside = body.text()
    sleeps = [child for child in body.children() if child.text().startswith("sleep ")]
    plain = [child for child in sleeps if PAUSE.fullmatch(child.text())]
    paces = bool(sleeps) and GROWS.search(inside) is not None
    long = bool(plain) and int(PAUSE.findall(plain[0].text())[0]) >= LONG_ENOUGH
    ends = tested or bool(ENDS_ON_ZERO.search(inside) or AND_ENDS.search(program.text()))
    sleep = plain[0] if len(plain) == 1 else None
    loop = Loop(text, node, body, program, started, ends, paces or long, sleep)
    problem = problem_of(loop, sleeps, tested)
    return Loop(text, node, body, program, started, ends, paces or long, sleep, problem)


def problem_of(loop: Loop, sleeps: list[SgNode], tested: bool) -> str:
    """Why the loop is of no plain shape, or nothing."""
    following = loop.program.next()
    if loop.program.kind() == "pipeline":
        return "a pipe hides the program's exit status: the last command's counts"
    if following is not None and following.kind() == "&":
        return "it runs the program in the background"
    if not is_simple(loop.program):
        return "the program does not stand by itself in it"
    if not loop.paces and len(sleeps) > (loop.sleep is not None):
        return "its pause is computed, or there are several"
    if loop.ends:
        return ""
    if ENDS_BY_ITSELF.search(re.sub(r"#.*", "", loop.body.text())):
        return "it has an end of its own"
    if EXIT_ON_ERROR.search(loop.text.content.decode("utf-8", "replace")) and not tested:
        guarded = loop.program.kind() == "list"
        return "" if guarded else "set -e ends the script at the program's first failure"
    return ""


def is_simple(program: SgNode) -> bool:
    """One command, redirected or not, or one whose failure is made light of (``|| true``)."""
    if program.kind() in ("command", "redirected_statement"):
        return True
    if program.kind() != "list":
        return False
    first, *rest = program.children()
    words = [node.text() for node in rest]
    return is_simple(first) and (words in (["||", "true"], ["||", ":"]) or words[:1] == ["&&"])


def command_end(loop: Loop) -> int:
    """Where the program's own command ends, in front of ``|| true``."""
    node = loop.program
    return span(node.children()[0] if node.kind() == "list" else node)[1]
