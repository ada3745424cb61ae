"""A connect function that dials WhatsApp without waiting for its turn.

What it does
    Finds the function that makes the Baileys socket when nothing in front of it keeps
    count of the attempts.

Why is this bad
    A counter in memory starts at zero with every process, and one that only close events
    raise lets a crash loop run at 480 attempts a day. A bug elsewhere that kills NanoClaw
    v1 two seconds after each open made 12,343 attempts in 24 hours.

What is done
    ``await reconnect.turn()`` becomes the function's first statement. It waits as the
    policy says, counts the attempt in a file beside the credentials folder before it is
    made, and never lets more than 20 start in an hour, whatever loop is around it.

When it hands off
    When the function is not async, or its credentials folder is known only inside it
    (several accounts in one process need a gate each).
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.typescript.channel import Channel
from modify.typescript.rules import Seen

FIX = "turn() counts every attempt, across restarts: fewer than 21 an hour"


def find(channel: Channel) -> Iterator[Seen]:
    if not channel.is_gated:
        yield Seen(channel.connect.node, f"{channel.connect.name}() dials WhatsApp without a gate")
