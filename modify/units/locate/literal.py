"""Units in template literals and strings of TypeScript and JavaScript (``setup/service.ts``)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from modify.kit.typescript import javascript
from modify.kit.typescript.source import span
from modify.units.locate.marks import kind_of, may_hold_unit
from modify.units.model import UnitText
from skill.host import Host
from skill.source_paths import SCRIPTS


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.with_suffix(*SCRIPTS):
        content = host.read(file.path)
        if may_hold_unit(content):
            yield from in_source(file.path, content)


def in_source(path: str, content: bytes) -> Iterator[UnitText]:
    root = javascript.parse(content, path)
    for node in javascript.literals(root):
        start, end = span(node)
        if not may_hold_unit(content[start:end]):
            continue
        for kind in ("systemd", "launchd"):
            text = UnitText(
                path,
                content,
                start + 1,
                end - 1,
                kind,
                "literal",
                javascript.holes(node),
                escaped=not javascript.is_raw(node),
                resolve=partial(resolve, content, path, start),
            )
            if kind_of(text.view) == kind:
                yield text


def resolve(content: bytes, path: str, before: int, hole: str) -> tuple[str, ...]:
    expression = hole.removeprefix("${").removesuffix("}")
    return javascript.texts_of(content, path, expression, before)
