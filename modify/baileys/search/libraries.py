"""Libraries that connect to WhatsApp by themselves, in any language; the file that uses each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.baileys.search.own_files import ASIDE, OwnFiles
from modify.baileys.search.packages import BAILEYS, advice_for, library_of
from modify.compiled_programs import compiled_programs
from modify.kit.typescript.source import Source, line_of, name_nodes, nodes_of
from modify.rules import ids
from skill.finding import Finding

if TYPE_CHECKING:
    from ast_grep_py import SgNode

RULE = ids.UNGATED_CONNECT
LEFT_OUT = "--ignore ungated-connect, once its attempts are bounded by other means"
SET = "{advice}; then --ignore ungated-connect"
GUARDED = "skillgen guard, which holds packages, too; then --ignore ungated-connect"
MODULE = re.compile(
    rb"(?:from|import|require\(|import\()\s*['\"`]((?:@[\w.-]+/)?\w[^'\"`\n]*)['\"`]"
)
REQUIRED = re.compile(r"\b(?:require|import)\(\s*(['\"`])([^'\"`]+)\1")


@dataclass
class Libraries:
    """locked: whether packages that only a lock file shows to need Baileys count, too."""

    own: OwnFiles
    locked: bool

    def findings(self) -> Iterator[Finding]:
        yield from self.libraries()
        yield from self.compiled()

    def libraries(self) -> Iterator[Finding]:
        """One finding for each library that connects, at the file that uses it."""
        uses: dict[tuple[str, str], tuple[bool, str, int]] = {}
        for path in self.own.files:
            for used, line, is_made in self.used_libraries(path):
                known = uses.get(used)
                if known is None or (is_made and not known[0]):
                    uses[used] = is_made, path, line
        for (library, dials_with), (_, path, line) in uses.items():
            message = f"{library} connects to WhatsApp (imported at line {line}) and is not patched"
            reason = f"the package connects by itself, with {dials_with}"
            accept = GUARDED if dials_with == BAILEYS else accepted(library)
            yield Finding(path, line, 1, RULE, message, None, reason, accept)

    def used_libraries(self, path: str) -> Iterator[tuple[tuple[str, str], int, bool]]:
        content = self.own.host.read(path)
        modules = {m.decode("utf-8", "replace") for m in MODULE.findall(content)}
        known = {module: found for module in modules if (found := self.library(module))}
        source = Source.readable(self.own.host, path) if known else None
        for node, module, names in imported(source) if source is not None else ():
            if module in known and (made := self.use_of(source, names)):
                yield known[module], line_of(node), made == "made"

    def library(self, module: str) -> tuple[str, str] | None:
        if module in self.own.packages.names:
            return None
        found = library_of(module)
        if found is None and self.locked and module in self.own.packages.locked:
            found = module, BAILEYS
        return found if found is not None and self.own.packages.is_installed(found[0]) else None

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

    def compiled(self) -> Iterator[Finding]:
        """Programs in Go and Rust, which no codemod reads."""
        for found in compiled_programs(self.own.host):
            if ASIDE.search(found.manifest) or self.own.only_skill_assets:
                continue
            message = (
                f"{found.library} connects to WhatsApp from {found.language} and is not patched"
            )
            reason = f"programs in {found.language} are not read"
            accept = accepted(found.library)
            yield Finding(found.manifest, found.line, 1, RULE, message, None, reason, accept)


def accepted(library: str) -> str:
    advice = advice_for(library)
    return SET.format(advice=advice) if advice else LEFT_OUT


def imported(source: Source) -> Iterator[tuple[SgNode, str, set[str]]]:
    """(the statement, the module, the names it brings) of each import that is no type's."""
    for statement in nodes_of(source.root, "import_statement"):
        module = statement.field("source")
        if module is None or re.match(r"import\s+type\b", statement.text()):
            continue
        names = set()
        for clause in nodes_of(statement, "import_clause"):
            names |= {
                node.text()
                for node in name_nodes(clause)
                if not any(outer.text().startswith("type ") for outer in node.ancestors())
            }
        yield statement, module.text()[1:-1], names
    for declarator in nodes_of(source.root, "variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        found = REQUIRED.search(value.text()) if value is not None else None
        if name is not None and found:
            yield declarator, found[2], {node.text() for node in name_nodes(name)}
