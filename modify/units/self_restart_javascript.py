"""JavaScript hosts that restart themselves by a clean exit and count on being started again.

A ``/restart`` command that ends in ``process.exit(0)``, a panel that says "will restart": the
names around it (function, route, command, file), or the text that the code prints just before,
tell it from a shutdown. Names and a comment right above are plain: the status becomes a failure.
Mere words are not: the unit keeps its setting, and a finding gives the place. So is an end
that is a fault, or passes no status on: an uncaught error, a child that ended.

Shutdowns (a signal's handler) and the end of a session (its handler asks for the reason) do
not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from modify.kit.typescript.javascript import parse
from modify.kit.typescript.source import FUNCTION_KINDS, arguments_of, span, within
from modify.units.bot_project import BotProject
from skill.edit import Edit, Patch
from skill.host import Host
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

STATUS = 75
WHY = b"// A failure: the service manager starts the bot again, as it would not after 0"
MARK = re.compile(rb"\bexit\(\s*0?\s*\)|process\.kill\(\s*process\.pid|process\.emit\(\s*['\"`]SIG")
PROCESS = re.compile(rb"\{[^}]*\bexit\b[^}]*\}\s*(=|from)\s*[^\n]*\bprocess\b")
# restartBot, do_restart, hardRestart; not beforeStart, ensureStarted.
RESTART = re.compile(
    r"(?<![A-Za-z])re[_-]?start|Re-?[sS]tart|RE[_-]?START|auto[_-]?restart"
    r"|(?i:re_?deploy|(self|auto)[_-]?update|reboot|relaunch|reinici)"
)
STOPS = re.compile(r"(?i)stop|shut_?-?down|quit|terminate|clean_?up|destroy|uninstall|log_?out")
# Phrases for a restart, in the languages of real bots; not what people are asked to do.
SAYS = re.compile(
    r"(?i)\brestart(s|ing)?\b|\breboot(s|ing)?\b|\brelaunch|reinici(o|a|ando)\b|riavvi|merestart"
    r"|memulai ulang|mulai ulang|neustart"
)
ADVICE = re.compile(
    r"(?i)please|manually|\byou(r)?\b|must|should|need|then|again|and restart|to restart|scan"
    r"|por favor"
)
COMMENT = re.compile(r"(?i)^[/*\s]*(now |then |force )?(restart|reboot|relaunch|reinici)")
ASIDE = re.compile(r"(^|/)(scripts?|tools?|migrations?|examples?|docs?|\.claude|tmp)/")
SESSION = re.compile(r"lastDisconnect|DisconnectReason|connection\.update|loggedOut")
OVER = re.compile(
    r"(?i)logged_?out|\b4(0[136]|11|40)\b|badSession|unauthori[sz]ed|forbidden|banned|replaced"
    r"|mismatch|\bqr\b|['\"`]open['\"`]"
)
FAULTS = ("uncaughtException", "unhandledRejection")
# Notes on files whose close branch ends the process only where no attempt is to follow.
SETTLED = ("rewritten", "right", "not-a-daemon")


@dataclass(frozen=True)
class End:
    """A call that ends its own process cleanly, and why that is a restart.

    label: ``restart()``, ``the handler of '/restart'``. plain: whether its names show it.
    """

    path: str
    node: SgNode
    label: str
    how: str
    plain: bool


@dataclass
class Around:
    """The surroundings of a call: names of functions, routes, commands; handlers; conditions."""

    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    handlers: list[tuple[str, str]] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    functions: list[SgNode] = field(default_factory=list)


def ends(host: Host, patch: Patch) -> Iterator[End]:
    """The restarts by a clean exit.

    patch: a channel that it holds, or hands off, keeps its own ends; those of others are mended.
    """
    forks = Forks(host)
    settled = {note.path for note in patch.notes if note.kind in SETTLED}
    for file in host.with_suffix(*SCRIPTS):
        path = file.path
        content = host.read(path)
        if is_among_tests(path) or not MARK.search(content):
            continue
        if ASIDE.search(path) and not is_imported(host, path):
            continue
        bare = PROCESS.search(content) is not None
        for node in parse(content, path).find_all(kind="call_expression"):
            how = clean_end(node, bare)
            found = restart(path, node, how, path not in settled) if how else None
            if found is not None and (path in forks.parents or forks.pass_it_on):
                yield found if not forks.parents else End(**{**vars(found), "plain": False})


def is_imported(host: Host, path: str) -> bool:
    project = BotProject(host)
    files = (file.path for file in host.with_suffix(*SCRIPTS))
    return any(path in project.imports_of(other) for other in files if other != path)


class Forks:
    """Whether the bot is a child of a process of the host's, and what becomes of its status."""

    CALL = re.compile(rb"\bfork\(")
    IMPORT = re.compile(rb"['\"`](?:node:)?(?:cluster|child_process)['\"`]")
    EXITS = re.compile(
        rb"\.(?:on|once)\(\s*['\"`]exit['\"`](?:(?!\.(?:on|once)\().){0,900}?process\.exit\(",
        re.DOTALL,
    )

    def __init__(self, host: Host) -> None:
        files = [f.path for f in host.with_suffix(*SCRIPTS) if not is_among_tests(f.path)]
        contents = {path: host.read(path) for path in files}
        self.parents = {
            path
            for path, content in contents.items()
            if self.CALL.search(content) and self.IMPORT.search(content)
        }
        exits = any(self.EXITS.search(contents[path]) for path in self.parents)
        self.pass_it_on = not self.parents or exits


