"""A channel that dials again after it was told to stop.

What it does
    Finds functions that end the socket on purpose while nothing keeps the close branch
    from dialling again.

Why is this bad
    Ending a socket emits a close of its own. At shutdown the bot dials once more, and the
    next process finds the session in use (440).

What is done
    ``reconnect.stop()`` stands first in them: it cancels the wait, makes later closes
    inert, and gives the next start one immediate attempt.

When it hands off
    Never.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.typescript.channel import Channel
from modify.typescript.rules import Seen

FIX = "stop() makes later closes inert"


def find(channel: Channel) -> Iterator[Seen]:
    for function in channel.enders:
        if not channel.is_stopped_in(function):
            yield Seen(function, "ends the socket on purpose, and the close branch dials again")
