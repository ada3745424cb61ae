"""The source files of the Python reconnect module -> the one file that a host gains.

In add/ the module is several files that import each other, so that each can be read and
checked for itself. A host gets what it calls, and what that uses, directly or not: of a
class, too, only the methods that something names.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

WIDTH = 79
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Definition:
    """One statement, its comments included: the names that are in it, and what it asks of others.

    text: of a class, all but its methods; methods: in their order; after: how many lines of
    the class stand above a method.
    """

    names: frozenset[str]
    text: str
    uses: frozenset[str]
    asks: frozenset[str]
    is_block: bool
    methods: tuple[Definition, ...] = ()
    after: int = 0

    @property
    def name(self) -> str:
        return min(self.names)

    @property
    def height(self) -> int:
        return self.text.count("\n") + 1

    def asked(self, names: Collection[str]) -> list[Definition]:
        """The methods that are named, or that Python itself calls."""
        return [one for one in self.methods if one.name in names or one.name.startswith("__")]

    def whole(self, names: Collection[str]) -> str:
        """The statement with those methods."""
        lines = self.text.split("\n")
        for method in reversed(self.asked(names)):
            lines[method.after : method.after] = method.text.split("\n")
        return "\n".join(lines)


@dataclass
class Module:
    """One source file: ``imports`` maps a name to its module, "" for a plain import."""

    doc: str
    imports: dict[str, str] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)


@lru_cache(maxsize=64)
def parse(source: str, split: bool = True) -> Module:
    """A source file, read; raises ValueError where it does more than import and define.

    split: False where classes stay whole, as the stubs of tests must.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    module = Module(ast.get_docstring(tree) or "")
    for node in tree.body:
        if isinstance(node, ast.Import):
            module.imports.update(dict.fromkeys((alias.name for alias in node.names), ""))
        elif isinstance(node, ast.ImportFrom):
            names = (alias.name for alias in node.names)
            module.imports.update(dict.fromkeys(names, node.module or ""))
        elif not isinstance(node, ast.Expr):
            module.definitions.append(_definition(node, lines, split))
    return module


def _definition(node: ast.stmt, lines: list[str], split: bool) -> Definition:
    start = _start(node, lines)
    own = lines[start : node.end_lineno]
    methods: list[Definition] = []
    body = node.body if split and isinstance(node, ast.ClassDef) else []
    for inner in body:
        if isinstance(inner, _FUNCTIONS):
            first, end = _start(inner, lines), inner.end_lineno or 0
            first -= not lines[first - 1]
            after = first - start - sum(method.height for method in methods)
            text = "\n".join(lines[first:end])
            names = frozenset({inner.name})
            methods.append(Definition(names, text, *_uses([inner]), True, after=after))
            del own[after : after + end - first]
    is_block = isinstance(node, ast.ClassDef | _FUNCTIONS)
    plain = [inner for inner in ast.iter_child_nodes(node) if inner not in body]
    plain += [inner for inner in body if not isinstance(inner, _FUNCTIONS)]
    uses, asks = _uses(plain)
    if isinstance(node, _FUNCTIONS):
        uses |= _fixtures(node)
    text = "\n".join(own)
    return Definition(_names(node), text, uses, asks, is_block, tuple(methods))


