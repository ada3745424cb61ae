"""Files that make no socket in the open, and still have to do with one: each is named.

One calls a function of the host that connects and is held; one carries a script in a text that
it writes out or runs; one is obfuscated, so that nobody can see whether it connects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.baileys.search.cross_file import origins
from modify.baileys.search.hidden import is_below, is_obfuscated
from modify.baileys.search.libraries import GUARDED, RULE
from modify.baileys.search.makers import Makers, import_entries
from modify.baileys.search.names import MAKER, MARK
from modify.baileys.search.own_files import OwnFiles
from modify.kit.typescript.source import Source, callee_of, calls, enclosing_function, line_of
from skill.errors import UnreadableSource
from skill.finding import Finding, Note

if TYPE_CHECKING:
    from ast_grep_py import SgNode

OUTSIDE = "skillgen guard holds it from outside"
TEXTS = ("template_string", "string")
MAKES = re.compile(r"\bmake\w*WA\w*Socket\s*\(", re.IGNORECASE)
TAKES = re.compile(
    r"(?:\bfrom\s*|\b(?:require|import)\(\s*)\\?['\"][\w@./-]*baileys", re.IGNORECASE
)
HOLE = re.compile(r"\$\{[^}]*\}")
ENDS = re.compile(r"\bprocess\.exit\(")


@dataclass
class Indirect:
    """held: files whose dials are held. spoken: files that have a finding or a note.

    visible: files that dial or are named. In a package without one, obfuscated code is reported
    once, for the whole package.
    """

    own: OwnFiles
    makers: Makers
    held: Collection[str]
    spoken: Collection[str]
    visible: Collection[str]

    def examine(self, sources: Iterable[Source]) -> Iterator[Finding | Note]:
        for source in sources:
            if source.path in self.spoken:
                continue
            found = self.obfuscated(source) or self.through(source) or self.in_a_text(source)
            if found is not None:
                yield found

    def through(self, source: Source) -> Note | None:
        """A call that ends in a dial of another file."""
        for call in calls(source.root):
            if MAKER.search(callee_of(call)) and (origin := self.held_behind(source)):
                return right(source.path, line_of(call), origin)
        return None

    def held_behind(self, source: Source) -> str | None:
        targets = [*self.own.imported_by(source.path)]
        for statement in source.root.find_all(kind="import_statement"):
            modules = {module for _, _, module in import_entries(statement)}
            values = [self.makers.module(source, module) for module in modules]
            targets += [value.path for value in values if value.kind == "file"]
        every = (path for target in targets for path in origins(self.own.host, target))
        return next((path for path in every if path in self.held), None)

    def obfuscated(self, source: Source) -> Finding | Note | None:
        content, path = self.own.host.read(source.path), source.path
        if not MARK.search(content) or not is_obfuscated(content):
            return None
        folder = self.own.packages.of(path) or ""
        if not any(is_below(other, folder) for other in self.visible):
            return None
        if b"WASocket" not in content:
            message = f"is obfuscated and names Baileys, so it may connect unseen; {OUTSIDE}"
            return Note(path, 1, "guard", message)
        if origin := self.held_behind(source):
            return right(path, 1, origin)
        message = "this file makes a socket and is not patched"
        return Finding(path, 1, 1, RULE, message, reason="it is obfuscated", accept=GUARDED)

    def in_a_text(self, source: Source) -> Finding | Note | None:
        """A script in a literal: left where it ends by itself, else named."""
        if not MAKES.search(source.text):
            return None
        for kind in TEXTS:
            for node in source.root.find_all(kind=kind):
                text = node.text()
                if not MAKES.search(text) or not TAKES.search(text):
                    continue
                if ends_by_itself(text[1:-1]):
                    message = "a script inside a string connects once and ends"
                    return Note(source.path, line_of(node), "not-a-daemon", message)
                return unread(source, node)
        return None


def right(path: str, line: int, origin: str) -> Note:
    message = f"connects through {origin}, where each attempt waits for its turn"
    return Note(path, line, "right", message)


def unread(source: Source, node: SgNode) -> Finding:
    message = "a script inside a string makes a socket and is not patched"
    reason = "code inside a string is not changed"
    return Finding(source.path, line_of(node), 1, RULE, message, reason=reason, accept=GUARDED)


def ends_by_itself(text: str) -> bool:
    """Whether a script connects outside of every function, once, and exits."""
    plain = HOLE.sub("0", text.replace("\\`", "`").replace("\\n", "\n"))
    try:
        script = Source.parse("script.mjs", plain.encode())
    except UnreadableSource:
        return False
    made = [call for call in calls(script.root) if MAKER.search(callee_of(call))]
    return ENDS.search(plain) is not None and all(enclosing_function(call) is None for call in made)
