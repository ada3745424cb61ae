"""The lines by which a bot's log tells of an attempt.

The library logs each login or connection, where the bot lets it. What the bot itself logs when a
connection closes stands in the close branch of its channel: each text there is counted for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.baileys.channels import channels_of
from modify.baileys.codemod import channel_sources
from skill.errors import SkillgenError
from skill.host import Host, fact
from skill.options import Options

LIBRARIES = (
    "not logged in, attempting registration",
    "logging in...",
    "Dialing wss://web.whatsapp.com/",
)
"""What Baileys logs before each login (its src/Socket/socket.ts), and whatsmeow, neonize's own
library, before each dial (its socket/framesocket.go)."""
LITERAL = re.compile(r"'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`")
HOLE = re.compile(r"\$\{[^}]*\}|\\.")
SHORTEST = 8


@fact
def messages_of(host: Host) -> tuple[str, ...]:
    """Each text once."""
    try:
        sources = channel_sources(host, Options())
        branches = [channel.close for source in sources for channel in channels_of(host, source)]
    except SkillgenError:
        return LIBRARIES
    texts = [
        text
        for branch in branches
        if branch is not None
        for statement in branch.body
        for text in fragments(statement.text())
    ]
    return (*LIBRARIES, *dict.fromkeys(texts))


def fragments(code: str) -> Iterator[str]:
    """The longest constant part of each string that looks like a sentence."""
    for found in LITERAL.finditer(code):
        parts = HOLE.split(next((part for part in found.groups() if part), ""))
        longest = max(parts, key=len).strip()
        if len(longest) >= SHORTEST and " " in longest:
            yield longest
