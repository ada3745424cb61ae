"""Which modules import which: ``python -m tests.slow.setup.imports`` prints cycles and lazy ones.

Imports that run count, those inside functions too; those for type checkers alone do not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("skill", "add", "modify")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Import:
    """One import of one of our modules. inside: it is in a function. why: the comment above it."""

    module: str
    line: int
    target: str
    inside: bool
    why: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def modules(rooms: tuple[str, ...] = ROOMS) -> dict[str, Path]:
    """The files of these rooms by their dotted names."""
    found = {}
    for room in rooms:
        for file in sorted((ROOT / room).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(known: Mapping[str, Path]) -> list[Import]:
    """Every import that runs of one of these modules by another."""
    found = []
    for module, file in known.items():
        text = file.read_text("utf-8")
        lines = text.split("\n")
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for node, inside in _running(ast.parse(text), inside=False):
            for target in _targets(node, package, known):
                why = _comment_above(lines, node.lineno - 1)
                found.append(Import(module, node.lineno, target, inside, why))
    return found


def _running(node: ast.AST, inside: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, inside
        elif isinstance(child, ast.If) and _is_for_checkers(child.test):
            continue
        elif not isinstance(child, ast.expr):
            yield from _running(child, inside or isinstance(child, FUNCTIONS))


def _is_for_checkers(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _targets(
    node: ast.Import | ast.ImportFrom, package: str, known: Mapping[str, Path]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names if name.name in known)
        return
    base = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*above, *([node.module] if node.module else [])])
    named = (
        f"{base}.{name.name}" if f"{base}.{name.name}" in known else base for name in node.names
    )
    yield from (target for target in dict.fromkeys(named) if target in known)


def _comment_above(lines: list[str], at: int) -> str:
    """Of a block of imports, the comment above its first one."""
    while at and lines[at - 1].lstrip().startswith(("from ", "import ")):
        at -= 1
    above = lines[at - 1].strip()
    return above.removeprefix("#").strip() if above.startswith("#") else ""


def cycles(found: list[Import]) -> list[list[str]]:
    """Modules that import one another, directly or by others."""
    after: dict[str, set[str]] = {}
    for one in found:
        after.setdefault(one.module, set()).add(one.target)
    reached = {module: _reached(module, after) for module in after}
    together = {
        tuple(sorted(other for other in seen if module in reached.get(other, ())))
        for module, seen in reached.items()
        if module in seen
    }
    return [list(group) for group in sorted(together)]


def _reached(module: str, after: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for target in after.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def main() -> None:
    found = imports(modules())
    for group in cycles(found):
        print(f"cycle of {len(group)}: {', '.join(group)}")
    lazy = [one for one in found if one.inside]
    for one in lazy:
        print(f"{one}  # {one.why}" if one.why else str(one))
    print(f"{len(lazy)} inside functions, {len(cycles(found))} cycles", file=sys.stderr)


if __name__ == "__main__":
    main()