def clean_end(node: SgNode, bare: bool) -> str:
    """How a call ends its own process cleanly, if it does."""
    text = re.sub(r"\s+", "", node.text())
    if text in ("process.exit(0)", "process.exit()") or (bare and text in ("exit(0)", "exit()")):
        return "ends with exit status 0"
    signal = re.fullmatch(
        r"process\.(?:kill\(process\.pid(?:,['\"`](\w+)['\"`])?|emit\(['\"`](SIG\w+)['\"`].*)\)",
        text,
    )
    if signal is None:
        return ""
    name = signal[1] or signal[2] or "SIGTERM"
    return f"sends itself {name}" if name in ("SIGTERM", "SIGINT", "SIGHUP") else ""


def restart(path: str, node: SgNode, how: str, left: bool) -> End | None:
    """The End of a clean exit, if it is a restart. left: the file's channel is not rewritten."""
    around = look_around(node)
    for callee, event in around.handlers:
        if callee in ("process.on", "process.once"):
            if event in FAULTS:
                return End(path, node, f"the handler of '{event}'", how, True)
            return None
        if event.startswith("SIG"):
            return None
        if event == "exit":
            if any(re.search(r"===?\s*0\b", condition) for condition in around.conditions):
                return None
            label = "the handler of a child's 'exit'"
            return End(path, node, label, f"{how}, whatever the child's was,", False)
    if any(STOPS.search(name) and not RESTART.search(name) for name in around.names):
        return None
    named = next((i for i, name in enumerate(around.names) if is_restart(name)), None)
    if named is not None:
        return End(path, node, around.labels[named], how, not says_advice(around))
    if around.functions and RESTART.search(PurePosixPath(path).stem):
        return End(path, node, path, how, True)
    if any(SESSION.search(function.text()[:20_000]) for function in around.functions[:2]):
        if not left or any(OVER.search(condition) for condition in around.conditions):
            return None
        if not any(event == "connection.update" for _, event in around.handlers):
            return None
        return End(path, node, "the handler of a closed connection", how, False)
    said = what_is_said(node, around)
    label = around.labels[0] if around.labels else path
    return End(path, node, label, how, said == "above") if said else None


def is_restart(name: str) -> bool:
    return RESTART.search(name) is not None and not STOPS.search(name)


def says_advice(around: Around) -> bool:
    """Whether the function asks for the reason of a closed connection, too."""
    return any("lastDisconnect" in function.text() for function in around.functions[:1])


