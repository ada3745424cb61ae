"""The text that Python code writes into a unit: names followed to their values, nothing run.

``ExecStart={command}`` says what it starts only a few assignments, parameters and helper
functions further up. They are followed as a reader would: literals, lists that are joined,
quoting helpers, ``return`` of the host's own functions. What stays computed is a hole again,
``${config.port}``; where two values are possible there is none.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from modify.kit.python.tree import Function, nodes_around, parse, statements
from skill.host import Host, fact

Value = str | list[str]
DEEPEST = 8
# Calls that hand back what they are given, in another writing.
SAME = re.compile(r"quote|^str$|^fspath$|^Path$|^abspath$|^realpath$|^expanduser$|^list$|^tuple$")
SAME_METHODS = {"as_posix", "resolve", "absolute", "expanduser", "strip", "rstrip", "lstrip"}
ONLY_HOLE = re.compile(r"\$\{[\w.]*\}")
INTERPRETERS = {"sys.executable"}
WRITES = ("write_text", "write")
FILLS_IN = ("format", "substitute", "safe_substitute")


@dataclass
class PythonFile:
    """One file of the host, read with ``ast``; names as they are at a line of it."""

    host: Host
    path: str
    tree: ast.Module

    @cached_property
    def statements(self) -> list[ast.stmt]:
        return list(statements(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in self.statements if isinstance(node, Function)]

    def calls(self, *words: str) -> list[ast.Call]:
        """The calls in which one of the words stands."""
        content = self.host.read(self.path)
        nodes = nodes_around(self.tree, content, *(word.encode() for word in words))
        return [node for node in nodes if isinstance(node, ast.Call)]

    @cached_property
    def imports(self) -> dict[str, tuple[ast.ImportFrom, str]]:
        """``from x import name as here``: here → the statement and the name there."""
        return {
            alias.asname or alias.name: (node, alias.name)
            for node in reversed(self.statements)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def own_nodes(self, scope: Function | ast.Module) -> list[ast.AST]:
        """The nodes of a scope in their order, without nested functions and classes."""
        known = self._own.get(id(scope))
        if known is None:
            known = self._own[id(scope)] = list(own_nodes(scope))
        return known

    @cached_property
    def _own(self) -> dict[int, list[ast.AST]]:
        return {}

    def function(self, name: str) -> Function | None:
        """The one function or method of that name."""
        found = [item for item in self.functions if item.name == name]
        return found[0] if len(found) == 1 else None

    def around(self, line: int) -> Function | None:
        """The innermost function that a line stands in."""
        inner = [f for f in self.functions if f.lineno <= line <= (f.end_lineno or f.lineno)]
        return max(inner, key=lambda f: f.lineno, default=None)

    def imported(self, name: str, steps: int = 4) -> tuple[PythonFile, str] | None:
        """The host's file where ``from x import name`` leads, through packages that pass it on."""
        if name not in self.imports:
            return None
        node, there = self.imports[name]
        other = self.module(node.module or "", node.level)
        if other is None or other is self:
            return None
        further = other.imported(there, steps - 1) if steps else None
        return further or (other, there)

    def module(self, name: str, dots: int) -> PythonFile | None:
        folder = posixpath.dirname(self.path)
        for _ in range(dots - 1):
            folder = posixpath.dirname(folder)
        bases = [folder] if dots else ["", "src", folder]
        for base in bases:
            stem = posixpath.join(base, name.replace(".", "/"))
            for path in (f"{stem}.py", f"{stem}/__init__.py"):
                if self.host.exists(path):
                    return python_file(self.host, path)
        return None


@fact
def python_file(host: Host, path: str) -> PythonFile | None:
    """Return a file's names and values; None for what this Python cannot read."""
    tree = parse(host.read(path))
    return PythonFile(host, path, tree) if tree is not None else None


