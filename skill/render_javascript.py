"""The TypeScript of add/ -> the same program as JavaScript, for hosts without TypeScript.

Types are taken out by their place in the tree; everything else stays as it is written.
What they say about the exported names goes on as JSDoc. No compiler is needed: the files
in add/ hold only syntax that can be erased, and a test runs what comes out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from skill.style import ModuleSystem

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Edits = list[tuple[int, int, str]]

ERASED = frozenset(
    {"type_annotation", "type_predicate_annotation", "type_parameters", "type_arguments"}
)
MODIFIERS = frozenset({"accessibility_modifier", "override_modifier", "readonly"})
DECLARATIONS = frozenset({"interface_declaration", "type_alias_declaration"})
SIMPLE = frozenset({"identifier", "member_expression", "call_expression", "subscript_expression"})
NO_CHECK = "// @ts-nocheck\n"


def javascript(source: str, modules: ModuleSystem) -> str:
    """Canonical JavaScript for canonical TypeScript."""
    from ast_grep_py import SgRoot

    root = SgRoot(source, "typescript").root()
    edits: Edits = []
    kept = _kept_types(root)
    for node in root.children():
        _declaration(node, source, kept, edits)
    exported = _exported(root) if modules == "commonjs" else []
    if modules == "commonjs":
        _require(root, edits)
    first = next(node for node in root.children() if node.kind() == "import_statement")
    edits.append((_start(first), _start(first), "//\n" + NO_CHECK))
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    if exported:
        source += f"\nmodule.exports = {{ {', '.join(exported)} }};\n"
    return source


def _declaration(node: SgNode, source: str, kept: set[str], edits: Edits) -> None:
    """A statement of the module: a type goes or becomes JSDoc, the rest loses its types."""
    inner = _inside_export(node)
    if inner.kind() not in DECLARATIONS:
        if inner.kind() == "class_declaration" and inner is not node:
            _document(inner, source, edits)
        _erase(node, source, edits)
        return
    start, end = _start(node), source.index("\n", _end(node)) + 1
    comment = node.prev()
    words = ""
    if comment is not None and comment.kind() == "comment" and _touches(comment, node):
        start, words = _start(comment), _words(comment.text())
    name = inner.field("name")
    if name is not None and name.text() in kept:
        edits.append((start, end, _typedef(inner, words)))
    else:
        edits.append((start, end + 1, ""))  # the blank line, too


def _erase(node: SgNode, source: str, edits: Edits) -> None:
    kind, start, end = node.kind(), _start(node), _end(node)
    if kind in ERASED:
        edits.append((start, end, ""))
        return
    if kind in MODIFIERS:
        edits.append((start, end + 1, ""))  # and the space
        return
    children = node.children()
    if kind == "optional_parameter":
        edits += [(_start(c), _end(c), "") for c in children if c.kind() == "?"]
    elif kind == "non_null_expression":
        edits.append((end - 1, end, ""))
    elif kind == "as_expression":
        value = children[0]
        edits.append((_end(value), end, ""))
        around = node.parent()
        if around is not None and around.kind() == "parenthesized_expression":
            if value.kind() in SIMPLE:
                edits += [(start - 1, start, ""), (_end(around) - 1, _end(around), "")]
        elif value.kind() == "parenthesized_expression":
            edits += [(start, start + 1, ""), (_end(value) - 1, _end(value), "")]
        _erase(value, source, edits)
        return
    for child in children:
        _erase(child, source, edits)


# --- modules ---------------------------------------------------------------------------


def _require(root: SgNode, edits: Edits) -> None:
    for node in root.children():
        if node.kind() == "import_statement":
            clause, module = node.find(kind="import_clause"), node.field("source")
            assert clause is not None and module is not None
            names = clause.text().removeprefix("* as ")
            edits.append((_start(node), _end(node), f"const {names} = require({module.text()});"))
        elif node.kind() == "export_statement" and _inside_export(node).kind() not in DECLARATIONS:
            edits.append((_start(node), _start(node) + len("export "), ""))


def _exported(root: SgNode) -> list[str]:
    """The names of what is exported and no type."""
    found = [_inside_export(n) for n in root.children() if n.kind() == "export_statement"]
    names = [n.field("name") for n in found if n.kind() not in DECLARATIONS]
    return sorted(name.text() for name in names if name is not None)


def _inside_export(node: SgNode) -> SgNode:
    if node.kind() != "export_statement":
        return node
    return node.field("declaration") or node


# --- JSDoc -----------------------------------------------------------------------------


def _kept_types(root: SgNode) -> set[str]:
    """Types worth a ``@typedef``: exported, or with fields that are explained; and theirs."""
    types = {
        name.text(): (node, inner)
        for node in root.children()
        if (inner := _inside_export(node)).kind() in DECLARATIONS
        and (name := inner.field("name")) is not None
    }
    kept = {
        name
        for name, (node, inner) in types.items()
        if inner is not node or inner.find(kind="comment") is not None
    }
    used = " ".join(types[name][1].text() for name in kept)
    return kept | {name for name in types if re.search(rf": {name};", used)}


def _typedef(node: SgNode, words: str) -> str:
    name, value = node.field("name"), node.field("value")
    assert name is not None
    if value is not None:
        return f"/** @typedef {{{value.text()}}} {name.text()} */\n"
    body = node.field("body")
    assert body is not None
    lines = [words, f"@typedef {{object}} {name.text()}"]
    said = ""
    for member in body.children():
        if member.kind() == "comment":
            said = _words(member.text())
        elif member.kind() == "property_signature":
            optional = any(child.kind() == "?" for child in member.children())
            lines.append(_tag("property", member.field("name"), _type(member), optional, said))
            said = ""
    return _comment([line for line in lines if line], "")


def _document(node: SgNode, source: str, edits: Edits) -> None:
    """``@param`` and ``@returns`` for the public methods of a class."""
    body = node.field("body")
    assert body is not None
    for method in body.children():
        if method.kind() != "method_definition":
            continue
        if any(child.kind() == "accessibility_modifier" for child in method.children()):
            continue
        tags = list(_tags(method))
        if not tags:
            continue
        before = method.prev()
        start, words = _start(method), ""
        if before is not None and before.kind() == "comment":
            start, words = _start(before), _words(before.text(), "\n")
        lines = [*words.split("\n"), *tags] if words else tags
        indent = " " * (start - source.rindex("\n", 0, start) - 1)
        edits.append((start, _start(method), _comment(lines, indent).lstrip() + indent))


def _tags(method: SgNode) -> list[str]:
    found = []
    generic = method.field("type_parameters")
    for parameter in generic.find_all(kind="type_parameter") if generic is not None else []:
        name, bound = parameter.field("name"), parameter.field("constraint")
        assert name is not None and bound is not None
        found.append(f"@template {{{bound.text().removeprefix('extends ')}}} {name.text()}")
    parameters = method.field("parameters")
    for parameter in parameters.children() if parameters is not None else []:
        if parameter.is_named() and (kind := _type(parameter)):
            optional = parameter.kind() == "optional_parameter"
            found.append(_tag("param", parameter.field("pattern"), kind, optional))
    returned = method.field("return_type")
    if returned is not None and returned.text() != ": void":
        found.append(f"@returns {{{returned.text().removeprefix(': ')}}}")
    return found


def _tag(tag: str, name: SgNode | None, kind: str, optional: bool, words: str = "") -> str:
    assert name is not None
    shown = f"[{name.text()}]" if optional else name.text()
    return f"@{tag} {{{kind}}} {shown} {words}".rstrip()


def _type(node: SgNode) -> str:
    annotation = node.field("type")
    if annotation is None:
        return ""
    text = annotation.text().removeprefix(": ")
    return re.sub(r"^  ", "", text, flags=re.MULTILINE)


def _words(comment: str, between: str = " ") -> str:
    lines = re.sub(r"^/\*\*|\*/$", "", comment).split("\n")
    bare = (re.sub(r"^\s*\*? ?", "", line).strip() for line in lines)
    return between.join(line for line in bare if line)


def _comment(lines: list[str], indent: str) -> str:
    inner = "\n".join(lines).split("\n")
    return "".join(
        f"{indent}{line}\n" for line in ("/**", *(f" * {line}" for line in inner), " */")
    )


def _touches(one: SgNode, other: SgNode) -> bool:
    return one.range().end.line + 1 == other.range().start.line


def _start(node: SgNode) -> int:
    return node.range().start.index


def _end(node: SgNode) -> int:
    return node.range().end.index
