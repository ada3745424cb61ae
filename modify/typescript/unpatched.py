"""Files that dial WhatsApp and are in no channel that is patched, judged or left for a reason.

Nothing is ever silent about a bot that dials: a call that makes a socket and is not patched, a
library that dials, a host that depends on Baileys while no source of it visibly dials (it is
obfuscated, a link out of the host, too large to be read). Each is a finding with what was seen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from modify.typescript.boot import resolve_import
from modify.typescript.channel import EVENT, Channel
from modify.typescript.daemon import LISTENS, why_not_a_daemon
from modify.typescript.dials import MARK, Dials, dials_of, maker_in
from modify.typescript.functions import named_functions
from modify.typescript.packages import BAILEYS, Packages, library_of
from modify.typescript.source import (
    SUFFIXES,
    Source,
    arguments_of,
    callee_of,
    calls,
    column_of,
    line_of,
    name_nodes,
    within,
)
from skill.edit import Patch
from skill.errors import UnreadableSource
from skill.finding import Finding, Note
from skill.host import LARGEST_SOURCE, Host
from skill.options import Options

if TYPE_CHECKING:
    from ast_grep_py import SgNode

RULE = "ungated-connect"
ACCEPT = "a connect function that awaits reconnect.turn() before it makes the socket"
LEFT_OUT = "--ignore ungated-connect, once its attempts are bounded by other means"
# Not the bot, unless something of the bot imports or starts it.
ASIDE = re.compile(
    r"(^|/)(examples?|samples?|demos?|docs?|fixtures|__\w+__|mocks?|tests?|testing|e2e|specs?"
    r"|bench(marks)?|\.claude)/",
    re.IGNORECASE,
)
TEST = re.compile(r"\.(test|spec|e2e|stories)\.\w+$|\.d\.[cm]?ts$")
SKILL_COPY = re.compile(r"(^|/)\.claude/skills/[^/]+/(add|modify)/")
IMPORT = re.compile(rb"(?:from|import|require\(|import\()\s*['\"`](\.{1,2}(?:/[^'\"`\n]*)?)['\"`]")
PASSES_ON = re.compile(rb"\bexport\s*(\*|\{)[^;]*?\bfrom\b")
ENDS = re.compile(r"\bprocess\.exit\(|\.(end|logout)\(")
OUR_OWN = (b"class Reconnect ", b"Reconnect {")
OBFUSCATED = re.compile(rb"while\s*\(!!\[\]\)|\b_0x[0-9a-f]{4,}\b.{0,400}\b_0x[0-9a-f]{4,}\b", re.S)
ESCAPES = re.compile(rb"(?:\\x[0-9a-fA-F]{2}){3,}")
WHATSMEOW = re.compile(rb"^(?:require)?\s*(go\.mau\.fi/whatsmeow)\s+v(?![^\n]*// indirect)", re.M)
HANDED = re.compile(rb"(?<!typeof )\bmake(?:WA|WALegacy)Socket\b")
CLOSE = re.compile(rb"['\"`]close['\"`]")
PLACED = re.compile(r"\.ev\.(on|once|addListener)$")
NOT_PLACED = re.compile(r"\bev\.\w+$|\.emit$|off$|remove\w*$", re.IGNORECASE)
LIKELY = re.compile(r"client|conn|whats|baileys|socket|bot|index|main", re.IGNORECASE)
NAMED = re.compile(r"whats-?app|baileys|(^|[-_.])wa([-_.]|$)", re.IGNORECASE)


def examine(host: Host, options: Options, channels: list[Channel], patch: Patch) -> None:
    """Add a finding for whatever dials and is in none of the channels."""
    if options.wants(RULE):
        Search(host, options, channels, patch).add()


@dataclass
class Search:
    """channels: what the rules have looked at already; patch: what they said."""

    host: Host
    options: Options
    channels: list[Channel]
    patch: Patch
    pairing: set[str] = field(default_factory=set)
    visible: set[str] = field(default_factory=set)

    def add(self) -> None:
        for channel in self.channels:
            ends = not channel.is_gated and why_not_a_daemon(channel) is not None
            (self.pairing if ends else self.visible).add(channel.source.path)
        said = {finding.path for finding in self.patch.findings if finding.rule == RULE}
        self.visible |= said
        read = {channel.source.path for channel in self.channels}
        for path in sorted(self.dialling):
            if path in read or path not in said:  # a listener without a channel is said already
                self.look_at(path)
        for finding in (*self.libraries(), *self.in_go()):
            self.visible.add(finding.path)
            self.patch.findings.append(finding)
        for folder in self.packages.folders:
            self.patch.findings += self.unseen(folder)

    # -- the files

    @cached_property
    def packages(self) -> Packages:
        return Packages(self.host)

    @cached_property
    def files(self) -> list[str]:
        """The host's own sources: no tests, no pages, nothing that skillgen added."""
        return [
            file.path
            for file in self.host.with_suffix(*SUFFIXES)
            if self.is_own(file.path) and not any(m in self.host.read(file.path) for m in OUR_OWN)
        ]

    def is_own(self, path: str) -> bool:
        if SKILL_COPY.search(path):
            return not TEST.search(path)
        if TEST.search(path) or self.options.only_skill_assets:
            return False
        return not ASIDE.search(path) or self.is_live(path)

    def is_live(self, path: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether package.json starts a file, or something of the bot imports it."""
        if path in self.started:
            return True
        return any(
            not (ASIDE.search(other) or TEST.search(other)) or self.is_live(other, seen | {path})
            for other in self.importers.get(path, ())
            if other not in seen
        )

    @cached_property
    def started(self) -> frozenset[str]:
        from skill.package_json import package_at, texts

        named = []
        for folder in self.packages.folders:
            package = package_at(self.host, folder)
            scripts = texts(package, "scripts")
            words = [
                word for name in ("start", "dev", "serve") for word in scripts.get(name, "").split()
            ]
            main = package.get("main")
            words += [main] if isinstance(main, str) else []
            named += [posixpath.normpath(posixpath.join(folder, word)) for word in words]
        return frozenset(named)

    @cached_property
    def importers(self) -> dict[str, set[str]]:
        """The files that import a file, by its path."""
        found: dict[str, set[str]] = {}
        for file in self.host.with_suffix(*SUFFIXES):
            for module in IMPORT.findall(self.host.read(file.path)):
                target = resolve_import(self.host, file.path, module.decode("utf-8", "replace"))
                if target is not None:
                    found.setdefault(target, set()).add(file.path)
        return found

    def source(self, path: str) -> Source | None:
        try:
            return Source.read(self.host, path)
        except UnreadableSource as error:
            if b"WASocket(" in self.host.read(path):
                self.patch.findings.append(unread(error))
                self.visible.add(path)
            return None

    # -- calls that dial

    @cached_property
    def direct(self) -> dict[str, Dials]:
        """The dials of the files that make a socket themselves."""
        found = {}
        aliases = self.packages.aliases
        for path in self.files:
            content = self.host.read(path)
            if not MARK.search(content) and not any(name.encode() in content for name in aliases):
                continue
            source = self.source(path)
            dials = dials_of(source, aliases) if source is not None else Dials()
            if dials.every:
                found[path] = dials
        return found

    @cached_property
    def dialling(self) -> dict[str, list[SgNode]]:
        """The calls that dial, by file: where a socket is made and kept, whoever makes it.

        A function that makes a socket and hands it out dials where it is called.
        """
        found = {path: list(dials.calls) for path, dials in self.direct.items() if dials.calls}
        for path, dials in self.direct.items():
            is_channels = any(self.is_covered(path, call) for call in dials.factories.values())
            if is_channels:
                continue  # it is paced in there, whoever calls it
            users = self.users(path) if dials.factories else set()
            dialled = any(
                self.calls_by_name(other, dials) for other in self.direct if other != path
            )
            for user in sorted(filter(self.is_own, users)):
                handed = self.uses(user, path)
                found.setdefault(user, []).extend(handed)
                dialled = dialled or bool(handed) or user in self.direct
            seen = any(channel.source.path in users for channel in self.channels)
            if dials.factories and not dialled and not seen:
                found.setdefault(path, []).extend(dials.factories.values())
        return {path: dials for path, dials in found.items() if dials}

    def users(self, path: str) -> set[str]:
        """The files that import a file, also through one that only passes its names on."""
        found: set[str] = set()
        waiting = [path]
        while waiting:
            for user in self.importers.get(waiting.pop(), set()) - found:
                found.add(user)
                if PASSES_ON.search(self.host.read(user)):
                    waiting.append(user)
        return found

    def calls_by_name(self, other: str, made: Dials) -> bool:
        """Whether a file dials with what another one makes; paths may have been renamed."""
        callees = (callee_of(call).rpartition(".")[2] for call in self.direct[other].every)
        return any(callee in made.factories for callee in callees)

    def uses(self, user: str, factory: str) -> list[SgNode]:
        """The calls in one file of the factories of another."""
        source = self.source(user)
        names = set(self.direct[factory].factories)
        if source is None or not any(name in source.text for name in names):
            return []
        mine = self.direct.get(user, Dials())
        every = [c for c in calls(source.root) if callee_of(c).rpartition(".")[2] in names]
        return [call for call in every if call not in mine.every]

    def look_at(self, path: str) -> None:
        source = self.source(path)
        open_calls = [call for call in self.dialling[path] if not self.is_covered(path, call)]
        if source is None or not open_calls:
            return
        first = min(open_calls, key=line_of)
        if self.ends_by_itself(source):
            message = "makes one connection and never dials again"
            self.patch.notes.append(Note(path, line_of(first), "not-a-daemon", message))
            self.pairing.add(path)
            return
        self.visible.add(path)
        lines = sorted({line_of(call) for call in open_calls})
        at = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
        name = maker_in(callee_of(first))
        self.patch.findings.append(
            Finding(
                path,
                line_of(first),
                column_of(first),
                RULE,
                f"this file dials WhatsApp ({name} at {at}) and is not patched",
                reason=self.why(source),
                accept=ACCEPT,
            )
        )

    def is_covered(self, path: str, call: SgNode) -> bool:
        for channel in self.channels:
            if channel.source.path != path:
                continue
            if within(call, channel.connect.node) or callee_of(call) == channel.connect.call:
                return True
        source = self.source(path)
        around = [] if source is None else named_functions(source.root)
        return any(within(call, f.node) and ".turn()" in f.node.text() for f in around)

    def ends_by_itself(self, source: Source) -> bool:
        """A script that pairs or sends, and exits: nothing of the bot imports or starts it."""
        if LISTENS.search(source.text) or not ENDS.search(source.text):
            return False
        if EVENT in source.text and re.search(r"['\"`]close['\"`]", source.text):
            return False
        return source.path not in self.started and not self.importers.get(source.path)

    def why(self, source: Source) -> str:
        """What kept the file from being patched, as far as it can be seen."""
        for call in calls(source.root):
            callee = callee_of(call)
            if is_event(arguments_of(call)) and not NOT_PLACED.search(callee):
                return f"its listener is placed by {callee}() (line {line_of(call)})"
        if EVENT in source.text:
            return "no function around its listener also makes the socket"
        for call in calls(source.root):
            given = arguments_of(call)
            if PLACED.search(callee_of(call)) and given and not is_text(given[0]):
                return f"its listeners come from a table (line {line_of(call)}){self.listener()}"
        return f"no listener for connection updates is placed in it{self.listener()}"

    def listener(self) -> str:
        """Where else closed connections are spoken of."""
        for path in self.files:
            content = self.host.read(path)
            if EVENT.encode() in content and CLOSE.search(content) and path not in self.dialling:
                return f"; connection updates are handled in {path}"
        return ""

    # -- libraries that dial

    def libraries(self) -> Iterator[Finding]:
        """One finding for each library that dials, at the file that uses it."""
        uses: dict[tuple[str, str], tuple[bool, str, int]] = {}
        for path in self.files:
            for used, line, is_made in self.used_libraries(path):
                known = uses.get(used)
                if known is None or (is_made and not known[0]):
                    uses[used] = is_made, path, line
        for (library, dials_with), (_, path, line) in uses.items():
            yield Finding(
                path,
                line,
                1,
                RULE,
                f"{library} dials WhatsApp (imported at line {line}) and is not patched",
                reason=f"the dial lies in the package, which makes it with {dials_with}",
                accept=LEFT_OUT,
            )

    def used_libraries(self, path: str) -> Iterator[tuple[tuple[str, str], int, bool]]:
        content = self.host.read(path)
        modules = {m.decode("utf-8", "replace") for m in MODULE.findall(content)}
        known = {module: found for module in modules if (found := self.library(module))}
        source = self.source(path) if known else None
        for node, module, names in imported(source) if source is not None else ():
            if module in known and (made := self.use_of(source, names)):
                yield known[module], line_of(node), made == "made"

    def library(self, module: str) -> tuple[str, str] | None:
        if module in self.packages.names:
            return None
        found = library_of(module)
        if found is None and not self.visible and module in self.packages.locked:
            found = module, BAILEYS
        return found if found is not None and self.packages.is_installed(found[0]) else None

    def use_of(self, source: Source | None, names: set[str]) -> str:
        """made: something is made of it. used: as a value. Nothing: as a type."""
        nodes = [n for name in names for n in (source.names.get(name, []) if source else [])]
        kind = ""
        for node in nodes:
            if node.kind() not in ("identifier", "shorthand_property_identifier"):
                continue
            around = {outer.kind() for outer in list(node.ancestors())[:2]}
            if around & {"import_specifier", "import_clause", "namespace_import"}:
                continue
            parent = node.parent()
            if parent is not None and parent.kind() in ("new_expression", "call_expression"):
                return "made"
            kind = "used"
        return kind

    def in_go(self) -> Iterator[Finding]:
        """A program in Go that dials through whatsmeow, which no codemod reads."""
        for path in sorted(self.host.files):
            if posixpath.basename(path) != "go.mod" or ASIDE.search(path):
                continue
            found = WHATSMEOW.search(self.host.read(path))
            if found is None or self.options.only_skill_assets:
                continue
            line = self.host.read(path).count(b"\n", 0, found.start(1)) + 1
            message = "whatsmeow dials WhatsApp from Go and is not patched"
            reason = "programs in Go are not read"
            yield Finding(path, line, 1, RULE, message, reason=reason, accept=LEFT_OUT)

    # -- hosts in which nothing visibly dials

    def unseen(self, folder: str) -> Iterator[Finding]:
        """A package that depends on Baileys while nothing below it visibly dials."""
        name = self.packages.baileys(folder)
        if name is None or self.options.only_skill_assets or ASIDE.search(folder + "/"):
            return
        if any(is_below(path, folder) for path in self.visible):
            return
        reason = self.hidden(folder)
        if reason is None:
            if folder or any(is_below(path, folder) for path in self.pairing):
                return
            reason = "no call in a source of this host makes a socket"
        path = posixpath.join(folder, "package.json")
        yield Finding(
            path,
            self.packages.line(folder, name),
            1,
            RULE,
            f"depends on {name}, and no source here visibly dials: the bot is not patched",
            reason=reason,
            accept=f"a source that visibly dials; else {LEFT_OUT}",
        )

    def hidden(self, folder: str) -> str | None:
        """Where the dial of a package may be hidden."""
        links = [path for path in self.host.links if is_below(path, folder) and is_code(path)]
        if links:
            return f"{listed(links)} leads out of the host and is not followed"
        large = [
            file.path
            for file in self.host.files.values()
            if file.size > LARGEST_SOURCE
            and file.path.endswith(SUFFIXES)
            and is_below(file.path, folder)
            and b"WASocket" in self.host.read(file.path)
        ]
        if large:
            return f"{listed(large)} is larger than a source that is read"
        own = [path for path in self.files if self.packages.of(path) == folder]
        obfuscated = [path for path in own if is_obfuscated(self.host.read(path))]
        if obfuscated:
            likely = sorted(obfuscated, key=lambda path: (not LIKELY.search(path), path))
            return f"{listed(likely)} {'is' if len(likely) == 1 else 'are'} obfuscated"
        for path in own:
            if path not in self.direct and HANDED.search(self.host.read(path)):
                return f"{path} hands makeWASocket on, and no call of it was found"
        return None


MODULE = re.compile(
    rb"(?:from|import|require\(|import\()\s*['\"`]((?:@[\w.-]+/)?\w[^'\"`\n]*)['\"`]"
)
REQUIRED = re.compile(r"\b(?:require|import)\(\s*(['\"`])([^'\"`]+)\1")


def imported(source: Source) -> Iterator[tuple[SgNode, str, set[str]]]:
    """(the statement, the module, the names it brings) of each import that is no type's."""
    for statement in source.root.find_all(kind="import_statement"):
        module = statement.field("source")
        if module is None or re.match(r"import\s+type\b", statement.text()):
            continue
        names = set()
        for clause in statement.find_all(kind="import_clause"):
            names |= {
                node.text()
                for node in name_nodes(clause)
                if not any(outer.text().startswith("type ") for outer in node.ancestors())
            }
        yield statement, module.text()[1:-1], names
    for declarator in source.root.find_all(kind="variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        found = REQUIRED.search(value.text()) if value is not None else None
        if name is not None and found:
            yield declarator, found[2], {node.text() for node in name_nodes(name)}


def is_text(node: SgNode) -> bool:
    return node.kind() in ("string", "template_string")


def is_event(given: list[SgNode]) -> bool:
    return len(given) > 1 and is_text(given[0]) and given[0].text()[1:-1] == EVENT


def unread(error: UnreadableSource) -> Finding:
    reason = str(error).partition(": ")[2].partition(";")[0]
    message = "this file dials WhatsApp (makeWASocket) and is not patched"
    return Finding(
        error.path, error.line or 1, 1, RULE, message, reason=f"it {reason}", accept=ACCEPT
    )


def is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def is_code(path: str) -> bool:
    """A source, or a folder: what else may lie behind a link is no bot."""
    return path.endswith(SUFFIXES) or "." not in posixpath.basename(path)


def is_obfuscated(content: bytes) -> bool:
    if OBFUSCATED.search(content):
        return True
    return sum(len(found) for found in ESCAPES.findall(content)) > 400


def listed(paths: list[str], most: int = 3) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more
