"""A backoff that starts again as soon as a connection opens, or a socket exists.

What it does
    In TypeScript and JavaScript: finds counters or delays of the reconnect loop that are set
    back in the open branch, or after the connect call resolved. In Python: finds a pause of
    the loop that grows, and an assignment in the loop that sets it back once the bridge is
    reached, or at each turn.

Why is this bad
    An ``open`` proves nothing: a link that opens and closes again resets the delay each
    time. It broke fazer-ai/baileys-api (pull request 309), OpenClaw (issue 25591) and
    pull request 746, whose real delay was a flat 5.3 s: 680 attempts an hour.

What is done
    The level returns to zero only after five minutes of an open connection; for the link to
    a bridge, a minute. In Python ``link.turn()`` takes the place of the pause, and of its
    variable where that serves nothing else.

When it hands off
    With the close branch, or the loop (``flat-retry``). A reset under a condition of its own
    is taken as right.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.bridge.link import LinkLoop
from modify.python.rules import Seen

FIX = "the wait goes back to its start after a minute of an open connection"


def find(link: LinkLoop) -> Iterator[Seen]:
    for statement in link.resets:
        text = link.source.text(statement)
        yield Seen(statement, f"the pause is set back ({text}) before the connection has lasted")
