"""Where a name comes from: whether a call makes a Baileys socket, across the files of a host.

The name alone does not settle it: hosts have functions of their own called ``makeWASocket``, and
import Baileys' under any name, through files of their own, by ``require`` or ``await import()``.
Only what is known to be Baileys' own is wrapped; two wrappers around one call would count each
attempt twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from modify.baileys.model.startup import resolve_import
from modify.baileys.search.cross_file import ALIASED, aliased
from modify.baileys.search.names import LOADED, MAKER, MARK, is_baileys
from modify.baileys.search.packages import Packages
from modify.kit.typescript.functions import Function, functions_by_call, named
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    REMEMBERED,
    Source,
    arguments_of,
    callee_of,
    calls,
    enclosing_function,
    nodes_of,
)
from skill.host import Host, fact
from skill.source_paths import SCRIPTS

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Kind = Literal["library", "default", "maker", "auth", "file", "object", "other", "unknown"]
MAKE, LEGACY, LOAD = "makeWASocket", "makeWALegacySocket", "useMultiFileAuthState"
WRAPPINGS = frozenset(
    (
        "parenthesized_expression",
        "await_expression",
        "as_expression",
        "non_null_expression",
        "satisfies_expression",
    )
)
GLOBALS = ("global", "globalThis")
CLASSES = ("class_declaration", "abstract_class_declaration", "enum_declaration")
ALIAS_OF_LOAD = re.compile(r"(?i)^\w*(auth|state|creds)\w*$")
LOCAL = re.compile(r"\.|@/|~/|#|src/")
ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")  # obfuscated files name their modules so
DEEPEST = 12
MOST = 64
"""So many assignments to one name are looked at: each may lead to as many others."""


@dataclass(frozen=True)
class Value:
    """The meaning of an expression.

    library: Baileys as a whole. default: its default export, which is the function or, where
    Node.js imports CommonJS, the whole once more. maker: the function that makes a socket.
    auth: the one that loads credentials from a folder. file: a file of the host. object: a
    literal. other: something else, known not to be Baileys'. unknown: undecided.
    """

    kind: Kind
    path: str = ""
    node: SgNode | None = field(default=None, compare=False)


OTHER, UNKNOWN = Value("other"), Value("unknown")


@dataclass
class Makers:
    """Answers for the files of one host, each worked out once."""

    host: Host
    packages: Packages
    exported: dict[tuple[str, str], Value] = field(default_factory=dict)
    """By file and name; without a file: by the names of globals."""

    def calls_in(self, source: Source) -> Iterator[tuple[SgNode, Value]]:
        """Calls that make a socket, and those that have its name and an unknown meaning."""
        for call in calls(source.root):
            callee = call.field("function")
            if callee is None or not self.may_make(source, callee):
                continue
            value = self.called(source, callee)
            if value.kind == "maker" or (value.kind == "unknown" and MAKER.search(callee.text())):
                yield call, value

    def loads_in(self, source: Source) -> Iterator[SgNode]:
        """Calls of Baileys' function that loads the credentials of a folder."""
        for call in calls(source.root):
            callee = call.field("function")
            if callee is None or callee.kind() not in ("identifier", "member_expression"):
                continue
            name = callee.text()
            if name.rpartition(".")[2] != LOAD and not ALIAS_OF_LOAD.search(name):
                continue
            if LOAD not in source.text or len(arguments_of(call)) != 1:
                continue
            if self.value(source, callee).kind == "auth":
                yield call

    def may_make(self, source: Source, callee: SgNode) -> bool:
        """Cheap: most calls of a file are of no interest."""
        text = callee.text()
        if callee.kind() == "identifier":
            return MAKER.search(text) is not None or text in self.bound(source)
        return len(text) < 400 and re.search(r"Socket|default\b", text) is not None

    def bound(self, source: Source) -> set[str]:
        """Local names of a file's imports from Baileys or from a file of the host."""
        return names_bound(self.host, source, frozenset(self.packages.aliases))

    def called(self, source: Source, callee: SgNode) -> Value:
        """The Value of a callee; a call of the library or its default export is the maker."""
        value = self.value(source, callee)
        for _ in range(DEEPEST):
            if value.kind != "file":
                break
            value = self.export(value.path, "module.exports")
        return Value("maker") if value.kind in ("default", "library") else value

    # -- expressions

    def value(self, source: Source, node: SgNode, depth: int = 0) -> Value:
        if depth > DEEPEST:
            return UNKNOWN
        kind = node.kind()
        if kind in WRAPPINGS:
            inner = next((c for c in node.children() if c.is_named()), None)
            return self.value(source, inner, depth + 1) if inner is not None else UNKNOWN
        if kind == "identifier":
            return self.named(source, node, depth)
        if kind == "member_expression":
            return self.property(source, node, depth)
        if kind == "call_expression":
            return self.loaded(source, node)
        if kind == "ternary_expression":
            return self.either(source, node, ("consequence", "alternative"), depth)
        if kind == "binary_expression":
            return self.either(source, node, ("left", "right"), depth)
        if kind == "sequence_expression":  # (0, baileys_1.default)
            last = [child for child in node.children() if child.is_named()][-1]
            return self.value(source, last, depth + 1)
        if kind == "object":
            return Value("object", source.path, node)
        return OTHER if kind in (*FUNCTION_KINDS, "class", "string", "number") else UNKNOWN

    def either(self, source: Source, node: SgNode, fields: tuple[str, str], depth: int) -> Value:
        """``old ? makeWALegacySocket : makeWASocket``, ``a.default ?? a``."""
        sides = [side for name in fields if (side := node.field(name)) is not None]
        values = [self.value(source, side, depth + 1) for side in sides]
        for kind in ("maker", "auth", "default", "library", "file", "object", "unknown"):
            if found := next((each for each in values if each.kind == kind), None):
                return found
        return OTHER

    def loaded(self, source: Source, call: SgNode) -> Value:
        """``require('…')`` and ``import('…')``."""
        if callee_of(call) not in ("require", "import"):
            return UNKNOWN
        found = LOADED.match(call.text())
        return self.module(source, found[2]) if found else UNKNOWN

    def module(self, source: Source, name: str) -> Value:
        name = ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)
        if name.startswith("."):
            path = resolve_import(self.host, source.path, name)
            return Value("file", path) if path is not None else UNKNOWN
        if is_baileys(name, self.packages.aliases) and name not in self.packages.names:
            return Value("library")
        if (alias := ALIASED.match(name)) and (path := aliased(self.host, alias[1])):
            return Value("file", path)
        if name in self.packages.names:
            return UNKNOWN
        if not self.packages.is_installed(name) and (path := self.by_a_path(name)):
            return Value("file", path)
        return Value("other", name)

    def by_a_path(self, name: str) -> str | None:
        """The file that a name of no package stands for: ``paths`` of a tsconfig (``@lib/wa``)."""
        _, _, rest = name.partition("/")
        return aliased(self.host, rest) if rest else None

    def property(self, source: Source, node: SgNode, depth: int) -> Value:
        target, name = node.field("object"), node.field("property")
        if target is None or name is None:
            return UNKNOWN
        if target.text() in GLOBALS:
            return self.of_globals(name.text(), depth)
        if target.kind() == "this":
            if f"this.{name.text()}" in functions_by_call(source.root):
                return OTHER
            return self.assigned(source, f"this.{name.text()}", depth)
        return self.member(self.value(source, target, depth + 1), name.text(), depth)

    def member(self, value: Value, name: str, depth: int = 0) -> Value:
        """The Value of a property of a value."""
        if depth > DEEPEST:
            return UNKNOWN
        if value.kind in ("library", "default"):
            return member_of_baileys(name)
        if value.kind == "file":
            return self.export(value.path, name, depth + 1)
        if value.kind == "object" and value.node is not None:
            source = Source.read(self.host, value.path)
            return self.in_object(source, value.node, name, depth)
        if value.kind == "other" and value.path:  # of some package
            known = {MAKE: Value("maker"), LOAD: Value("auth"), "default": UNKNOWN}
            return known.get(name, OTHER)
        return UNKNOWN if value.kind == "unknown" else OTHER

    def in_object(self, source: Source, literal: SgNode, name: str, depth: int) -> Value:
        for entry in reversed([child for child in literal.children() if child.is_named()]):
            if entry.kind() == "shorthand_property_identifier" and entry.text() == name:
                return self.named(source, entry, depth + 1)
            key, inner = entry.field("key"), entry.field("value")
            if key is not None and inner is not None and key.text().strip("'\"") == name:
                return self.value(source, inner, depth + 1)
            if entry.kind() == "spread_element":
                spread = next((c for c in entry.children() if c.is_named()), None)
                whole = self.value(source, spread, depth + 1) if spread is not None else OTHER
                found = self.member(whole, name, depth + 1)
                if found.kind not in ("other", "unknown"):
                    return found
        return OTHER

    # -- names

    def named(self, source: Source, node: SgNode, depth: int) -> Value:
        """The Value of a name, as seen from where it stands."""
        if depth > DEEPEST:
            return UNKNOWN
        name = node.text()
        for scope in (*node.ancestors(), source.root):
            declared = declaration_in(scope, name)
            if declared is not None:
                return self.declared(source, declared, name, depth + 1)
        imported = self.imported(source, name, depth)
        return imported if imported is not None else self.of_globals(name, depth)

    def declared(self, source: Source, node: SgNode, name: str, depth: int) -> Value:
        kind = node.kind()
        if kind != "variable_declarator":
            if kind in FUNCTION_KINDS and not is_called(node, name):
                return self.injected(source, node, name, depth)
            return OTHER
        target, value = node.field("name"), node.field("value")
        if target is None or value is None:
            return self.assigned(source, name, depth)
        if target.kind() == "object_pattern":
            whole = self.value(source, value, depth)
            return self.taken_apart(whole, target, name, depth)
        return self.value(source, value, depth)

    def taken_apart(self, whole: Value, pattern: SgNode, name: str, depth: int) -> Value:
        for key, local in pattern_entries(pattern):
            if local == name:
                value = whole
                for step in key:
                    value = self.member(value, step, depth + 1)
                return value
        return UNKNOWN

    def assigned(self, source: Source, target: str, depth: int) -> Value:
        """The Value assigned in the file to a variable or property declared without one."""
        found = UNKNOWN
        for left, right in assignments(self.host, source).get(target, ())[:MOST]:
            found = self.value(source, right, depth + 1)
            if left.kind() == "object_pattern":
                found = self.taken_apart(found, left, target, depth)
            if found.kind not in ("unknown", "other"):
                return found
        return found

    def of_globals(self, name: str, depth: int) -> Value:
        """``global.connect = …`` in any file of the host."""
        if ("", name) not in self.exported:
            self.exported["", name] = UNKNOWN  # of a circle
            self.exported["", name] = self.set_globally(name, depth)
        return self.exported["", name]

    def set_globally(self, name: str, depth: int) -> Value:
        mark = re.compile(rb"\bglobal(This)?\.%s\s*=[^=]" % re.escape(name.encode()))
        for file in self.host.with_suffix(*SCRIPTS):
            content = self.host.read(file.path)
            if name.encode() not in content or not mark.search(content):
                continue
            if (source := Source.readable(self.host, file.path)) is None:
                continue
            for target in (f"global.{name}", f"globalThis.{name}"):
                value = self.assigned(source, target, depth + 1)
                if value.kind != "unknown":
                    return value
        return UNKNOWN

    def imported(self, source: Source, name: str, depth: int) -> Value | None:
        entries = imported_names(self.host, source)
        if name not in entries:
            return None
        key, module = entries[name]
        whole = self.module(source, module)
        return whole if key == "*" else self.member(whole, key, depth + 1)

    def injected(self, source: Source, function: SgNode, name: str, depth: int) -> Value:
        """A parameter: what the host's own calls of the function give for it."""
        around = named(function)
        slot = parameter_slot(function, name)
        if slot is None:
            return UNKNOWN
        if slot.default is not None:
            value = self.value(source, slot.default, depth + 1)
            if value.kind in ("maker", "default", "auth"):
                return value
        if around is None or MAKER.search(name) is None:
            return UNKNOWN
        for path in self.mentioning(around.name):
            if (other := Source.readable(self.host, path)) is None:
                continue
            for call in other.called.get(around.name, ()):
                given = arguments_of(call)
                if len(given) <= slot.index:
                    continue
                value = self.value(other, given[slot.index], depth + 1)
                value = self.member(value, slot.key, depth + 1) if slot.key else value
                if value.kind in ("maker", "default"):
                    return value
        return UNKNOWN

    def mentioning(self, name: str) -> Iterator[str]:
        word = name.encode()
        for path in self.marked:
            if word in self.host.read(path):
                yield path

    @cached_property
    def marked(self) -> list[str]:
        """The files that name Baileys, or what it exports."""
        files = (file.path for file in self.host.with_suffix(*SCRIPTS))
        return [path for path in files if MARK.search(self.host.read(path))]

    # -- what files hand out

    def export(self, path: str, name: str, depth: int = 0) -> Value:
        """The Value that a file of the host exports as a name; ``module.exports``: the whole."""
        key = (path, name)
        if key not in self.exported:
            self.exported[key] = UNKNOWN  # of a circle
            self.exported[key] = self.look_up(path, name, depth)
        return self.exported[key]

    def look_up(self, path: str, name: str, depth: int) -> Value:
        content = self.host.read(path)
        if not content.strip() or depth > DEEPEST:
            return UNKNOWN
        if (source := Source.readable(self.host, path)) is None:
            return UNKNOWN
        through: list[Value] = []
        for statement in source.root.children():
            if statement.kind() == "export_statement":
                found = self.exported_by(source, statement, name, depth, through)
                if found is not None:
                    return found
        found = self.exported_plainly(source, name, depth)
        if found is not None:
            return found
        for whole in through:
            found = self.member(whole, name, depth + 1)
            if found.kind not in ("unknown", "other"):
                return found
        return OTHER

    def exported_by(
        self, source: Source, statement: SgNode, name: str, depth: int, through: list[Value]
    ) -> Value | None:
        """by an ``export`` statement. through: gains the modules of ``export * from``."""
        module, declaration = statement.field("source"), statement.field("declaration")
        whole = self.module(source, module.text()[1:-1]) if module is not None else None
        if whole is not None and re.match(r"export\s*\*\s*from", statement.text()):
            through.append(whole)
            return None
        if whole is not None and re.match(
            rf"export\s*\*\s*as\s+{re.escape(name)}\b", statement.text()
        ):
            return whole
        for specifier in nodes_of(statement, "export_specifier"):
            own, alias = specifier.field("name"), specifier.field("alias")
            if own is None or (alias or own).text() != name:
                continue
            if whole is not None:
                return self.member(whole, own.text(), depth + 1)
            return self.named(source, own, depth + 1)
        value = statement.field("value")
        if name == "default" and re.match(r"export\s+default\b", statement.text()):
            return self.value(source, value, depth + 1) if value is not None else OTHER
        if declaration is None:
            return None
        if declaration.kind() in FUNCTION_KINDS or declaration.kind() in CLASSES:
            own = declaration.field("name")
            return OTHER if own is not None and own.text() == name else None
        for declarator in nodes_of(declaration, "variable_declarator"):
            if binds(declarator, name) and enclosing_function(declarator) is None:
                return self.declared(source, declarator, name, depth + 1)
        return None

    def exported_plainly(self, source: Source, name: str, depth: int) -> Value | None:
        """``module.exports = …`` and ``exports.name = …``."""
        if "exports" not in source.text:
            return None
        whole: Value | None = None
        for node in nodes_of(source.root, "assignment_expression"):
            left, right = node.field("left"), node.field("right")
            if left is None or right is None:
                continue
            if left.text() in (f"exports.{name}", f"module.exports.{name}"):
                value = self.value(source, right, depth + 1)
                if value.kind != "other" or right.text() not in ("void 0", "undefined"):
                    return value
            if left.text() == "module.exports":
                whole = self.value(source, right, depth + 1)
        if whole is None or name == "module.exports":
            return whole
        found = self.member(whole, name, depth + 1)
        if name == "default" and found.kind in ("other", "unknown"):
            return whole  # an ES module that imports CommonJS
        return found


