"""Calls that dial WhatsApp: what makes a Baileys socket, by its name and by where it comes from.

Wider than the channels of ``anchors``: here a call is only found, never patched. What is found
and is in no channel becomes a finding (``unpatched``).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modify.typescript.anchors import hands_out_a_socket, named_around
from modify.typescript.functions import pattern_names
from modify.typescript.source import Source, callee_of, calls, start_of, within

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MARK = re.compile(rb"WASocket|WALegacySocket|baileys|whaileys", re.IGNORECASE)
MAKER = re.compile(r"(^|[._$])make\w*WA\w*Socket\w*(\.default)?$", re.IGNORECASE)
# Baileys and its forks; not what only stores for it, types it or builds on it.
LIBRARY = re.compile(r"(@[\w.-]+/)?(?=[\w.-]*baileys|whaileys$)[\w.-]+", re.IGNORECASE)
BESIDE = re.compile(
    r"store|auth|provider|sql|mongo|redis|prisma|plugin|voice|call|helper|types|antiban", re.I
)
LOADED = re.compile(r"\b(?:require|import)\(\s*(['\"`])([^'\"`]+)\1")
MAKERS = ("default", "makeWASocket", "makeWALegacySocket")


def is_baileys(module: str, aliases: Collection[str] = ()) -> bool:
    """Whether a module's name means Baileys. aliases: names that package.json gives to it."""
    module = re.sub(r"^(npm:|https?://[^/]+/)", "", module)  # Deno
    module = re.sub(r"(?<=[^/@])@[^/]*", "", module)
    parts = module.split("/")
    package = "/".join(parts[: 2 if module.startswith("@") else 1])
    if package in aliases:
        return True
    return LIBRARY.fullmatch(package) is not None and not BESIDE.search(package)


@dataclass
class Dials:
    """What a file dials with. calls: outside of functions that only hand the socket out.

    factories: names of functions that make a socket and return it → the call in them.
    """

    calls: list[SgNode] = field(default_factory=list)
    factories: dict[str, SgNode] = field(default_factory=dict)

    @property
    def every(self) -> list[SgNode]:
        return [*self.calls, *self.factories.values()]


def dials_of(source: Source, aliases: Collection[str], handed: Collection[str] = ()) -> Dials:
    """The dials of a file. handed: factories of other files that it imports."""
    names = Names.of(source.root, aliases)
    found = Dials()
    made = [call for call in calls(source.root) if names.makes(call) or hands(call, handed)]
    inner: dict[str, SgNode] = {}
    for call in made:
        function = named_around(call)
        if function is not None and hands_out_a_socket(function, made):
            found.factories.setdefault(function.name, call)
            inner[function.call] = function.node
        else:
            found.calls.append(call)
    for call in calls(source.root):
        callee = callee_of(call)
        if callee in inner and call not in made and not within(call, inner[callee]):
            found.calls.append(call)
            found.factories.pop(callee.removeprefix("this."), None)
    found.calls.sort(key=start_of)
    return found


def maker_in(callee: str) -> str:
    """What a call makes a socket with, as findings name it."""
    words = re.findall(r"[\w$.]+", callee)
    named = [word for word in words if MAKER.search(word) and "egacy" not in word]
    first: str = (named or words or [callee])[0]
    return first.strip(".")[:60]


def hands(call: SgNode, handed: Collection[str]) -> bool:
    return bool(handed) and callee_of(call).rpartition(".")[2] in handed


@dataclass
class Names:
    """Names of a file: of the function that makes a socket, and of Baileys as a whole."""

    aliases: Collection[str]
    makers: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, root: SgNode, aliases: Collection[str]) -> Names:
        names = cls(aliases)
        for statement in root.find_all(kind="import_statement"):
            names.add_import(statement)
        for declarator in root.find_all(kind="variable_declarator"):
            names.add_declared(declarator)
        return names

    def add_import(self, statement: SgNode) -> None:
        module = statement.field("source")
        if module is None or statement.text().startswith("import type"):
            return
        ours = is_baileys(module.text().strip("'\""), self.aliases)
        for clause in statement.find_all(kind="import_clause") if ours else ():
            for child in clause.children():
                if child.kind() == "identifier":
                    self.makers.add(child.text())
                elif child.kind() == "namespace_import":
                    self.modules.add(child.text().rpartition(" ")[2])
        for specifier in statement.find_all(kind="import_specifier"):
            name, alias = specifier.field("name"), specifier.field("alias")
            if name is None or specifier.text().startswith("type "):
                continue
            if MAKER.search(name.text()) or (ours and name.text() in MAKERS):
                self.makers.add((alias or name).text())

    def add_declared(self, declarator: SgNode) -> None:
        """``const { default: connect } = require('baileys')``, ``connect = baileys.default``."""
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or value.kind() in ("arrow_function", "function"):
            return
        text = value.text()[:300]
        loaded = LOADED.search(text)
        if not (loaded and is_baileys(loaded[2], self.aliases)) and not self.is_module(text):
            return
        if name.kind() == "object_pattern":
            self.makers |= {local for key, local in pattern_names(name) if key in MAKERS}
        elif name.kind() == "identifier":
            is_maker = re.search(r"\.(default|make\w*Socket)\)?$", text) or MAKER.search(
                name.text()
            )
            (self.makers if is_maker else self.modules).add(name.text())

    def is_module(self, text: str) -> bool:
        """Whether an expression is Baileys as a whole, or a part of it."""
        return re.split(r"[.?]", text, maxsplit=1)[0] in self.modules

    def makes(self, call: SgNode) -> bool:
        callee = callee_of(call)
        if callee in ("import", "require"):
            return False
        if callee in self.makers or MAKER.search(callee):
            return True
        if callee.startswith(
            "("
        ):  # (legacy ? makeWALegacySocket : connect)(…), (0, b_1.default)(…)
            return any(
                word in self.makers or MAKER.search(word) or self.is_default(word)
                for word in re.findall(r"[\w$.]+", callee)
            ) or bool(LOADED.search(callee) and self.is_default(callee))
        return self.is_default(callee)

    def is_default(self, callee: str) -> bool:
        """``baileys.default``, ``require('baileys').default``."""
        owner, _, last = callee.rstrip(")").rpartition(".")
        if last != "default":
            return False
        loaded = LOADED.search(owner)
        return owner in self.modules or bool(loaded and is_baileys(loaded[2], self.aliases))
