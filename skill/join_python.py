"""The source files of the Python reconnect module -> the one file that a host gains.

In add/ the module is several files that import each other, so that each can be read and
checked for itself. A host gets what its profile's own file defines, and of the others what
that uses, directly or not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

WIDTH = 79


@dataclass(frozen=True)
class Definition:
    """One statement at the top level, its comments included, and the names in it."""

    names: frozenset[str]
    text: str
    uses: frozenset[str]
    is_block: bool


@dataclass
class Module:
    """One source file: ``imports`` maps a name to its module, "" for a plain import."""

    doc: str
    imports: dict[str, str] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)


def parse(source: str) -> Module:
    """A source file, read; raises ValueError where it does more than import and define."""
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
            module.definitions.append(_definition(node, lines))
    return module


def _definition(node: ast.stmt, lines: list[str]) -> Definition:
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(found.lineno for found in decorators)]) - 1
    while start and lines[start - 1].startswith("#"):
        start -= 1
    text = "\n".join(lines[start : node.end_lineno])
    used = {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}
    is_block = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    return Definition(_names(node), text, frozenset(used), is_block)


def _names(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset({node.name})
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    if not names:
        raise ValueError(f"line {node.lineno}: neither an import nor a definition")
    return frozenset(names)


def used(modules: Iterable[Module], roots: Iterable[Module]) -> list[Definition]:
    """The definitions of the roots and what they need of the others, in their order."""
    found: dict[str, Definition] = {}
    for module in modules:
        for one in module.definitions:
            for name in one.names:
                if found.setdefault(name, one).text != one.text:
                    raise ValueError(f"{name} is defined twice")
    wanted = [name for root in roots for one in root.definitions for name in one.names]
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in found and name not in kept:
            kept.add(name)
            wanted += found[name].uses
    return [one for name, one in found.items() if name in kept and name == min(one.names)]


def joined(
    doc: str, modules: list[Module], roots: list[Module], package: str, own: str = ""
) -> str:
    """One module: its docstring, its imports, then the definitions.

    package: what is imported from there is joined here; or it is, in the host, in ``own``.
    """
    kept = used(modules, roots)
    names = {name for one in kept for name in one.uses}
    imports = {}
    for module in modules:
        for name, place in module.imports.items():
            joins = place.startswith(f"{package}.")
            if name in names and not (joins and not own):
                imports[name] = own if joins else place
    end = "\n" if "\n" in doc else ""
    text = f'"""{doc}{end}"""\n\nfrom __future__ import annotations\n\n{import_lines(imports, own)}'
    before = None
    for one in kept:
        apart = before is None or before.is_block or one.is_block or one.text.startswith("#")
        gap = "\n\n" if one.is_block or (before and before.is_block) else "\n" if apart else ""
        text += f"{gap}{one.text}\n"
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
