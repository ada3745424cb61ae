"""Folders of a host that it reads as a whole: to import each file, or to find its accounts.

A file that is added there is imported as a plugin, or taken for an account. Folders are read
from the code: literals, ``path.join``, ``__dirname``, constants, arguments. An unknown part
is a segment of its own, ``?``, that equals only itself.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from modify.baileys.search.cross_file import imports
from modify.kit.typescript.functions import Function, named
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    Source,
    arguments_of,
    callee_of,
    calls,
    nodes_of,
    string_value,
)
from skill.host import Host, fact
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Segments = tuple[str, ...]
MARKS = (b"readdir", b"glob", b"opendir", b"require-all", b"require-directory", b"requireDirectory")
READS = re.compile(
    r"(^|\.)(readdir|readdirSync|opendir|opendirSync|readdirp|glob|globSync|globby|globbySync"
    r"|requireDirectory|requireAll|requireDir)$|^import\.meta\.glob$|^(fg|fastGlob|glob)(\.sync)?$"
)
BESIDE_FILE = re.compile(r"^import\.meta\.glob$|require(Directory|All|Dir)$")
JOINS = re.compile(r"(^|\.)(join|resolve|normalize)$")
PASSES = re.compile(r"(^|\.)(fileURLToPath|pathToFileURL|String|dirname)$")
ANCHOR, UNKNOWN = "\0", "?"
DEEPEST = 6
MOST = 64
"""So many values of one expression are looked at: a name that is set in many places, from names
that are, may stand for millions."""


class Reading(NamedTuple):
    """A place that reads a folder. imports: whether its file imports what it finds by a name."""

    path: str
    line: int
    folder: Segments
    imports: bool
    only_folders: bool


@fact
def readings(host: Host) -> list[Reading]:
    """Return every place of the host that reads a folder."""
    return [each for source in readers(host) for each in readings_of(host, source)]


def readers(host: Host) -> Iterator[Source]:
    for file in host.with_suffix(*SCRIPTS):
        if is_among_tests(file.path):
            continue
        content = host.read(file.path)
        if any(mark in content for mark in MARKS) and (source := Source.readable(host, file.path)):
            yield source


def readings_of(host: Host, source: Source) -> Iterator[Reading]:
    imports = imports_by_name(source)
    for call in calls(source.root):
        given = [each for each in arguments_of(call) if each.text() != "module"]
        if not READS.search(callee_of(call)) or not given:
            continue
        around = next((o for o in call.ancestors() if o.kind() in FUNCTION_KINDS), source.root)
        line = call.range().start.line + 1
        from_file = BESIDE_FILE.search(callee_of(call)) is not None
        for folder in set(folders(host, source, given[0], from_file)):
            yield Reading(source.path, line, folder, imports, "isDirectory" in names(around))


def names(node: SgNode) -> set[str]:
    return {each.text() for each in nodes_of(node, "property_identifier")}


def imports_by_name(source: Source) -> bool:
    """Whether a file imports or requires a module that no literal names."""
    for call in calls(source.root):
        if callee_of(call) not in ("import", "require"):
            continue
        if any(string_value(each) is None for each in arguments_of(call)):
            return True
    return "import.meta.glob" in source.text or "requireDirectory(" in source.text


def folders(
    host: Host, source: Source, node: SgNode, beside_file: bool = False
) -> Iterator[Segments]:
    """The folders, from the host's root, that an expression may stand for.

    beside_file: a relative path is seen from the file, not from the working directory.
    """
    for pieces in islice(spelled(host, source, node, 0), MOST):
        anchors = [n for n, piece in enumerate(pieces) if piece.startswith(ANCHOR)]
        if anchors:
            yield normal("/".join([pieces[anchors[-1]][1:], *pieces[anchors[-1] + 1 :]]))
            continue
        own = posixpath.dirname(source.path)
        bases = {own} if beside_file else {"", package_of(host, own)}
        for base in bases:
            yield normal("/".join([base, *pieces]))


def package_of(host: Host, folder: str) -> str:
    """The nearest folder with a package.json: where its program is started."""
    while folder and not host.exists(posixpath.join(folder, "package.json")):
        folder = posixpath.dirname(folder)
    return folder


def normal(text: str) -> Segments:
    """Segments without ``.`` and ``..``; a glob pattern ends before its first wildcard."""
    kept: list[str] = []
    for segment in text.split("/"):
        if "*" in segment or segment.startswith("{"):
            break
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    return tuple(kept)


def spelled(host: Host, source: Source, node: SgNode, depth: int) -> Iterator[list[str]]:
    """The pieces of a path, for each thing that an expression may be."""
    kind, text = node.kind(), node.text()
    parts = [child for child in node.children() if child.is_named()]
    literal = string_value(node)
    if depth > DEEPEST:
        yield [UNKNOWN]
    elif literal is not None:
        yield [literal]
    elif kind == "template_string":
        yield [re.sub(r"\$\{(__dirname|[^}]*)\}", template_piece(source), text[1:-1])]
    elif text in ("__dirname", "import.meta.dirname", "import.meta.url", "__filename"):
        yield [ANCHOR + posixpath.dirname(source.path)]
    elif text == "process.cwd()":
        yield [ANCHOR]
    elif kind == "binary_expression" and node.field("operator") is not None:
        yield from combined(host, source, node, depth)
    elif kind in ("call_expression", "new_expression"):
        yield from called(host, source, node, depth)
    elif kind in ("identifier", "member_expression"):
        yield from named_value(host, source, node, depth)
    elif parts and kind in ("await_expression", "parenthesized_expression", "as_expression"):
        yield from spelled(host, source, parts[0], depth)
    elif kind == "array":
        for part in parts:
            yield from spelled(host, source, part, depth)
    else:
        yield [UNKNOWN]


def template_piece(source: Source) -> Callable[[re.Match[str]], str]:
    here = ANCHOR + posixpath.dirname(source.path)
    return lambda found: here if found[1] == "__dirname" else UNKNOWN


def combined(host: Host, source: Source, node: SgNode, depth: int) -> Iterator[list[str]]:
    left, right, operator = node.field("left"), node.field("right"), node.field("operator")
    if left is None or right is None or operator is None:
        return
    if operator.text() == "+":
        for one in spelled(host, source, left, depth + 1):
            for other in spelled(host, source, right, depth + 1):
                yield [*one, *other]
        return
    yield from spelled(host, source, left, depth + 1)
    yield from spelled(host, source, right, depth + 1)


def called(host: Host, source: Source, node: SgNode, depth: int) -> Iterator[list[str]]:
    made = node.field("constructor")
    callee = callee_of(node) if made is None else made.text()
    given = arguments_of(node)
    if made is not None and callee == "URL" and len(given) == 2:
        for pieces in spelled(host, source, given[0], depth + 1):
            yield [ANCHOR + posixpath.dirname(source.path), *pieces]
    elif PASSES.search(callee) and given:
        # The folder of a file: __filename and import.meta.url stand for theirs already.
        yield from spelled(host, source, given[0], depth + 1)
    elif JOINS.search(callee):
        whole: list[str] = []
        for each in given:
            first = next(iter(spelled(host, source, each, depth + 1)), [UNKNOWN])
            whole += first
        yield whole
    else:
        yield [UNKNOWN]


def named_value(host: Host, source: Source, node: SgNode, depth: int) -> Iterator[list[str]]:
    """The values of a name: from its file, from the one it is imported from, or from callers."""
    text = node.text()
    found = False
    for value in assigned(host, source).get(text, ()):
        found = True
        yield from spelled(host, source, value, depth + 1)
    if not found:
        for pieces in from_elsewhere(host, source, node, depth):
            found = True
            yield pieces
    if not found:
        yield [UNKNOWN + text]


@fact
def assigned(_host: Host, source: Source) -> dict[str, list[SgNode]]:
    """Return the values of each name of a file, in its declarations and assignments."""
    values: dict[str, list[SgNode]] = {}
    for kind, target, value in (
        ("variable_declarator", "name", "value"),
        ("assignment_expression", "left", "right"),
    ):
        for each in nodes_of(source.root, kind):
            left, right = each.field(target), each.field(value)
            if left is not None and right is not None:
                values.setdefault(left.text(), []).append(right)
    return values


def from_elsewhere(host: Host, source: Source, node: SgNode, depth: int) -> Iterator[list[str]]:
    text = node.text()
    for path in imported_from(host, source, text):
        if (other := Source.readable(host, path)) is None:
            continue
        for declarator in nodes_of(other.root, "variable_declarator"):
            name, value = declarator.field("name"), declarator.field("value")
            if name is not None and value is not None and name.text() == text:
                yield from spelled(host, other, value, depth + 1)
    for outer in node.ancestors():
        if outer.kind() not in FUNCTION_KINDS:
            continue
        own = named(outer)
        parameters = Function(outer, "", "").parameter_names
        if own is None or text not in parameters:
            continue
        place = parameters.index(text)
        for call in source.called.get(own.name, ()):
            if len(arguments_of(call)) > place:
                yield from spelled(host, source, arguments_of(call)[place], depth + 1)


def imported_from(host: Host, source: Source, name: str) -> Iterator[str]:
    for path, taken in imports(host, source):
        if name in taken:
            yield path


# --- what follows from it -------------------------------------------------------------------


@fact
def folders_read(host: Host) -> set[Segments]:
    """Return the folders that the host reads; its own root only where it imports from it.

    Most read their root to tidy up. A folder of sources is read to import.
    """
    return {each.folder for each in readings(host) if each.folder or each.imports}


def is_read_whole(host: Host, folder: str) -> bool:
    """Whether the host reads a folder of its source, or one around it with all below it."""
    parts, read = normal(folder), folders_read(host)
    if not parts:
        return () in read
    return any(parts[:end] in read for end in range(1, len(parts) + 1))


def place_for(host: Host, folder: str) -> str:
    """The folder itself, or the nearest one above it that the host does not read as a whole."""
    while is_read_whole(host, folder):
        if host.exists(posixpath.join(folder, "package.json")) or not folder:
            inside = (posixpath.join(folder, name) for name in ("lib", "utils"))
            free = (each for each in inside if not is_read_whole(host, each))
            return next(free, posixpath.join(folder, "reconnect"))
        folder = posixpath.dirname(folder)
    return folder


@fact
def folders_listed(host: Host) -> dict[Segments, tuple[int, Reading]]:
    """Return the first reading of each folder whose files count, with its number."""
    listed: dict[Segments, tuple[int, Reading]] = {}
    for number, reading in enumerate(readings(host)):
        if reading.folder and not reading.only_folders:
            listed.setdefault(likeness(reading.folder), (number, reading))
    return listed


def taken_for_accounts(host: Host, source: Source, auth: SgNode) -> Reading | None:
    """Where the host lists what lies beside a credentials folder, files included."""
    listed = folders_listed(host)
    beside = [path[:-1] for path in folders(host, source, auth) if len(path) > 1]
    found = [
        listed[key] for each in beside if each[0] != UNKNOWN and (key := likeness(each)) in listed
    ]
    return min(found)[1] if found else None


def likeness(folder: Segments) -> Segments:
    """The same for two folders of a beginning that is known; names may differ below."""
    below = (UNKNOWN if each.startswith(UNKNOWN) else each for each in folder[1:])
    return (folder[0], *below)
