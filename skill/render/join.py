"""The source files of the reconnect module -> the one file that a host gains.

In add/ the module is several files that import each other, so that each can be read and
checked for itself. Code that nothing in the joined file uses is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from skill.render.style import ModuleSystem

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PUBLIC = frozenset(
    {
        "DialHooks",
        "Reconnect",
        "ReconnectOptions",
        "authState",
        "socket",
    }
)
"""The names that hosts import."""
SURFACE = frozenset(
    {
        "constructor",
        "dial",
        "exitIfAlone",
        "stop",
        "socket",
        "terminal",
        "watch",
        # Of an Error.
        "name",
    }
)
"""The members of those that hosts, and JavaScript itself, use."""

_NAMED = re.compile(r"^import \{\s+(.+?),?\s+\} from '([^']+)';\n", re.M | re.S)
_WHOLE = re.compile(r"^import \* as (\w+) from '([^']+)';\n", re.M)
_DECLARATIONS = frozenset(
    {
        "abstract_class_declaration",
        "class_declaration",
        "function_declaration",
        "interface_declaration",
        "lexical_declaration",
        "type_alias_declaration",
    }
)
# A name, and one that is no member of something.
_PLAIN_WORD = re.compile(r"[\w$]+")
_WORD = re.compile(r"(?<![\w$.])[\w$]+")
_MEMBERS = (
    "abstract_method_signature",
    "method_definition",
    "method_signature",
    "property_signature",
    "public_field_definition",
)


@lru_cache(maxsize=16)
def join(texts: tuple[str, ...], modules: ModuleSystem) -> str:
    """One module: its imports, merged, then the body of each text in their order."""
    named: dict[str, set[str]] = {}
    whole: dict[str, str] = {}
    bodies = []
    for text in texts:
        for names, module in _NAMED.findall(text):
            if not module.startswith("."):
                named.setdefault(module, set()).update(re.split(r",\s+", names.strip(",\n ")))
        whole.update({module: name for name, module in _WHOLE.findall(text)})
        bodies.append(_WHOLE.sub("", _NAMED.sub("", text)).strip("\n"))
    body = _private(_without_unused("\n\n".join(bodies) + "\n"), modules)
    lines = []
    for module in sorted({*named, *whole}):
        if module in whole:
            if _uses(body, whole[module]):
                lines.append(_import(f"* as {whole[module]}", module, modules))
            continue
        used = sorted((n for n in named[module] if _uses(body, n)), key=lambda n: (n.lower(), n))
        if used:
            lines.append(_import(f"{{ {', '.join(used)} }}", module, modules))
    return "".join([*lines, "\n", body])


def _import(names: str, module: str, modules: ModuleSystem) -> str:
    if modules == "commonjs":
        return f"const {names.removeprefix('* as ')} = require('{module}');\n"
    return f"import {names} from '{module}';\n"


def _uses(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", text) is not None


def _private(body: str, modules: ModuleSystem) -> str:
    """The body, where only what hosts import is exported."""
    exported = re.compile(r"^export ((?:[a-z]+ )+)(\w+)", re.M)
    names = [name for kind, name in exported.findall(body) if name in PUBLIC]
    if modules == "esm":
        return exported.sub(lambda m: m[0] if m[2] in PUBLIC else m[1] + m[2], body)
    plain = exported.sub(lambda m: m[1] + m[2], body)
    return f"{plain}\nmodule.exports = {{ {', '.join(sorted(names))} }};\n"


def _without_unused(body: str) -> str:
    """The body without declarations and members, and their comments, that nothing in it uses."""
    from ast_grep_py import SgRoot

    while True:
        root = SgRoot(body, "typescript").root()
        uses = Counter(_WORD.findall(body))
        spans = [span for node in root.children() if (span := _unused(node, body, uses))]
        # One by one: two that stand side by side share a blank line.
        spans = spans or _unused_members(root, body)[:1]
        if not spans:
            return re.sub(r"\n{3,}", "\n\n", body)
        for start, end in reversed(spans):
            body = body[:start] + body[end:]


def _unused_members(root: SgNode, body: str) -> list[tuple[int, int]]:
    """Where the members stand whose names are nowhere but in their own definitions."""
    members: dict[str, list[tuple[int, int]]] = {}
    names: dict[str, int] = {}
    for kind in _MEMBERS:
        for node in root.find_all(kind=kind):
            name = node.field("name")
            if name is None or name.text() in SURFACE or _is_public_type(node):
                continue
            members.setdefault(name.text(), []).append(_lines_of(node, body))
            names[name.text()] = names.get(name.text(), 0) + 1
    bare = re.sub(r"/\*\*.*?\*/|^ *//.*?$", "", body, flags=re.S | re.M)
    words = Counter(_PLAIN_WORD.findall(bare))
    return [span for name, count in names.items() if words[name] == count for span in members[name]]


def _is_public_type(member: SgNode) -> bool:
    """Whether hosts give or get objects of the interface that a member belongs to."""
    for outer in member.ancestors():
        if outer.kind() in {"interface_declaration", "type_alias_declaration"}:
            name = outer.field("name")
            return name is None or name.text() in PUBLIC
    return False


def _lines_of(node: SgNode, body: str) -> tuple[int, int]:
    """The lines of a member and its comment, and the blank line that would be one too many."""
    span = node.range()
    start, end = span.start.index, body.index("\n", span.end.index) + 1
    before = node.prev()
    if before is not None and before.kind() == "comment" and before.text().startswith("/**"):
        start = before.range().start.index
    start = body.rindex("\n", 0, start) + 1
    above, below = body[:start], body[end:]
    if below.startswith("\n") and above.endswith(("\n\n", "{\n")):
        return start, end + 1
    if above.endswith("\n\n") and below.lstrip(" ").startswith("}"):
        return start - 1, end
    return start, end


def _unused(node: SgNode, body: str, uses: Counter[str]) -> tuple[int, int] | None:
    """Where a declaration stands that nothing else uses. uses: how often each word is used."""
    inner = node
    if node.kind() == "export_statement":
        inner = node.field("declaration") or node
    if inner.kind() not in _DECLARATIONS:
        return None
    named = inner.find(kind="variable_declarator") if "lexical" in inner.kind() else inner
    name = named.field("name") if named is not None else None
    if name is None or name.text() in PUBLIC:
        return None
    span = node.range()
    start, end = span.start.index, span.end.index
    if uses[name.text()] > _WORD.findall(body[start:end]).count(name.text()):
        return None
    before = node.prev()
    if before is not None and before.kind() == "comment" and before.text().startswith("/**"):
        start = before.range().start.index
    return start, body.index("\n", end) + 1