@dataclass
class Reader:
    """Reads expressions in a function of a file, its parameters bound to values."""

    file: PythonFile
    scope: Function | None = None
    bound: dict[str, Value] = field(default_factory=dict)
    depth: int = 0

    def text(self, node: ast.expr) -> str:
        """The text of an expression; a hole where it is computed."""
        found = self.value(node)
        return found if isinstance(found, str) else hole(node)

    def words(self, node: ast.expr) -> list[str] | None:
        found = self.value(node)
        return found if isinstance(found, list) else None

    def value(self, node: ast.expr) -> Value | None:
        if self.depth > DEEPEST:
            return None
        if isinstance(node, ast.Constant):
            return str(node.value) if isinstance(node.value, str | int | float) else None
        if isinstance(node, ast.JoinedStr):
            return "".join(
                self.text(part.value) if isinstance(part, ast.FormattedValue) else self.text(part)
                for part in node.values
            )
        if isinstance(node, ast.List | ast.Tuple):
            return list(self.elements(node.elts))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.sum(node)
        if isinstance(node, ast.BoolOp):
            return next((v for item in node.values if (v := self.value(item)) is not None), None)
        if isinstance(node, ast.IfExp):
            return self.value(node.body) or self.value(node.orelse)
        if isinstance(node, ast.GeneratorExp | ast.ListComp):
            return self.each(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Name):
            return self.name(node)
        if ast.unparse(node) in INTERPRETERS:
            return "python"
        return None

    def sum(self, node: ast.BinOp) -> Value | None:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, list) and isinstance(right, list):
            return left + right
        if isinstance(left, list) or isinstance(right, list):
            return None
        return self.text(node.left) + self.text(node.right)

    def elements(self, nodes: list[ast.expr]) -> Iterator[str]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from self.words(node.value) or [hole(node.value)]
            else:
                yield self.text(node)

    def each(self, node: ast.GeneratorExp | ast.ListComp) -> Value | None:
        """``quote(part) for part in command``: the items, as they are."""
        only = node.generators[0]
        if len(node.generators) != 1 or only.ifs or not isinstance(only.target, ast.Name):
            return None
        item = node.elt
        if isinstance(item, ast.Call) and len(item.args) == 1 and not item.keywords:
            item = item.args[0]
        same = isinstance(item, ast.Name) and item.id == only.target.id
        return self.words(only.iter) if same else None

    # --- calls ---

    def call(self, node: ast.Call) -> Value | None:
        function, given = node.func, node.args
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        if isinstance(function, ast.Attribute):
            if name == "join" and len(given) == 1:
                return self.joined(function.value, given[0])
            if name == "which" and given:
                return self.value(given[0])
            if name in SAME_METHODS and not given:
                return self.value(function.value) or hole(function.value)
        if SAME.search(name) and len(given) == 1:
            found = self.value(given[0])
            return hole(given[0]) if found is None else found
        return self.called(name, node)

    def joined(self, separator: ast.expr, given: ast.expr) -> str | None:
        items = self.words(given)
        if items is None:
            return None
        if isinstance(separator, ast.Constant) and isinstance(separator.value, str):
            return separator.value.join(items)
        return " ".join(items)  # shlex.join

    def called(self, name: str, node: ast.Call) -> Value | None:
        """The return value of the host's own function, if there is only one; else None."""
        file: PythonFile | None = self.file
        target = self.file.function(name)
        if target is None:
            found = self.file.imported(name)
            file, name = found if found else (None, name)
            target = file.function(name) if file else None
        if target is None or file is None:
            return None
        inner = Reader(file, target, self.arguments(target, node), self.depth + 1)
        values = [
            inner.value(statement.value)
            for statement in ast.walk(target)
            if isinstance(statement, ast.Return) and statement.value is not None
        ]
        return values[0] if values and all(v == values[0] for v in values) else None

    def arguments(self, target: Function, node: ast.Call) -> dict[str, Value]:
        names = [item.arg for item in (*target.args.posonlyargs, *target.args.args)]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        given = dict(zip(names, node.args, strict=False))
        given |= {item.arg: item.value for item in node.keywords if item.arg}
        values = {key: self.value(item) for key, item in given.items()}
        return {key: hole(given[key]) if value is None else value for key, value in values.items()}

    # --- names ---

    def name(self, node: ast.Name) -> Value | None:
        if node.id in self.bound:
            return self.bound[node.id]
        if self.scope is not None:
            if self.is_assigned(self.scope, node.id):
                return self.assigned(self.scope, node.id)
            if node.id in parameters(self.scope):
                return self.passed(self.scope, node.id)
        if self.is_assigned(self.file.tree, node.id):
            return self.assigned(self.file.tree, node.id)
        other = self.file.imported(node.id)
        if other is None:
            return None
        inner = Reader(other[0], None, {}, self.depth + 1)
        return inner.assigned(other[0].tree, other[1])

    def is_assigned(self, scope: Function | ast.Module, name: str) -> bool:
        return any(True for _ in values_of(self.file.own_nodes(scope), name))

    def assigned(self, scope: Function | ast.Module, name: str) -> Value | None:
        """The one value that a name is given, and what is appended to it."""
        nodes = self.file.own_nodes(scope)
        values = list(values_of(nodes, name))
        inner = Reader(self.file, self.scope, self.bound, self.depth + 1)
        found = [inner.value(value) for value in values]
        if not found or any(item != found[0] for item in found):
            return None
        first = found[0]
        if isinstance(first, list):
            return [*first, *inner.appended(nodes, name)]
        return first

    def appended(self, nodes: list[ast.AST], name: str) -> Iterator[str]:
        for node in nodes:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            if not isinstance(owner, ast.Name) or owner.id != name or len(node.args) != 1:
                continue
            if node.func.attr == "append":
                yield self.text(node.args[0])
            elif node.func.attr == "extend":
                yield from self.words(node.args[0]) or []

    def passed(self, scope: Function, name: str) -> Value | None:
        """The argument that every caller passes for a parameter; None if they differ."""
        found = []
        for node in self.file.calls(scope.name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            if called == scope.name:
                outer = Reader(self.file, self.file.around(node.lineno), {}, self.depth + 1)
                found.append(outer.arguments(scope, node).get(name))
        return found[0] if found and all(v == found[0] for v in found) else None


def hole(node: ast.expr) -> str:
    """``${config.port}`` for what is computed."""
    text = ast.unparse(node)
    return "${" + re.sub(r"[^\w.]+", "_", text).strip("_") + "}"


def parameters(scope: Function) -> set[str]:
    every = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
    return {item.arg for item in every}


def values_of(nodes: list[ast.AST], name: str) -> Iterator[ast.expr]:
    """The values that a name is given among some nodes."""
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                yield node.value


def own_nodes(scope: Function | ast.Module) -> Iterator[ast.AST]:
    """The nodes of a scope in their order, without nested functions and classes."""
    for node in scope.body:
        yield from _own(node)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, Function | ast.ClassDef | ast.Lambda):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