def _fixtures(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The names of the fixtures that a test or a fixture requests from pytest."""
    if not node.decorator_list and not node.name.startswith("test_"):
        return frozenset()
    marks = [inner for mark in node.decorator_list for inner in ast.walk(mark)]
    names = {str(inner.value) for inner in marks if isinstance(inner, ast.Constant)}
    return frozenset(names | {argument.arg for argument in node.args.args})


def _start(node: ast.stmt, lines: list[str]) -> int:
    """The line above which a statement begins, its decorators and comments included."""
    decorators = getattr(node, "decorator_list", [])
    start: int = min([node.lineno, *(found.lineno for found in decorators)]) - 1
    while start and lines[start - 1].startswith(" " * node.col_offset + "#"):
        start -= 1
    return start


def _uses(nodes: Iterable[ast.AST]) -> tuple[frozenset[str], frozenset[str]]:
    inside = [inner for outer in nodes for inner in ast.walk(outer)]
    names = frozenset(node.id for node in inside if isinstance(node, ast.Name))
    asks = {node.attr for node in inside if isinstance(node, ast.Attribute)}
    given = {node.arg for node in inside if isinstance(node, ast.keyword) and node.arg}
    return names, frozenset(asks | given)


def _names(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.ClassDef | _FUNCTIONS):
        return frozenset({node.name})
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    if not names:
        raise ValueError(f"line {node.lineno}: neither an import nor a definition")
    return frozenset(names)


@dataclass(frozen=True)
class Kept:
    """The part that a host gets: definitions in order, the names and methods used in them."""

    definitions: list[Definition]
    names: frozenset[str]
    methods: frozenset[str]

    @property
    def defined(self) -> set[str]:
        methods = (method for one in self.definitions for method in one.asked(self.methods))
        return {one.name for one in (*self.definitions, *methods)}


def kept(modules: Collection[Module], roots: Iterable[Module], calls: Collection[str] = ()) -> Kept:
    """The definitions of the roots and what they need of the others.

    calls: the names of functions and methods that the host calls; () for all that it could.
    """
    found: dict[str, Definition] = {}
    for module in modules:
        for one in module.definitions:
            for name in one.names:
                if found.setdefault(name, one) != one:
                    raise ValueError(f"{name} is defined twice")
    names, methods = set(calls), set(calls)
    if not calls:
        names = {name for root in roots for one in root.definitions for name in one.names}
        methods = {method.name for one in found.values() for method in one.methods}
    size = 0
    while size < len(names) + len(methods):
        size = len(names) + len(methods)
        chosen = [one for name, one in found.items() if name in names]
        for one in [*chosen, *(method for held in chosen for method in held.asked(methods))]:
            names |= one.uses
            methods |= one.asks
    definitions = [one for name, one in found.items() if name in names and name == one.name]
    return Kept(definitions, frozenset(names), frozenset(methods))


def joined(doc: str, modules: list[Module], found: Kept, package: str, own: str = "") -> str:
    """One module: its docstring, its imports, then the definitions.

    package: what is imported from there is joined here; or it is, in the host, in ``own``.
    """
    imports = {}
    for module in modules:
        for name, place in module.imports.items():
            joins = place.startswith(f"{package}.")
            if name in found.names and not (joins and not own):
                imports[name] = own if joins else place
    end = "\n" if "\n" in doc else ""
    text = f'"""{doc}{end}"""\n\nfrom __future__ import annotations\n\n{import_lines(imports, own)}'
    before = None
    for one in found.definitions:
        apart = before is None or before.is_block or one.is_block or one.text.startswith("#")
        gap = "\n\n" if one.is_block or (before and before.is_block) else "\n" if apart else ""
        text += f"{gap}{one.whole(found.methods)}\n"
        before = one
    return text


def import_lines(imports: dict[str, str], own: str) -> str:
    """Import statements as isort and black write them: Python's own, others, the host's."""
    sections: list[dict[str, str]] = [{}, {}, {}]
    for name, module in imports.items():
        package = (module or name).partition(".")[0]
        other = 0 if package in sys.stdlib_module_names else 1
        sections[2 if own and module == own else other][name] = module
    return "\n".join(_section(section) for section in sections if section)


def _section(imports: dict[str, str]) -> str:
    lines = [f"import {name}\n" for name in sorted(name for name in imports if not imports[name])]
    for module in sorted({*imports.values()} - {""}):
        names = sorted((n for n, m in imports.items() if m == module), key=_by_kind)
        line = f"from {module} import {', '.join(names)}\n"
        if len(line) > WIDTH + 1:
            listed = "".join(f"    {name},\n" for name in names)
            line = f"from {module} import (\n{listed})\n"
        lines.append(line)
    return "".join(lines)


def _by_kind(name: str) -> tuple[int, str]:
    """isort's order: constants, classes, the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)
