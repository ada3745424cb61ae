"""Files that dial WhatsApp and are in no channel that is patched, judged or left for a reason.

Nothing is ever silent about a bot that dials: a call that makes a socket and is not patched, a
library that dials, a host that depends on Baileys while no source of it visibly dials (it is
obfuscated, a link out of the host, too large to be read). Each is a finding with what was seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from modify.typescript.channel import EVENT, Channel
from modify.typescript.daemon import LISTENS, why_not_a_daemon
from modify.typescript.dials import MARK, Dials, dials_of, maker_in
from modify.typescript.functions import named_functions
from modify.typescript.hidden import Hidden
from modify.typescript.libraries import RULE, Libraries
from modify.typescript.own_files import OwnFiles
from modify.typescript.packages import Packages
from modify.typescript.source import (
    Source,
    arguments_of,
    callee_of,
    calls,
    column_of,
    line_of,
    within,
)
from skill.edit import Patch
from skill.errors import UnreadableSource
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options

if TYPE_CHECKING:
    from ast_grep_py import SgNode

ACCEPT = "a connect function that awaits reconnect.turn() before it makes the socket"
ENDS = re.compile(r"\bprocess\.exit\(|\.(end|logout)\(")
CLOSE = re.compile(rb"['\"`]close['\"`]")
PLACED = re.compile(r"\.ev\.(on|once|addListener)$")
NOT_PLACED = re.compile(r"\bev\.\w+$|\.emit$|off$|remove\w*$", re.IGNORECASE)


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
            if path in read or path not in said:  # a listener without a channel has its finding
                self.look_at(path)
        for finding in [*Libraries(self.own, not self.visible).findings()]:
            self.visible.add(finding.path)
            self.patch.findings.append(finding)
        self.patch.findings += Hidden(self.own, self.visible, self.pairing, self.direct).findings()

    @cached_property
    def own(self) -> OwnFiles:
        return OwnFiles(self.host, Packages(self.host), self.options.only_skill_assets)

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
        aliases = self.own.packages.aliases
        for path in self.own.files:
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
            users = self.own.users(path) if dials.factories else set()
            dialled = any(
                self.calls_by_name(other, dials) for other in self.direct if other != path
            )
            for user in sorted(filter(self.own.is_own, users)):
                handed = self.uses(user, path)
                found.setdefault(user, []).extend(handed)
                dialled = dialled or bool(handed) or user in self.direct
            seen = any(channel.source.path in users for channel in self.channels)
            if dials.factories and not dialled and not seen:
                found.setdefault(path, []).extend(dials.factories.values())
        return {path: dials for path, dials in found.items() if dials}

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
        return source.path not in self.own.started and not self.own.importers.get(source.path)

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
        for path in self.own.files:
            content = self.host.read(path)
            if EVENT.encode() in content and CLOSE.search(content) and path not in self.dialling:
                return f"; connection updates are handled in {path}"
        return ""


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