# --- the forms in which names are declared --------------------------------------------------


@fact
def assignments(_host: Host, source: Source) -> dict[str, list[tuple[SgNode, SgNode]]]:
    """Return what the assignments of a file give to each name or property, in order."""
    index: dict[str, list[tuple[SgNode, SgNode]]] = {}
    for node in nodes_of(source.root, "assignment_expression"):
        left, right = node.field("left"), node.field("right")
        if left is None or right is None:
            continue
        targets = [left.text()]
        if left.kind() == "object_pattern":
            targets = [local for _, local in pattern_entries(left)]
        for target in dict.fromkeys(targets):
            index.setdefault(target, []).append((left, right))
    return index


@fact
def imported_names(_host: Host, source: Source) -> dict[str, tuple[str, str]]:
    """Return a file's imports by local name: (name in its module, module)."""
    entries: dict[str, tuple[str, str]] = {}
    for statement in source.root.children():
        if statement.kind() == "import_statement":
            for key, local, module in import_entries(statement):
                entries.setdefault(local, (key, module))
    return entries


@fact
def names_bound(_host: Host, source: Source, aliases: frozenset[str]) -> set[str]:
    return set(bound_names(source.root, aliases))


def member_of_baileys(name: str) -> Value:
    if name == "default":
        return Value("default")
    if name == LOAD:
        return Value("auth")
    return Value("maker") if name != LEGACY and MAKER.search(name) else OTHER


