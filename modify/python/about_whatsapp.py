"""Whether a function is about WhatsApp: by its file, its class or its own words."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from modify.kit.python.source import Source, block_of, string_of
from modify.python.marks import ABOUT_WHATSAPP, COMMENT


def is_whatsapp(source: Source, function: cst.FunctionDef) -> bool:
    """Whether a function is about WhatsApp: by its file, class or own words."""
    if ABOUT_WHATSAPP.search(source.path):
        return True
    around = [source.nearest(function, cst.ClassDef), function]
    for scope in around:
        if isinstance(scope, cst.ClassDef):
            heads = [scope.name.value, doc_of(scope), *class_strings(scope)]
            if any(ABOUT_WHATSAPP.search(text) for text in heads):
                return True
        elif scope is not None and ABOUT_WHATSAPP.search(code_of(source, scope)):
            return True
    return False


def code_of(source: Source, function: cst.FunctionDef) -> str:
    """A function's text without its comments, which may mention other channels."""
    # Not source.text(): that would place every node of a file which may hold no channel.
    return COMMENT.sub("", source.module.code_for_node(function))


def doc_of(scope: cst.ClassDef) -> str:
    text = scope.get_docstring()
    return (text or "").partition("\n\n")[0]


def class_strings(scope: cst.ClassDef) -> Iterator[str]:
    """``name = "whatsapp"`` in a class body."""
    for statement in block_of(scope) or []:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if isinstance(small, (cst.Assign, cst.AnnAssign)):
                    text = string_of(small.value)
                    if text:
                        yield text
