"""The steps of a NanoClaw skill that a program carries out: ``nc:`` fences in its SKILL.md.

As NanoClaw's ``skill-directives.md`` has them (November 2026): a fence whose info string
begins with ``nc:`` is a step, its kind first, then ``key:value`` pairs; the prose beside it says
the same to an agent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FENCE = re.compile(r"```(\S.*)?")


@dataclass(frozen=True, slots=True)
class Directive:
    """One step. kind: ``copy`` or ``append``, say; body: its lines."""

    kind: str
    attributes: Mapping[str, str]
    body: tuple[str, ...]


def directives(text: str) -> list[Directive]:
    """The steps of a SKILL.md, in order."""
    found: list[Directive] = []
    opened: str | None = None
    body: list[str] = []
    for line in map(str.rstrip, text.split("\n")):
        fence = FENCE.fullmatch(line)
        if fence is None:
            body += [line.strip()] if line.strip() else []
        elif opened is None:
            opened, body = fence[1] or "", []
        else:
            if opened.startswith("nc:"):
                found.append(directive(opened, body))
            opened = None
    return found


def directive(info: str, body: list[str]) -> Directive:
    kind, *rest = info.removeprefix("nc:").split() or [""]
    pairs = (word.partition(":") for word in rest)
    return Directive(kind, {key: value for key, colon, value in pairs if colon}, tuple(body))


def destination(line: str) -> str:
    """Where a line of ``nc:copy`` puts its file: ``PATH``, or ``SOURCE -> PATH``."""
    source, _, target = line.partition("->")
    return (target or source).strip()
