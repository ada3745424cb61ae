"""An attempt that may wait forever.

What it finds
    Finds a connect function whose attempts have no deadline of their own.

Why it is bad
    When WhatsApp answers the WebSocket upgrade with an HTTP status other than 101, Baileys
    emits no close, ever (seen for 45 s with 11 status codes; OpenWA pull request 1579
    reports the same). The bot hangs, or ends with status 0 when no timer is left, and a
    supervisor set to ``on-failure`` never starts it again.

What is done
    An attempt that brings neither open, close nor QR within 60 s (then 120 s, 180 s) is ended
    and counts as a failure that passes.

When it is handed off
    When the call that makes the socket cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel

rule = Rule(
    __name__,
    fix="an attempt that gets no event is ended after 60 s",
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.connection === 'close') connect();
""",
            """\
if (update.connection === 'close') reconnect.dial(connect);
""",
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    if not channel.is_watched:
        yield rule.at(
            channel.source,
            channel.registration,
            "no timeout: an attempt that gets no event hangs forever",
        )
