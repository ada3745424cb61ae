"""What connects to WhatsApp beyond the calls in a host's sources that can be held or rewritten.

Nothing is ever silent about a bot that connects. Calls that make a socket are held, or named, by
``holding``; here are libraries that connect, and hosts that depend on Baileys while no source of
theirs visibly connects (it is obfuscated, a link out of the host, too large to be read). Each is a
finding with what was seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from modify.baileys.model.channel import EVENT, Channel
from modify.baileys.model.daemon import LISTENS, why_not_a_daemon
from modify.baileys.search.hidden import Hidden
from modify.baileys.search.indirect import Indirect
from modify.baileys.search.libraries import RULE, Libraries
from modify.baileys.search.names import MARK
from modify.baileys.search.own_files import OwnFiles
from modify.baileys.search.packages import packages_of
from modify.kit.typescript.source import Source
from skill.edit import Patch
from skill.errors import UnreadableSource
from skill.finding import Finding
from skill.host import Host
from skill.options import Options

if TYPE_CHECKING:
    from modify.baileys.hold.outcomes import Holding

ACCEPT = "skillgen guard; or the call as reconnect.socket(makeWASocket, …)"
ENDS = re.compile(r"\bprocess\.exit\(|\.(end|logout)\(")
HANDS_ON = re.compile(rb"\bexport\b|\bexports\b")


@dataclass
class Search:
    """channels: those that the rules have examined; patch: their findings and edits."""

    host: Host
    options: Options
    channels: list[Channel]
    patch: Patch
    pairing: set[str] = field(default_factory=set)
    visible: set[str] = field(default_factory=set)

    def add(self, holding: Holding) -> None:
        """Add a finding for whatever connects and is neither rewritten nor held nor named yet."""
        for channel in self.channels:
            ends = not channel.is_gated and why_not_a_daemon(channel) is not None
            (self.pairing if ends else self.visible).add(channel.source.path)
        self.visible |= {f.path for f in self.patch.findings if f.rule == RULE}
        self.visible |= {path for path, dials in holding.dials.items() if dials.held or dials.free}
        for finding in [*Libraries(self.own, not self.visible).findings()]:
            self.visible.add(finding.path)
            self.patch.findings.append(finding)
        hidden = Hidden(self.own, self.visible, self.pairing, holding.dials)
        self.patch.findings += hidden.findings()
        self.add_indirect(holding)

    def add_indirect(self, holding: Holding) -> None:
        held = {path for path, dials in holding.dials.items() if dials.is_held}
        spoken = set(holding.dials) | {finding.path for finding in self.patch.findings}
        spoken |= {note.path for note in self.patch.notes}
        indirect = Indirect(self.own, holding.makers, held, spoken, self.visible)
        sources = (source for path in self.carrying if (source := self.source(path)))
        for found in [*indirect.examine(sources)]:
            if isinstance(found, Finding):
                self.patch.findings.append(found)
            else:
                self.patch.notes.append(found)

    @cached_property
    def own(self) -> OwnFiles:
        return OwnFiles(self.host, packages_of(self.host), self.options.only_skill_assets)

    def source(self, path: str) -> Source | None:
        try:
            return Source.read(self.host, path)
        except UnreadableSource as error:
            if b"WASocket(" in self.host.read(path):
                self.patch.findings.append(unread(error))
                self.visible.add(path)
            return None

    @cached_property
    def carrying(self) -> list[str]:
        """The files that may make a socket: they name Baileys, or import what hands it on."""
        files = set(self.own.files)
        aliases = [name.encode() for name in self.own.packages.aliases]
        found = {
            path
            for path in files
            if MARK.search(content := self.host.read(path)) or any(n in content for n in aliases)
        }
        fresh = {path for path in found if HANDS_ON.search(self.host.read(path))}
        while fresh:
            users = {user for path in fresh for user in self.own.importers.get(path, ())}
            users = (users - found) & files
            found |= users
            fresh = {path for path in users if HANDS_ON.search(self.host.read(path))}
        return sorted(found)

    def ends_by_itself(self, source: Source) -> bool:
        """A script that pairs or sends, and exits: nothing of the bot imports or starts it."""
        if LISTENS.search(source.text) or not ENDS.search(source.text):
            return False
        if EVENT in source.text and re.search(r"['\"`]close['\"`]", source.text):
            return False
        return source.path not in self.own.started and not self.own.importers.get(source.path)


def unread(error: UnreadableSource) -> Finding:
    reason = str(error).partition(": ")[2].partition(";")[0]
    message = "this file connects to WhatsApp (makeWASocket) and is not patched"
    return Finding(
        error.path, error.line or 1, 1, RULE, message, reason=f"it {reason}", accept=ACCEPT
    )
