"""A connection that comes back after it was told to stop.

What it does
    In TypeScript and JavaScript: finds a reconnect that nothing tells of the shutdown. In
    Python: finds a loop without an end of its own (``while True``) in a channel that has a
    way to be stopped, and nothing in the loop that asks for it.

Why is this bad
    ``disconnect`` closes the socket, the close starts the reconnect, and the process that
    takes over finds its session in use: two clients throw each other out (440).

What is done
    The host's own ``disconnect``, ``teardown`` or ``stop`` also stops the gate: the wait
    ends, and no turn is granted until the next start.

When it hands off
    Never by itself: the gate asks.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from modify.bridge.link import LinkLoop
from modify.python.rules import Seen

FIX = "stop() ends the wait and the loop"


def find(link: LinkLoop) -> Iterator[Seen]:
    if link.test not in ("True", "1") or not link.stops:
        return
    methods = [link.source.nearest(stop, cst.FunctionDef) for stop in link.stops]
    if not any(method and "cancel(" in link.source.text(method) for method in methods):
        yield Seen(link.loop, "the loop goes on after the channel was stopped")
