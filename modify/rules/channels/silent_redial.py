"""A bot that reconnects at once after a clean close.

What it finds
    Finds a loop that connects to a bridge and does not wait between a clean close and the
    next attempt.

Why it is bad
    ``async for message in ws`` ends without an exception when the peer closes cleanly, so
    the pause in ``except`` is never reached. nanobot-ai 0.2.2 was measured with a bridge
    that closes cleanly: 3,429 attempts an hour, 82,286 a day, against 713 with one that refuses.

What is done
    ``link.turn()`` is added to the loop's own test. It waits after every end alike, 5 s,
    10 s, 20 s … 60 s, and is back at the start after a minute of an open connection. A flag
    that may fall during the wait, without a method that would tell the link, is looked at each
    second; a loop that is stopped by an argument of its own has a link of its own. A
    ``WebSocketApp`` says that it is open through ``on_open=link.on_open(…)``, which calls the
    host's own handler.

When it is handed off
    When the loop, or the connection's ``with``, has no lines of its own, or the function that
    connects has no way to know the loop's link; and for ``async for ws in
    websockets.connect(…)``, where the library reconnects by itself.

What cannot be promised: websocket-client waits forever for a bridge that accepts and never
answers, unless the host calls ``websocket.setdefaulttimeout()``; aiohttp makes a second
connection by itself where the first is dropped before any answer (a retry of its GET).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Rule, Sight
from modify.rules.frames import FLAT_LINK

if TYPE_CHECKING:
    from modify.bridge.link import LinkLoop

rule = Rule(
    __name__,
    fix="waits 5 s, 10 s, 20 s … 60 s, after a clean close too",
    examples=(FLAT_LINK,),
)


@rule.detects("bridge-link")
def in_loop(link: LinkLoop) -> Iterator[Sight]:
    if not link.ends_cleanly and not link.clean_waits:
        message = "a bridge that closes cleanly is reconnected at once"
        yield rule.at(link.source, link.loop, message)
