"""Programs of a host that start the bot again by themselves: a parent that forks it, ``forever``.

``child.on('exit', () => start())`` is ``Restart=always`` without a pause and without a limit, in
code. What a handler does beside that is the host's own, so it is reported with what is to be done,
and not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.functions import functions_by_call, named
from modify.kit.typescript.nodes import around, part
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    Source,
    arguments_of,
    callee_of,
    calls,
    enclosing_function,
    line_of,
    start_of,
)
from modify.rules import ids
from modify.units.bot_project import BotProject
from skill.edit import Patch
from skill.finding import Finding, Note
from skill.options import Options
from skill.package_json import texts
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

RULE = ids.WRAPPER_RESTART_ALWAYS
MARK = re.compile(rb"['\"](?:node:)?(?:cluster|child_process)['\"]")
FORKS = re.compile(r"(?:^|\.)(?:fork|spawn)$")
ENDINGS = ("exit", "close")
TIMERS = ("setTimeout", "delay", "sleep")
PROGRAM = re.compile(r"['\"`]((?:[\w.-]+/)*[\w.-]+\.[cm]?[jt]s)['\"`]")
ENDS_ON_ZERO = re.compile(
    r"(?:===?\s*0\b|!\s*\w*(?:code|status)\b)[^;{}]*\)\s*\{?[^{}]*?(?:\breturn\b|process\.exit\()",
    re.IGNORECASE,
)
FOREVER = re.compile(r"(?:^|[\s;&|])forever\s+(?!stop|list|logs)")
ACCEPT = (
    "a handler that ends the process when the status is 0, and otherwise waits longer each time, "
    "from 5 s to 300 s, before it starts the bot again"
)


def examine(path: str, project: BotProject, options: Options) -> Patch:
    """Report what one file of the host starts again whatever happened."""
    patch = Patch()
    if not options.wants(RULE) or is_among_tests(path):
        return patch
    if path.endswith("package.json"):
        patch.findings += by_forever(path, project)
    elif path.endswith(SCRIPTS) and MARK.search(project.host.read(path)):
        source = Source.readable(project.host, path)
        for found in by_parents(source, project) if source is not None else ():
            if isinstance(found, Finding):
                patch.findings.append(found)
            else:
                patch.notes.append(found)
    return patch


def by_forever(path: str, project: BotProject) -> Iterator[Finding]:
    content = project.host.read(path)
    folder = path.removesuffix("package.json").rstrip("/")
    for name, script in texts(project.package_in(folder), "scripts").items():
        if FOREVER.search(script):
            line = content.count(b"\n", 0, max(content.find(script.encode()), 0)) + 1
            message = f"forever ({name}) starts the bot again whatever its exit status is"
            reason = "forever knows no status that ends it"
            accept = "a plain node there, kept running by systemd, pm2 or Compose"
            yield Finding(path, line, 1, RULE, message, None, reason, accept)


def by_parents(source: Source, project: BotProject) -> Iterator[Finding | Note]:
    forks = [call for call in calls(source.root) if FORKS.search(callee_of(call))]
    starters = {
        function.call
        for fork in forks
        if (outer := enclosing_function(fork)) is not None
        if (function := named(outer)) is not None
    }
    children = {part(around(call, "variable_declarator"), "name").text() for call in forks}
    for listening in calls(source.root):
        receiver, _, method = callee_of(listening).rpartition(".")
        event = arguments_of(listening)[0].text()[1:-1] if arguments_of(listening) else ""
        if method not in ("on", "once") or event not in ENDINGS:
            continue
        if receiver not in children - {""} and receiver.rpartition(".")[2] != "cluster":
            continue
        handler = handler_of(source, listening)
        again = [call for call in calls(handler) if starts_again(call, starters)] if handler else []
        if handler is None or not again or not starts_the_bot(source, project):
            continue
        ends = ENDS_ON_ZERO.search(source.text[start_of(handler) : start_of(again[0])]) is not None
        if ends and all(map(waits_longer, again)):
            message = "ends on status 0 and waits longer before it starts the bot again"
            yield Note(source.path, line_of(listening), "right", message)
            continue
        message = "the parent restarts the bot even after its session was revoked"
        if ends:
            message = "the parent starts the bot again after the same short pause each time"
        reason = f"what else its handler of '{event}' does is the host's own"
        yield Finding(source.path, line_of(listening), 1, RULE, message, None, reason, ACCEPT)


def handler_of(source: Source, listening: SgNode) -> SgNode | None:
    given = arguments_of(listening)
    if len(given) < 2:
        return None
    if given[1].kind() in FUNCTION_KINDS:
        return given[1]
    function = functions_by_call(source.root).get(given[1].text())
    return function.node if function is not None else None


def starts_again(call: SgNode, starters: set[str]) -> bool:
    """Whether a call forks, or runs a function that does, at once or by a timer."""
    callee = re.sub(r"\.(?:apply|call)$", "", callee_of(call))
    if FORKS.search(callee):
        return True
    given = arguments_of(call)
    return callee in starters or (callee in TIMERS and bool(given) and given[0].text() in starters)


def waits_longer(call: SgNode) -> bool:
    """Whether a restart waits in a timer whose delay is computed."""
    for outer in (call, *call.ancestors()):
        if outer.kind() == "call_expression" and callee_of(outer) in TIMERS:
            given = arguments_of(outer)
            return len(given) > 1 and re.fullmatch(r"[\d_\s*]+", given[1].text()) is None
    return False


def starts_the_bot(source: Source, project: BotProject) -> bool:
    """Whether a file that it names opens a WhatsApp link, itself or by what it imports."""
    named_files = [project.own_file(path) for path in PROGRAM.findall(source.text)]
    return any(path is not None and project.reaches_channel(path) for path in named_files)
