"""Bots whose start ends with a failure while something else does not answer.

NanoClaw 1.1.6 asks for Docker before anything else (``execSync('docker info')``), throws where that
fails, and its main ends with status 1. A start limit then ends the bot for good where Docker takes
a minute to come up. What is asked, a command, a database or another server, is told by the call and
by the package that its receiver comes from; ``failing_start`` tells what follows a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.source import Source, arguments_of, callee_of, line_of, nodes_of
from modify.units.failing_start import Program
from skill.host import Host, fact

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MARK = re.compile(
    rb"\b(?:exec|execFile|spawn)Sync\(|\bpromisify\(|\bfetch\(|\baxios\b|\bgot\b"
    rb"|\.\$?(?:connect|authenticate|ping|initialize|login)\("
)
COMMANDS = ("execSync", "execFileSync", "spawnSync")
PROCESSES = ("child_process", "node:child_process")
# What promisify(exec) gives.
PROMISED = "promised"
CONNECTS = ("connect", "$connect", "authenticate", "ping", "initialize", "login")
CLIENTS = ("axios", "got", "node-fetch", "undici")
# Programs that ask nobody: one that is not there today is not there tomorrow.
ALONE = re.compile(
    r"(?:git|node|npm|npx|pnpm|yarn|bun|tsc|python[\d.]*|which|command|type|mkdir|cp|mv|rm|ls|cat"
    r"|echo|chmod|chown|uname|hostname|whoami|ffmpeg|ffprobe|kill|pkill|test|true|sh|bash)$"
)
LINKS = re.compile(r"(?i)baileys|whatsapp|venom|wppconnect|open-wa")
REQUIRED = re.compile(r"(?:await\s+)?(?:require|import)\(\s*(['\"`])([^'\"`]+)\1\s*\)")
PROMISE = re.compile(r"(?:util\.)?promisify\(\s*([\w$]+)")
MAKER = re.compile(r"(?:await\s+|new\s+)*([\w$]+)")
HOLE = re.compile(r"\$\{(\w+)\}")
LONGEST = 60


@fact
def missing_dependency(host: Host) -> str:
    """Where the bot's start ends with a failure while something else is missing, or nothing.

    As in ``src/runtime.ts:12: its start fails while `docker info` does``.
    """
    program = Program(host)
    for path in program.modules:
        if not MARK.search(host.read(path)) or (source := Source.readable(host, path)) is None:
            continue
        for call, what in questions(source):
            if program.ends_with(source, call):
                return f"{path}:{line_of(call)}: its start fails while `{what}` does"
    return ""


def questions(source: Source) -> Iterator[tuple[SgNode, str]]:
    """The calls that fail where something else does not answer, each with what it asks."""
    origins = origins_of(source)
    for call in nodes_of(source.root, "call_expression"):
        callee = callee_of(call)
        origin = origins.get(re.split(r"\W", callee, maxsplit=1)[0], "")
        last = callee.rpartition(".")[2]
        if origin == PROMISED or (origin in PROCESSES and last in COMMANDS):
            command = command_of(call, source)
            if command and not ALONE.match(command.split()[0].rpartition("/")[2]):
                yield call, command
        elif is_network(callee, last, origin):
            yield call, f"{callee}()"


def is_network(callee: str, last: str, origin: str) -> bool:
    """Whether a call waits for a server: by its own name, or as a method of a package's object."""
    if callee == "fetch":
        return origin in ("", *CLIENTS)
    if origin in CLIENTS:
        return True
    is_package = origin and not origin.startswith((".", "/", "node:")) and not LINKS.search(origin)
    return bool(is_package) and "." in callee and last in CONNECTS


def command_of(call: SgNode, source: Source) -> str:
    """The command that a call runs, with names of texts filled in; empty where it is computed."""
    given = arguments_of(call)
    if not given or given[0].kind() not in ("string", "template_string"):
        return ""
    words = [given[0].text()[1:-1]]
    if len(given) > 1 and given[1].kind() == "array":
        words += [item.text()[1:-1] for item in given[1].children() if item.kind() == "string"]

    def text_of(hole: re.Match[str]) -> str:
        named = re.compile(rf"\b{hole[1]}\b[^=\n]{{0,40}}=\s*(['\"`])([^'\"`\n]*)\1")
        found = named.search(source.text)
        return found[2] if found else hole[0]

    return " ".join(HOLE.sub(text_of, " ".join(words)).split())[:LONGEST]


def origins_of(source: Source) -> dict[str, str]:
    """The names that stand for a package, or for what a name of one has made, by the package."""
    origins: dict[str, str] = {}
    for statement in nodes_of(source.root, "import_statement"):
        module = statement.field("source")
        for name in nodes_of(statement, "identifier") if module is not None else ():
            origins[name.text()] = module.text()[1:-1] if module is not None else ""
    for declared in nodes_of(source.root, "variable_declarator"):
        pattern, value = declared.field("name"), declared.field("value")
        if pattern is None or value is None:
            continue
        origin = origin_of(value.text()[:200], origins)
        if not origin:
            continue
        kinds = ("identifier", "shorthand_property_identifier_pattern")
        for kind in kinds:
            origins.update((name.text(), origin) for name in nodes_of(pattern, kind))
    return origins


def origin_of(value: str, known: dict[str, str]) -> str:
    """The package that a value comes from: required, made by one of its names, or promised."""
    if required := REQUIRED.match(value):
        return required[2]
    if promised := PROMISE.match(value):
        return PROMISED if known.get(promised[1], "") in PROCESSES else ""
    made = MAKER.match(value)
    return known.get(made[1], "") if made else ""
