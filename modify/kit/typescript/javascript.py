"""TypeScript and JavaScript source, read by tree-sitter (through ast-grep), with byte offsets.

ast-grep counts characters. Every byte above 0x7f is masked by a letter before parsing,
so that a character is a byte; only offsets and the ASCII text are used from the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from modify.kit.typescript.source import span
from skill.edit import Range

if TYPE_CHECKING:
    from ast_grep_py import Config, SgNode

LITERALS: Config = {"rule": {"any": [{"kind": "template_string"}, {"kind": "string"}]}}
DECLARATIONS: Config = {
    "rule": {
        "any": [
            {"kind": "function_declaration"},
            {"kind": "generator_function_declaration"},
            {"kind": "variable_declarator"},
            {"kind": "method_definition"},
        ]
    }
}
ASCII_ONLY = bytes(code if code < 0x80 else ord("x") for code in range(256))
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# An expression that builds a path: path.join(root, 'dist', 'index.js').
PATH_CALL = re.compile(r"(?:\w+\.)?(?:join|resolve)\((.*)\)\s*$", re.DOTALL)
QUOTED = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"|`([^`\\]*)`")
ESCAPE = re.compile(r"\\(\r\n|.)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "\r\n": ""}
# How far a name is followed through declarations.
FOLLOWED = 3


def language_of(path: str) -> str:
    if path.endswith((".tsx", ".jsx")):
        return "tsx"
    return "typescript" if path.endswith("ts") else "javascript"


@lru_cache(maxsize=8)
def parse(content: bytes, path: str) -> SgNode:
    from ast_grep_py import SgRoot

    if content.startswith(BYTE_ORDER_MARK):
        content = b"   " + content[3:]
    return SgRoot(content.translate(ASCII_ONLY).decode("ascii"), language_of(path)).root()


def literals(root: SgNode) -> Iterator[SgNode]:
    """Every string and template literal, nested ones after the one that holds them."""
    yield from root.find_all(LITERALS)


def holes(literal: SgNode) -> tuple[Range, ...]:
    """The ``${…}`` of a template literal."""
    return tuple(
        span(child) for child in literal.children() if child.kind() == "template_substitution"
    )


def is_raw(literal: SgNode) -> bool:
    """Whether it is tagged String.raw: escapes are not in force."""
    parent = literal.parent()
    return (
        parent is not None
        and parent.kind() == "call_expression"
        and parent.text().startswith("String.raw")
    )


def declared_as(root: SgNode, name: str, before: int) -> SgNode | None:
    """The nearest declaration of ``name`` above the byte ``before``, else any."""
    found = None
    for node in declarations(root).get(name, ()):
        if found is not None and span(node)[0] > before:
            break
        found = node
    return found


@lru_cache(maxsize=8)
def declarations(root: SgNode) -> dict[str, list[SgNode]]:
    """What is declared below a node, by its name, in source order."""
    found: dict[str, list[SgNode]] = {}
    for node in root.find_all(DECLARATIONS):
        name = node.field("name")
        if name is not None:
            found.setdefault(name.text(), []).append(node)
    return found


def texts_of(content: bytes, path: str, expression: str, before: int) -> tuple[str, ...]:
    """The possible texts of an expression, as far as they are literals; () if unknown.

    ``execStart`` gives the initializer's literals, each branch of a conditional one;
    ``path.join(root, 'dist', 'index.js')`` gives ``${root}/dist/index.js``.
    """
    root = parse(content, path)
    for _ in range(FOLLOWED):
        expression = expression.strip()
        joined = PATH_CALL.match(expression)
        if joined:
            parts = ["".join(found) for found in QUOTED.findall(joined[1])]
            return ("/".join(["${root}", *parts]),) if parts else ()
        if not re.fullmatch(r"[\w$]+", expression):
            break
        declaration = declared_as(root, expression, before)
        value = declaration.field("value") if declaration is not None else None
        if value is None:
            return ()
        start, end = span(value)
        expression = content[start:end].decode("utf-8", "replace")
    pieces = re.split(r"[?:](?=\s*['\"`])", expression) if "?" in expression else [expression]
    texts = []
    for piece in pieces:
        piece = piece.strip()
        if len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "'\"`":
            texts.append(piece[1:-1])
    return tuple(texts)


def decoded(text: str) -> str:
    """The run-time text of the inside of a string literal; holes stay as code."""
    return ESCAPE.sub(lambda found: ESCAPES.get(found[1], found[1]), text)
