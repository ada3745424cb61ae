"""A backoff that starts again as soon as a connection opens, or a socket exists.

What it finds
    In TypeScript and JavaScript: finds counters or delays of the reconnect loop that are set
    back in the open branch, or after the connect call resolved. In Python: finds a pause of
    the loop that grows, and an assignment in the loop that sets it back once the bridge is
    reached, or at each turn.

Why it is bad
    An ``open`` proves nothing: a link that opens and closes again resets the delay each
    time. It broke fazer-ai/baileys-api (pull request 309), OpenClaw (issue 25591) and
    pull request 746, whose real delay was a flat 5.3 s: 680 attempts an hour.

What is done
    The level returns to zero only after five minutes of an open connection; for the link to
    a bridge, a minute. In Python ``link.turn()`` takes the place of the pause, and of its
    variable where that serves nothing else.

When it is handed off
    With the close branch, or the loop (``flat-retry``). A reset under a condition of its own
    is taken as right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.cleanup.dead_code import plain_target
from modify.baileys.model.reconnect_loop import COUNTER
from modify.kit.typescript.source import enclosing, enclosing_function, same, walk, within
from modify.rules import Example, Rule, Sight
from modify.rules.frames import PACED_LINK, whole

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from modify.baileys.model.channel import Channel
    from modify.bridge.link import LinkLoop

rule = Rule(
    __name__,
    fix="the delay starts again only after five minutes of an open connection",
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.connection === 'open') {
  delay = 1000;
  console.log('Connected');
}
if (update.connection === 'close') {
  setTimeout(connect, delay);
  delay = Math.min(delay * 2, 60_000);
}
…
let delay = 1000;
""",
            """\
if (update.connection === 'open') {
  console.log('Connected');
}
if (update.connection === 'close') {
  reconnect.dial(connect);
}
""",
        ),
        whole(
            "bridge-link",
            """\
delay = 1
while self.running:
    try:
        async with websockets.connect("ws://bridge") as ws:
            delay = 1
            async for message in ws:
                self.handle(message)
    except Exception:
        await asyncio.sleep(delay)
        delay = min(delay * 2, 60)
…
self.running = False
""",
            PACED_LINK,
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    if channel.open is None or channel.is_settled:
        return
    loop = [helper.node for helper in channel.helpers] + (
        [channel.close.node] if channel.close else []
    )
    for node in walk(channel.open.node):
        if node.kind() != "assignment_expression" or later(channel, node):
            continue
        left, right = node.field("left"), node.field("right")
        name = plain_target(left) if left is not None else ""
        if not name or right is None or not COUNTER.search(name):
            continue
        if not re.fullmatch(r"0|1|[A-Z][A-Z_]*|\d+(_\d+)*", right.text()):
            continue
        if any(
            re.search(rf"\b{re.escape(name)}\b", place.text())
            for place in loop
            if not within(node, place)
        ):
            yield rule.at(
                channel.source,
                node,
                f"{name} is reset on open: a link that flaps never waits longer",
            )


def later(channel: Channel, node: SgNode) -> bool:
    """Whether a reset waits: in a timer's callback, or on a test of how long it was open."""
    if not same(enclosing_function(node), channel.logic):
        return True
    test = enclosing(node, {"if_statement"})
    condition = test.field("condition") if test is not None else None
    if test is None or condition is None or not within(test, channel.logic):
        return False
    return (
        re.search(r"Date\.now|performance\.now|[Ss]ince|[Uu]ptime|_MS\b", condition.text())
        is not None
    )


@rule.detects("bridge-link")
def in_loop(link: LinkLoop) -> Iterator[Sight]:
    fix = "the wait goes back to its start after a minute of an open connection"
    for statement in link.resets:
        text = link.source.text(statement)
        message = f"the pause is reset ({text}) before the connection has lasted"
        yield rule.at(link.source, statement, message, fix)