def bound_names(root: SgNode, aliases: Collection[str]) -> Iterator[str]:
    for statement in root.children():
        if statement.kind() == "import_statement":
            for key, local, module in import_entries(statement):
                if LOCAL.match(module) or is_baileys(module, aliases) or MAKER.search(key):
                    yield local
    for declarator in nodes_of(root, "variable_declarator"):
        name, value = declarator.field("name"), declarator.field("value")
        if name is None or value is None or value.kind() in FUNCTION_KINDS:
            continue
        text = value.text()[:300]
        loaded = LOADED.search(text)
        known = loaded and (LOCAL.match(loaded[2]) or is_baileys(loaded[2], aliases))
        if not known and not re.search(r"baileys|Socket|default\b", text, re.IGNORECASE):
            continue
        if name.kind() == "object_pattern":
            yield from (local for _, local in pattern_entries(name))
        elif name.kind() == "identifier":
            yield name.text()
    for assignment in nodes_of(root, "assignment_expression"):
        left, right = assignment.field("left"), assignment.field("right")
        if left is None or right is None or not re.search("baileys|Socket", right.text()[:300]):
            continue
        if left.kind() == "identifier":
            yield left.text()
        elif left.kind() == "object_pattern":
            yield from (local for _, local in pattern_entries(left))


