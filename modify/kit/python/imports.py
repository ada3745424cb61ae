"""Where an import of the added module goes, and what it is called there.

As the host's linter would have it: in the group of the host's own imports, in order of the
module's name; relative where the host's own imports are relative.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from modify.kit.python.source import Source, all_of, dotted
from skill.edit import Edit
from skill.host import Host


def folder_package(host: Host, source: Source) -> tuple[str, bool]:
    """How a file names its own folder: ``bot.channels``, ``.`` or nothing; whether relative.

    Nothing: the folder is on the path itself, as for a script.
    """
    parts = posixpath.dirname(source.path).split("/")
    own = [name for name, _ in own_imports(host, source)]
    relative = [name for name in own if name.startswith(".")]
    if relative and len(relative) == len(own):
        return ".", True
    for name in own:
        first = name.partition(".")[0]
        if first and first in parts:
            return ".".join(parts[parts.index(first) :]), False
    outer = root_package(host, source)
    if outer:
        return ".".join([outer, *filter(None, parts)]), False
    depth = len(parts)
    while depth and host.exists("/".join([*parts[:depth], "__init__.py"])):
        depth -= 1
    package = parts[depth:]
    if package and package != [""]:
        return (".", True) if relative else (".".join(package), False)
    return "", False


def root_package(host: Host, source: Source) -> str:
    """The import name of the host's own folder, where the checkout itself is the package; else "".

    ``from heron.channels.base import …`` in ``channels/whatsapp.py``, beside ``channels/base.py``.
    """
    top = source.path.split("/")[:-1][:1]
    for node in all_of(source.module, cst.ImportFrom, functions=True):
        names = dotted(node.module).split(".")
        if node.relative or len(names) < 2 or host.exists(f"{names[0]}/__init__.py"):
            continue
        for count in range(1, len(names)):
            inner = names[count:]
            here = inner[:1] == top if top else host.exists("__init__.py")
            path = "/".join(inner)
            if here and (host.exists(path + ".py") or host.exists(path + "/__init__.py")):
                return ".".join(names[:count])
    return ""


def own_imports(host: Host, source: Source) -> Iterator[tuple[str, cst.ImportFrom]]:
    """The host's own modules that a file imports from, by the name it uses."""
    folder = posixpath.dirname(source.path)
    parts = folder.split("/") if folder else []
    for node in all_of(source.module, cst.ImportFrom, functions=True):
        dots, name = "." * len(node.relative), dotted(node.module)
        first = name.partition(".")[0]
        near = posixpath.join(folder, first)
        if dots or first in parts or host.exists(near + ".py"):
            yield dots + name, node
        elif host.exists(first + ".py") or host.exists(first + "/__init__.py"):
            yield name, node


def import_edit(host: Host, source: Source, module: str, name: str, rule: str) -> Edit | None:
    """The line that imports ``name`` from a module beside the file; None if it stands there."""
    package, relative = folder_package(host, source)
    path = f".{module}" if relative else f"{package}.{module}".lstrip(".")
    line = f"from {path} import {name}"
    statements = top_imports(source)
    if any(source.text(statement) == line for statement in statements):
        return None
    same = [s for s in statements if section_of(s) == section_name(path)]
    for statement in same:
        if sort_key(statement) > (1, path.lower()):
            return source.before(statement, line, rule)
    if same:
        return source.after(same[-1], line, rule)
    relatives = [s for s in statements if section_of(s) == "."]
    if relatives:
        return source.before(relatives[0], line + "\n", rule)
    if statements:
        last = statements[-1]
        own = {dotted(node.module).partition(".")[0] for _, node in own_imports(host, source)}
        gap = "" if section_of(last) in own else "\n"
        return source.after(last, gap + line, rule)
    return first_import(source, line, rule)


def first_import(source: Source, line: str, rule: str) -> Edit:
    body = list(source.module.body)
    docstring = source.module.get_docstring() is not None
    if docstring:
        return source.after(body[0], "\n" + line, rule)
    if body:
        return source.before(body[0], line + "\n\n", rule)
    return Edit(len(source.content), len(source.content), line.encode() + source.newline, rule)


def top_imports(source: Source) -> list[cst.SimpleStatementLine]:
    """The import statements at the top, ``__future__`` too, until the first other code."""
    found = []
    for statement in source.module.body:
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(
            statement.body[0], (cst.Import, cst.ImportFrom)
        ):
            found.append(statement)
        elif found and isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
            break
    return found


def section_name(module: str) -> str:
    return "." if module.startswith(".") else module.partition(".")[0]


def section_of(statement: cst.SimpleStatementLine) -> str:
    """The first part of the imported name; ``.`` for a relative import."""
    node = statement.body[0]
    if isinstance(node, cst.ImportFrom):
        return "." if node.relative else dotted(node.module).partition(".")[0]
    assert isinstance(node, cst.Import)
    return dotted(node.names[0].name).partition(".")[0]


def sort_key(statement: cst.SimpleStatementLine) -> tuple[int, str]:
    """Plain imports before ``from`` imports, each by name, as isort and ruff order them."""
    node = statement.body[0]
    if isinstance(node, cst.ImportFrom):
        dots = len(node.relative)
        return (1 if dots < 2 else 0), "." * dots + dotted(node.module).lower()
    assert isinstance(node, cst.Import)
    return 0, dotted(node.names[0].name).lower()


def unused_import(source: Source, name: str, gone: int, rule: str) -> Edit | None:
    """Take an import away whose last ``gone`` uses the other edits remove."""
    uses, imports = 0, list[cst.SimpleStatementLine]()
    for node in all_of(source.module, cst.Name, functions=True):
        if node.value == name:
            uses += 1
    for statement in all_of(source.module, cst.SimpleStatementLine, functions=True):
        first = statement.body[0]
        if isinstance(first, cst.Import) and any(
            (item.evaluated_alias or dotted(item.name)) == name for item in first.names
        ):
            imports.append(statement)
    if len(imports) != 1 or uses - 1 != gone:
        return None
    statement = imports[0]
    only = statement.body[0]
    assert isinstance(only, cst.Import)
    if len(statement.body) != 1 or len(only.names) != 1:
        return None
    edit = source.remove(statement, rule)
    top = edit.start == source.offset
    above = source.content[source.line_start(edit.start - 1) : edit.start] if not top else b""
    below = source.content[edit.end : source.line_end(edit.end)]
    if above.strip() or below.strip():
        return edit
    # A group of its own: one of the two empty lines around it goes, too.
    return replace(edit, end=source.content.find(b"\n", edit.end) + 1 or edit.end)
