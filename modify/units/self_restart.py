"""Hosts that restart themselves by a clean exit and count on being started again.

A deploy that sends SIGTERM to its own process, a ``/restart`` that ends in ``os._exit(0)``:
under ``Restart=on-failure``, or ``SuccessfulExit`` false, the bot would stay down. The
names of the functions around the exit show whether it is a restart or a shutdown. A host that
replaces itself (``os.execv``) needs no supervisor for it.

An exit status of 0 becomes 75 (``EX_TEMPFAIL``): a failure, so that the supervisor starts the
bot again as before. A signal to itself looks like a shutdown; there the unit is handed off.
Python is read here, JavaScript in ``self_restart_javascript``.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace

from modify.compiled_programs import clean_exits
from modify.effects import RestartPause, has_effect
from modify.kit.python.tree import Function, line_starts, nodes_around, positions, span
from modify.kit.python.values import PythonFile, python_file
from modify.rules import ends_clean_restarts, ids
from modify.units import self_restart_javascript as javascript
from skill.edit import Edit, Patch
from skill.finding import Finding
from skill.host import Host
from skill.source_paths import is_among_tests

MARKS = (b"exit(", b"SystemExit(", b"raise_signal(", b"os.kill")
# Calls that end the process; a comment may stand between the words of a call.
END = re.compile(
    rb"(?:(?<![A-Za-z0-9])exit|SystemExit)\(\s*0?\s*\)|raise_signal\("
    rb"|os\.kill\s*[(,](?:\s|#[^\n]*\n)*os\.getpid\(\)"
)
DEFINED = re.compile(rb"^([ \t]*)(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
RESTART = re.compile(r"(?i)re_?start|re_?deploy|deploy|self_?update|reboot|reload|relaunch")
STOPS = re.compile(r"(?i)(?:^|_)(?:stop|shutdown|shut_down|uninstall|quit|kill)(?:_|$)")
CLEAN_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
EXITS = ("os._exit", "sys.exit", "exit", "SystemExit")


STATUS = 75
WHY = b"# A failure: the service manager starts the bot again, as it would not after 0"
# Lower-case marks of lines in which a host relies on being started again.
RELIES_ON = (b"keepalive", b"successfulexit")
RELIES = re.compile(
    rb"unconditional.{0,60}keepalive|keepalive.{0,60}unconditional"
    rb"|assert[ \t]+['\"]successfulexit['\"][ \t]+not[ \t]+in\b"
)
TESTS_FOLLOW = ids.FAULT_ASSERTING_TEST


@dataclass(frozen=True)
class SelfRestart:
    """Where a host ends itself to be started again. how: ``sends itself SIGTERM``.

    function: ``restart()``, or ``the handler of '/restart'``.
    edits: turn the exit into a failure; empty where that is not possible, for the reason why.
    """

    path: str
    line: int
    column: int
    function: str
    how: str
    edits: tuple[Edit, ...]
    why: str = ""

    @property
    def reason(self) -> str:
        return (
            f"{self.path}:{self.line}: {self.function} {self.how} to be started again and "
            f"would stay down{self.why}"
        )

    def finding(self, rule: str) -> Finding:
        message = f"{self.function} {self.how} to be started again"
        if not self.edits:
            reason = f"the added service does not start it again{self.why}"
            accept = "a restart that ends with a status other than 0"
            place = (self.path, self.line, self.column)
            return Finding(*place, rule, message, reason=reason, accept=accept)
        fix = f"exit status {STATUS}: started again under on-failure, too"
        return Finding(self.path, self.line, self.column, rule, message, fix)

    def edits_for(self, rule: str) -> list[Edit]:
        return [replace(edit, rule=rule) for edit in self.edits]


def self_restarts(host: Host) -> list[SelfRestart]:
    """The places where the host restarts itself by a clean exit."""
    found: list[SelfRestart] = []
    for file in host.with_suffix(".py"):
        if is_among_tests(file.path):
            continue
        content = host.read(file.path)
        if may_restart(content):
            read = python_file(host, file.path)
            if read is not None:
                found += [tested(host, item) for item in restarts(read)]
    return found


def may_restart(content: bytes) -> bool:
    """Cheap, before anything is parsed: an end in a function that is called a restart."""
    marks = [place for mark in MARKS for place in positions(content, mark)]
    ends = [place for place in marks if END.match(content, place)]
    functions = list(DEFINED.finditer(content)) if ends else []
    for end in ends:
        depth = 1 << 30
        for function in reversed(functions[: bisect(functions, end, key=re.Match.start)]):
            if len(function[1]) < depth:
                depth = len(function[1])
                if RESTART.search(function[2].decode("utf-8", "replace")):
                    return True
            if depth == 0:
                break
    return False


def restarts(file: PythonFile) -> Iterator[SelfRestart]:
    content = file.host.read(file.path)
    for node in nodes_around(file.tree, content, *MARKS):
        if not isinstance(node, ast.Call) or not (how := clean_end(node)):
            continue
        around = [f for f in file.functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
        meant = [f for f in around if RESTART.search(f.name) and not STOPS.search(f.name)]
        if not meant or is_replaced(around[-1], node.lineno):
            continue
        edits = failing(content, node) if how.startswith("ends") else ()
        column = node.col_offset + 1
        yield SelfRestart(file.path, node.lineno, column, f"{meant[0].name}()", how, edits)


def failing(content: bytes, node: ast.Call) -> tuple[Edit, ...]:
    """Edits that change the exit status and add a comment above that gives the reason."""
    lines = line_starts(content)
    start, end = span(node, lines)
    line = lines[node.lineno - 1]
    indent = content[line:start][: len(content[line:start]) - len(content[line:start].lstrip())]
    line_end = b"\r\n" if content[: lines[1]].endswith(b"\r\n") else b"\n"
    why = indent + WHY + line_end
    called = ast.unparse(node.func).encode() + b"(%d)" % STATUS
    return Edit(line, line, why), Edit(start, end, called)


def tested(host: Host, found: SelfRestart) -> SelfRestart:
    """The same, without an edit where the host's tests may claim the exit status."""
    name = found.function.removesuffix("()").encode()
    for file in host.with_suffix(".py"):
        if is_among_tests(file.path) and found.edits:
            content = host.read(file.path)
            if name in content and b"exit" in content.lower():
                return replace(found, edits=(), why=f"; {file.path} tests it")
    return found