def import_entries(statement: SgNode) -> Iterator[tuple[str, str, str]]:
    """(exported name or ``*``, local name, module) of an import that is no type's."""
    if re.match(r"import\s+type\b(?!\s*,|\s+from)", statement.text()):
        return
    source = statement.field("source")
    required = next(iter(nodes_of(statement, "import_require_clause")), None)
    if required is not None:  # import wa = require('…')
        inner, name = required.field("source"), required.find(kind="identifier")
        if inner is not None and name is not None:
            yield "*", name.text(), inner.text()[1:-1]
        return
    if source is None:
        return
    module = source.text()[1:-1]
    for clause in nodes_of(statement, "import_clause"):
        for child in clause.children():
            if child.kind() == "identifier":
                yield "default", child.text(), module
            elif child.kind() == "namespace_import":
                yield "*", child.text().split()[-1], module
    for specifier in nodes_of(statement, "import_specifier"):
        name, alias = specifier.field("name"), specifier.field("alias")
        if name is not None and not specifier.text().startswith("type "):
            yield name.text(), (alias or name).text(), module


def pattern_entries(
    pattern: SgNode, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """(keys, local name) of each entry of a destructuring pattern, also of those inside others."""
    for child in pattern.children():
        kind = child.kind()
        if kind == "shorthand_property_identifier_pattern":
            yield (*path, child.text()), child.text()
        elif kind == "object_assignment_pattern":
            left = child.field("left")
            if left is not None:
                yield (*path, left.text()), left.text()
        elif kind == "pair_pattern":
            key, value = child.field("key"), child.field("value")
            if key is None or value is None:
                continue
            if value.kind() == "assignment_pattern":
                value = value.field("left") or value
            if value.kind() == "identifier":
                yield (*path, key.text()), value.text()
            elif value.kind() == "object_pattern":
                yield from pattern_entries(value, (*path, key.text()))


def binds(declarator: SgNode, name: str) -> bool:
    return name in bound_by(declarator)


def bound_by(declarator: SgNode) -> list[str]:
    """The names that a declarator declares."""
    target = declarator.field("name")
    if target is None:
        return []
    if target.kind() == "identifier":
        return [target.text()]
    return [local for _, local in pattern_entries(target)]


def declaration_in(scope: SgNode, name: str) -> SgNode | None:
    """The declaration of a name in a scope, not in those inside it: declarator or function.

    A function as the scope declares its parameters: then it is the function that is returned.
    """
    kind = scope.kind()
    if kind in FUNCTION_KINDS:
        return scope if parameter_slot(scope, name) is not None else None
    if kind not in ("statement_block", "program", "switch_case"):
        return None
    return declarations_in(scope).get(name)


@lru_cache(REMEMBERED)
def declarations_in(scope: SgNode) -> dict[str, SgNode]:
    """The names that a block declares itself; of two of a name the first."""
    found: dict[str, SgNode] = {}
    for name, node in declared_in(scope):
        found.setdefault(name, node)
    return found


def declared_in(scope: SgNode) -> Iterator[tuple[str, SgNode]]:
    for statement in scope.children():
        inner = statement
        if statement.kind() == "export_statement":
            inner = statement.field("declaration") or statement
        if inner.kind() in ("lexical_declaration", "variable_declaration"):
            for declarator in inner.children():
                if declarator.kind() == "variable_declarator":
                    yield from ((name, declarator) for name in bound_by(declarator))
        elif inner.kind() in (*FUNCTION_KINDS, *CLASSES):
            own = inner.field("name")
            if own is not None:
                yield own.text(), inner


@dataclass(frozen=True)
class Slot:
    """Which argument a parameter is: its place, and the property where it is taken apart."""

    index: int
    key: str = ""
    default: SgNode | None = None


def parameter_slot(function: SgNode, name: str) -> Slot | None:
    for index, parameter in enumerate(Function(function, "", "").parameters):
        pattern = parameter.field("pattern") or parameter.field("left") or parameter
        default = parameter.field("value") or parameter.field("right")
        if pattern.kind() == "identifier" and pattern.text() == name:
            return Slot(index, "", default)
        if pattern.kind() == "object_pattern":
            for key, local in pattern_entries(pattern):
                if local == name and len(key) == 1:
                    return Slot(index, key[0])
    return None


def is_called(function: SgNode, name: str) -> bool:
    """Whether a declaration is the function of that name, and not one with such a parameter."""
    own = function.field("name")
    return own is not None and own.text() == name and parameter_slot(function, name) is None