def look_around(node: SgNode) -> Around:
    found = Around()
    inner = node
    for outer in node.ancestors():
        kind = outer.kind()
        if kind in FUNCTION_KINDS:
            found.functions.append(outer)
            name = outer.field("name") or name_given(outer)
            if name is not None:
                found.names.append(name.text().strip("'\"#"))
                found.labels.append(f"{found.names[-1]}()")
        elif kind == "call_expression" and inner.kind() == "arguments":
            look_at_call(outer, found)
        elif kind == "if_statement":
            condition, other = outer.field("condition"), outer.field("alternative")
            if condition is not None and (other is None or not within(node, other)):
                look_at_condition(condition.text(), found)
        elif kind == "switch_case":
            value = outer.field("value")
            look_at_condition("" if value is None else value.text(), found)
        inner = outer
    return found


def look_at_call(call: SgNode, found: Around) -> None:
    """``app.post('/restart', …)``, ``bot.command('restart', …)``, ``process.on('SIGTERM', …)``."""
    callee, given = call.field("function"), arguments_of(call)
    if callee is None or not given or given[0].kind() not in ("string", "template_string"):
        return
    word = given[0].text()[1:-1]
    if re.search(r"\.(on|once|addListener)$", callee.text()):
        found.handlers.append((re.sub(r"\s+", "", callee.text()), word))
    elif not re.search(r"(?i)log|print|write|send|reply|error|warn|info", callee.text()):
        found.names.append(word)
        found.labels.append(f"the handler of '{word[:60]}'")


def look_at_condition(text: str, found: Around) -> None:
    found.conditions.append(text)
    words = re.findall(r"['\"`/^.!(|]+([\w-]*(?i:restart|reboot|reinici)[\w-]*)", text)
    if (
        words
        and not SESSION.search(text)
        and not re.search(r"(?i)restartRequired|!==?|\b515\b", text)
    ):
        found.names.append(words[0])
        found.labels.append(f"the handler of '{words[0]}'")


def name_given(function: SgNode) -> SgNode | None:
    """``const restart = …``, ``restart: …``, ``commands.restart = …``."""
    parent = function.parent()
    if parent is None:
        return None
    key = {"variable_declarator": "name", "pair": "key", "assignment_expression": "left"}
    name = parent.field(key[parent.kind()]) if parent.kind() in key else None
    return name.field("property") or name if name is not None else None


def what_is_said(node: SgNode, around: Around) -> str:
    """above: in a comment right above the end. before: in a text or comment before it."""
    place = span(node)[0]
    for function in around.functions[:2]:
        said = [
            (span(one)[1], one)
            for kind in ("comment", "string", "template_string")
            for one in function.find_all(kind=kind)
            if span(one)[1] <= place
        ]
        for end, one in sorted(said, key=lambda each: -each[0]):
            text = one.text()
            if one.kind() == "comment" and COMMENT.search(text) and is_right_above(node, one, end):
                return "above"
            if SAYS.search(text) and not ADVICE.search(text):
                return "before"
    return ""


def is_right_above(node: SgNode, comment: SgNode, end: int) -> bool:
    """Whether a comment belongs to the statement that ends the process, or waits to end it."""
    for outer in (node, *node.ancestors()):
        if outer.kind() == "expression_statement":
            before = outer.prev()
            if before is not None and before.kind() == "comment" and span(before)[1] == end:
                return True
            if not re.match(r"setTimeout\(|setImmediate\(|process\.", outer.text()):
                return False
    return False


def failing(content: bytes, node: SgNode) -> tuple[Edit, ...]:
    """Edits for another exit status with a comment that gives the reason; () in a template."""
    if any(outer.kind() == "template_string" for outer in node.ancestors()):
        return ()
    start, end = span(node)
    line = content.rfind(b"\n", 0, start) + 1
    indent = re.match(rb"[ \t]*", content[line:start])
    line_end = b"\r\n" if content[:line].endswith(b"\r\n") else b"\n"
    why = (indent[0] if indent else b"") + WHY + line_end
    callee = content[start : content.index(b"(", start)]
    return Edit(line, line, why), Edit(start, end, callee + b"(%d)" % STATUS)


def tested(host: Host, end: End) -> str:
    """A test of the host that may claim the exit status, or nothing."""
    word = re.sub(r"^the handler of |[()']", "", end.label).encode()
    for file in host.with_suffix(*SCRIPTS):
        if is_among_tests(file.path):
            content = host.read(file.path)
            if word in content and b"exit" in content:
                return file.path
    return ""
