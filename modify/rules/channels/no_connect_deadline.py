"""An attempt that may wait forever.

What it finds
    Finds a connect function whose attempts have no deadline of their own.

Why it is bad
    When WhatsApp answers the WebSocket upgrade with an HTTP status other than 101, Baileys
    emits no close, ever (seen for 45 s with 11 status codes; OpenWA pull request 1579
    reports the same). The bot hangs, or ends with status 0 when no timer is left, and a
    supervisor set to ``on-failure`` never starts it again.

What is done
    ``observe()`` sees every event of the attempt. One that brings neither open, close nor
    QR within 60 s (then 120 s, 180 s) is ended and counts as a failure that passes.

When it is handed off
    When the handler's update cannot be told from its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel

rule = Rule(
    __name__,
    fix="observe() ends an attempt that brings no event within 60 s",
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
            "an attempt without any event is waited for, for ever",
        )
