"""Which sources of a host are the bot's own, and which of them import which."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property

from modify.baileys.model.startup import resolve_import
from modify.baileys.search.packages import Packages
from modify.kit.typescript.source import ADDED
from skill.host import Host
from skill.package_json import package_at, texts
from skill.source_paths import SCRIPTS, SKILL_ASSET, is_no_program

# Not the bot, unless something of the bot imports or starts it.
ASIDE = re.compile(
    r"(^|/)(examples?|samples?|demos?|docs?|fixtures|__\w+__|mocks?|tests?|testing|e2e|specs?"
    r"|bench(marks)?|\.claude)/",
    re.IGNORECASE,
)
IMPORT = re.compile(rb"(?:from|import|require\(|import\()\s*['\"`](\.{1,2}(?:/[^'\"`\n]*)?)['\"`]")
ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")
PASSES_ON = re.compile(rb"\bexport\s*(\*|\{)[^;]*?\bfrom\b")
OUR_OWN = (ADDED, b"class Reconnect ", b"Reconnect {")


@dataclass
class OwnFiles:
    """The sources of a host that are searched for calls that connect."""

    host: Host
    packages: Packages
    only_skill_assets: bool = False

    @cached_property
    def files(self) -> list[str]:
        """The host's own sources: no tests, no pages, nothing that skillgen added."""
        return [
            file.path
            for file in self.host.with_suffix(*SCRIPTS)
            if self.is_own(file.path) and not any(m in self.host.read(file.path) for m in OUR_OWN)
        ]

    def is_own(self, path: str) -> bool:
        if SKILL_ASSET.match(path):
            return not is_no_program(path)
        if is_no_program(path) or self.only_skill_assets:
            return False
        return not ASIDE.search(path) or self.is_live(path)

    def is_live(self, path: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether package.json starts a file, or something of the bot imports it."""
        if path in self.started:
            return True
        return any(
            not (ASIDE.search(other) or is_no_program(other)) or self.is_live(other, seen | {path})
            for other in self.importers.get(path, ())
            if other not in seen
        )

    @cached_property
    def started(self) -> frozenset[str]:
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
        for file in self.host.with_suffix(*SCRIPTS):
            for module in IMPORT.findall(unescaped(self.host.read(file.path))):
                target = resolve_import(self.host, file.path, module.decode("utf-8", "replace"))
                if target is not None:
                    found.setdefault(target, set()).add(file.path)
        return found

    def imported_by(self, path: str) -> list[str]:
        return sorted(target for target, users in self.importers.items() if path in users)

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


def unescaped(content: bytes) -> bytes:
    """With ``\\x2e`` as the character that it is: obfuscated files name their imports so."""
    if b"\\x" not in content:
        return content
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