# --- holes of a unit ---------------------------------------------------------------------------


def resolve(host: Host, path: str, line: int, written: str) -> tuple[str, ...]:
    """The possible texts of a hole in a unit: ``{command}``, ``${config.run_script}``."""
    file = python_file(host, path)
    inner = written.removeprefix("$").removeprefix("{").removesuffix("}")
    if file is None or not inner.strip():
        return ()
    script = written_script(file, inner.rpartition(".")[2]) if "." in inner else None
    if script is not None:
        return (script,)
    try:
        node = ast.parse(inner.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    reader = Reader(file, file.around(line))
    found = reader.value(node)
    if found is None and isinstance(node, ast.Name):
        found = formatted(file, node.id)
    if isinstance(found, list):
        found = " ".join(found)
    return (found,) if found and not ONLY_HOLE.fullmatch(found) else ()


def formatted(file: PythonFile, name: str) -> Value | None:
    """``name`` of a template that is filled in by ``.format(name=…)``."""
    found = []
    for node in file.calls(*FILLS_IN):
        if not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in FILLS_IN:
            reader = Reader(file, file.around(node.lineno))
            found += [reader.value(k.value) for k in node.keywords if k.arg == name]
    return found[0] if found and all(v == found[0] for v in found) else None


def written_script(file: PythonFile, name: str) -> str | None:
    """The command of a shell script that this file writes to ``….name``: its ``exec`` line."""
    for node in file.calls(*WRITES):
        if not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        if node.func.attr not in WRITES or not node.args:
            continue
        if not isinstance(owner, ast.Attribute) or owner.attr != name:
            continue
        text = Reader(file, file.around(node.lineno)).text(node.args[0])
        if text.startswith("#!"):
            commands = re.findall(r"^[ \t]*exec[ \t]+(.+)$", text, re.MULTILINE)
            return commands[-1] if len(commands) == 1 else None
    return None
