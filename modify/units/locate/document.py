"""Units that Markdown repeats: README, docs, SKILL.md.

A fenced block that is a whole unit, or a heredoc in one, is what a reader (or an agent
that follows a SKILL.md) installs, so it is mended like a file when it starts the host
itself. Excerpts, single lines and prose are left: nothing says which unit they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.units.locate.heredoc import in_shell
from modify.units.locate.marks import kind_of, may_hold_any
from modify.units.model import UnitText
from skill.host import Host

FENCE = re.compile(rb"^([ \t]*)(`{3,}|~{3,})[^\n`]*\n(.*?)^[ \t]*\2[`~]*[ \t]*\r?$", re.M | re.S)


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.with_suffix(".md", ".mdx", ".markdown"):
        content = host.read(file.path)
        if not may_hold_any(content):
            continue
        for block in FENCE.finditer(content):
            start, end = block.span(3)
            kind = kind_of(content[start:end])
            if kind is not None:
                yield UnitText(file.path, content, start, end, kind, "document")
            else:
                yield from in_shell(file.path, content, start, end, "document")
