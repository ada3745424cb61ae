"""Tells a reconnect loop that is right already: it is left alone, and said to be right.

Right means all of it: a delay that grows, jitter, one timer at a time, nothing that sets
it back early, and an end when the session is over (OpenClaw's loop is of that kind).
"""

from __future__ import annotations

import re

from modify.typescript.channel import Channel
from modify.typescript.rules import premature_reset

GROWS = re.compile(
    r"\*\*|Math\.pow\(|\*=?\s*(2|1\.\d+|\w*(factor|multiplier)\w*)\b|<<", re.IGNORECASE
)
BOUNDED = re.compile(r"Math\.min\(")
JITTER = re.compile(r"Math\.random\(|randomInt\(|jitter", re.IGNORECASE)
ONE_TIMER = re.compile(r"clearTimeout\(|if\s*\([^)]*[tT]imer\b[^)]*\)\s*(\{\s*)?return")


def is_sound(channel: Channel) -> bool:
    close = channel.close
    if close is None or not channel.verdicts or not channel.redials:
        return False
    loop = "\n".join([close.node.text(), *(helper.node.text() for helper in channel.helpers)])
    if not all(sign.search(loop) for sign in (GROWS, BOUNDED, JITTER, ONE_TIMER)):
        return False
    if re.search(r"process\.exit\((?!0)", loop):
        return False
    return not any(True for _ in premature_reset.find(channel))