def in_javascript(host: Host, patch: Patch) -> Iterator[SelfRestart]:
    """The same of TypeScript and JavaScript files."""
    for end in javascript.ends(host, patch):
        content = host.read(end.path)
        changes = end.plain and end.how.startswith("ends")
        edits = javascript.failing(content, end.node) if changes else ()
        taken = patch.edits.get(end.path, [])
        why = ""
        if any(one.start < other.end and other.start < one.end for one in edits for other in taken):
            edits, why = (), "; its file is changed there"
        elif edits and (test := javascript.tested(host, end)):
            edits, why = (), f"; {test} tests it"
        place = end.node.range().start
        yield SelfRestart(
            end.path, place.line + 1, place.column + 1, end.label, end.how, edits, why
        )


def clean_end(node: ast.Call) -> str:
    """How a call ends its own process cleanly, if it does."""
    name = ast.unparse(node.func)
    words = [name, *(ast.unparse(item) for item in node.args)]
    if name in EXITS:
        return "ends with exit status 0" if words[1:] in ([], ["0"]) else ""
    signals = [word for word in words if word.rpartition(".")[2] in CLEAN_SIGNALS]
    own = "os.kill" in words and "os.getpid()" in words
    if signals and (own or name.endswith("raise_signal")):
        return f"sends itself {signals[0].rpartition('.')[2]}"
    return ""


def is_replaced(function: Function, line: int) -> bool:
    """Whether ``os.exec…`` has taken the process over by then, whatever came before."""
    return any(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func).startswith("os.exec")
        and statement.lineno < line
        for statement in function.body
    )


def settle(host: Host, patch: Patch) -> Patch:
    """The same patch, in which no restart of the host's own ends the bot for good."""
    ending = ends_clean_restarts()
    flips = {f.rule for f in patch.findings if f.rule in ending and not f.is_hand_off}
    added = {rule for addition in patch.additions.values() for rule in addition.rules}
    is_added = any(rule.startswith("add-service-") for rule in added)
    if not flips and not is_added:
        return patch
    if ids.LAUNCHD_KEEP_ALIVE in flips and (said := reliance(host)):
        patch = held_back(patch, said, (ids.LAUNCHD_KEEP_ALIVE,))
    found = [*self_restarts(host), *in_javascript(host, patch), *in_compiled(host)]
    rule = next((rule for rule in ending if rule in flips), ending[0])
    stuck = [item for item in found if not item.edits]
    if stuck and flips:
        also = "".join(f", {item.path}:{item.line}" for item in stuck[1:4])
        more = f"; the same in{also[1:]}" if also else ""
        patch = held_back(patch, stuck[0].reason + more)
    if stuck and is_added:
        patch.findings += [item.finding(rule) for item in stuck]
    for item in found if not stuck else ():
        patch.add_edits(item.path, item.edits_for(rule))
        patch.findings.append(item.finding(rule))
    return patch


def in_compiled(host: Host) -> Iterator[SelfRestart]:
    """Exits with status 0 of a program in Go or Rust: whether they are restarts is not known."""
    for path, line in clean_exits(host):
        yield SelfRestart(path, line, 1, "the program", "ends with exit status 0, perhaps", ())


def reliance(host: Host) -> str:
    """The place where the host relies on launchd to start it after any exit, with why; else ""."""
    for file in host.with_suffix(".py"):
        content = host.read(file.path)
        if b"KeepAlive" not in content:
            continue
        lower = content.lower()
        for place in sorted(place for word in RELIES_ON for place in positions(lower, word)):
            start, end = lower.rfind(b"\n", 0, place) + 1, lower.find(b"\n", place)
            if RELIES.search(lower, start, end if end > 0 else len(lower)):
                line = lower.count(b"\n", 0, start) + 1
                why = "the host counts on being started after a clean exit, too"
                return f"{file.path}:{line}: {why}"
    return ""


def held_back(patch: Patch, reason: str, rules: tuple[str, ...] = ()) -> Patch:
    """Drop edits that stop restarts after exit 0; keep the limits on crash loops.

    rules: those whose edits go; with none given, all that end restarts after a clean exit.
    """
    taken_back = rules or (*ends_clean_restarts(), TESTS_FOLLOW)
    rules = rules or ends_clean_restarts()
    accept = "a restart that ends with a status other than 0, and this setting changed by hand"
    kept = Patch(notes=patch.notes, additions=patch.additions)
    for path, edits in patch.edits.items():
        left = [
            edit for edit in edits if edit.rule not in taken_back or has_effect(edit, RestartPause)
        ]
        if left:
            kept.edits[path] = left
    for finding in patch.findings:
        if finding.rule in rules and not finding.is_hand_off:
            finding = replace(finding, fix=None, reason=reason, accept=accept)
        if finding.rule not in taken_back or finding.rule in rules:
            kept.findings.append(finding)
    return kept
