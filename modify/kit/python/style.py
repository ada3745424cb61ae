"""How a Python host writes: its logger, its quotes, whether it annotates."""

from __future__ import annotations

import re

from modify.kit.python.source import Source
from skill.render.python import PythonStyle

LOGGER = re.compile(
    rb"(?<![\w.])((?:self\.)?_?(?:logger|log|LOG|LOGGER|_LOGGER))\.(?:info|warning|error|exception)\("
)


def logger_of(source: Source, me: str = "") -> str:
    """The logger that a file uses most; one of the object's own only where ``me`` is known."""
    found: dict[str, int] = {}
    for match in LOGGER.finditer(source.content):
        name = match[1].decode()
        if not name.startswith("self.") or me == "self":
            found[name] = found.get(name, 0) + 1
    return max(found, key=lambda name: found[name], default="")


def style_of(source: Source) -> PythonStyle:
    quotes = source.content.count(b"'"), source.content.count(b'"')
    return PythonStyle(
        indent=source.module.default_indent,
        quote="'" if quotes[0] > 2 * quotes[1] else '"',
        end_of_line=source.newline.decode(),
    )


def annotation(source: Source) -> str:
    """``: Any`` where the file has that name, else nothing."""
    imports = re.search(rb"^from typing import [^#\n]*(?:\([^)]*)?\bAny\b", source.content, re.M)
    return ": Any" if imports else ""
