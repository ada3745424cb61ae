"""A reconnect timer that may run beside another one.

What it finds
    Finds timers that reconnect and whose handle is neither kept nor cleared.

Why it is bad
    Two triggers for one close make two timers, and each of them connects: the attempts
    double with every round (NanoClaw ce532a24e).

What is done
    ``dial()`` does all the waiting: one wait, one attempt.

When it is handed off
    With the close branch (``flat-retry``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import TIMERS
from modify.kit.typescript.source import callee_of, calls, within
from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel

rule = Rule(
    __name__,
    fix="one wait, one attempt: no second timer",
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.connection === 'close') {
  setTimeout(() => connect().catch(console.error), wait());
}
…
const wait = () => 5000 + Math.random() * 1000;
""",
            """\
if (update.connection === 'close') {
  reconnect.dial(connect);
}
…
const wait = () => 5000 + Math.random() * 1000;
""",
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    places = [channel.logic, *(helper.node for helper in channel.helpers)]
    seen: list[object] = []
    for place in places:
        for call in calls(place):
            if callee_of(call) not in TIMERS or any(within(call, other) for other in seen):  # type: ignore[arg-type]
                continue
            parent = call.parent()
            kept = parent is not None and parent.kind() in (
                "assignment_expression",
                "variable_declarator",
            )
            dials = any(channel.dialled_by(c) in channel.connect_texts for c in calls(call))
            if (
                dials
                and not kept
                and not any(
                    channel.is_dialled(c) for c in calls(call) if channel.is_connect_call(c)
                )
            ):
                seen.append(call)
                yield rule.at(
                    channel.source,
                    call,
                    "a reconnect timer is not kept: two closes start two of them",
                )
