"""Hosts that depend on Baileys while no source of theirs visibly connects: what may do it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from modify.baileys.search.libraries import GUARDED, LEFT_OUT, RULE
from modify.baileys.search.own_files import ASIDE, OwnFiles
from skill.finding import Finding
from skill.host import LARGEST_SOURCE
from skill.source_paths import SCRIPTS

OBFUSCATED = re.compile(rb"while\s*\(!!\[\]\)|\b_0x[0-9a-f]{4,}\b.{0,400}\b_0x[0-9a-f]{4,}\b", re.S)
ESCAPES = re.compile(rb"(?:\\x[0-9a-fA-F]{2}){3,}")
LIKELY = re.compile(r"client|conn|whats|baileys|socket|bot|index|main", re.IGNORECASE)
# The class that Baileys had before version 4, whose protocol WhatsApp has switched off.
CLASS = re.compile(rb"\bnew\s+[\w.]*WAConnection\s*\(")
HANDED = re.compile(rb"(?<!typeof )\bmake(?:WA|WALegacy)Socket\b")


@dataclass
class Hidden:
    """visible: files that connect or are reported. pairing: files that connect once and end.

    made: files that make a socket themselves.
    """

    own: OwnFiles
    visible: Collection[str]
    pairing: Collection[str]
    made: Collection[str]

    def findings(self) -> Iterator[Finding]:
        for folder in self.own.packages.folders:
            yield from self.unseen(folder)

    def unseen(self, folder: str) -> Iterator[Finding]:
        """A package that depends on Baileys while nothing below it visibly connects."""
        name = self.own.packages.baileys(folder)
        if name is None or self.own.only_skill_assets or ASIDE.search(folder + "/"):
            return
        if any(is_below(path, folder) for path in self.visible):
            return
        reason, accept = self.hidden(folder), f"a source that visibly connects; else {GUARDED}"
        if reason is None and (old := self.with_the_class(folder)) is not None:
            reason, accept = f"{old} makes a WAConnection, of Baileys before version 4", LEFT_OUT
        if reason is None:
            if folder or any(is_below(path, folder) for path in self.pairing):
                return
            reason = "no call in a source of this host makes a socket"
        path, line = posixpath.join(folder, "package.json"), self.own.packages.line(folder, name)
        message = f"depends on {name}, but no source here visibly connects: the bot is not patched"
        yield Finding(path, line, 1, RULE, message, None, reason, accept)

    def hidden(self, folder: str) -> str | None:
        """Where a package may hide what connects."""
        links = [path for path in self.own.host.links if is_below(path, folder) and is_code(path)]
        if links:
            lead = (
                "leads out of the host and is"
                if len(links) == 1
                else "lead out of the host and are"
            )
            return f"{listed(links)} {lead} not followed"
        large = [
            file.path
            for file in self.own.host.files.values()
            if file.size > LARGEST_SOURCE
            and file.path.endswith(SCRIPTS)
            and is_below(file.path, folder)
            and b"WASocket" in self.own.host.read(file.path)
        ]
        if large:
            return f"{listed(large)} is too large to be read as a source"
        own = [path for path in self.own.files if self.own.packages.of(path) == folder]
        obfuscated = [path for path in own if is_obfuscated(self.own.host.read(path))]
        if obfuscated:
            likely = sorted(obfuscated, key=lambda path: (not LIKELY.search(path), path))
            return f"{listed(likely)} {'is' if len(likely) == 1 else 'are'} obfuscated"
        for path in own:
            if path not in self.made and HANDED.search(self.own.host.read(path)):
                return f"{path} passes makeWASocket on, and no call of it was found"
        return None

    def with_the_class(self, folder: str) -> str | None:
        own = (path for path in self.own.files if self.own.packages.of(path) == folder)
        return next((path for path in own if CLASS.search(self.own.host.read(path))), None)


def is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def is_code(path: str) -> bool:
    """A source or a folder: anything else behind a link is no bot."""
    return path.endswith(SCRIPTS) or "." not in posixpath.basename(path)


def is_obfuscated(content: bytes) -> bool:
    if OBFUSCATED.search(content):
        return True
    return sum(len(found) for found in ESCAPES.findall(content)) > 400


def listed(paths: list[str], most: int = 3) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(paths[:most]) + more
