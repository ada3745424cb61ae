"""A failed connection attempt after which nothing tries again.

What it finds
    In TypeScript and JavaScript: finds calls of the connect function whose rejection ends in
    a log line, is handed to a caller that exits, or is not caught at all. In Python: finds
    ``connect()`` of a neonize client outside any loop.

Why it is bad
    With DNS down for a minute at the wrong moment the bot is silent until a person restarts
    it: NanoClaw v2 makes 0 further attempts in 24 hours. Where the rejection ends the process
    instead, the supervisor loops: 17,280 attempts in 24 hours on v1. neonize's ``connect()``
    (an asynchronous client's ``idle()``) raises NeonizeError when the first attempt fails;
    after five starts without a network, systemd's start limit leaves the bot dead. Once up, it
    is the reverse: whatsmeow connects again at once when a connection is lost, and forgets its
    count at each login. The real library, let in and dropped by a server on loopback, made
    13,000 attempts an hour (neonize 0.5.2).

What is done
    ``dial(…)`` runs the connect function through the gate until its socket exists, for
    the first connection as for every later one. A close branch that reconnects for single
    codes alone gets a last line that reconnects for the others. For neonize
    ``dial_sync(client)`` takes the place of ``connect()``, ``dial()`` and ``serve()`` those of
    an asynchronous client's ``connect()`` and ``idle()``: they ask the gate before each attempt
    and try again after one that failed. When a connection is lost, the client is stopped and
    the gate makes the next one; whatsmeow has made one attempt of its own by then, which counts,
    too. So there are at most 20 attempts in any hour. After a logout, a block or a takeover
    there is no further attempt.

When it is handed off
    When the process exits with an error after some attempts: whether it may is for the
    host's maintainers to say. Where callers use what the connect function returns, which
    ``dial`` does not hand out. Where the close branch calls ``logout()`` for another code
    than 401: it costs the link. In Python: when ``connect()`` is not awaited where it is
    called, no ``idle()`` in the same function waits for it, a file makes several clients or
    registers handlers in several places, or a handler stands in another folder.

What cannot be promised for neonize: after 515 (restart required) whatsmeow connects once more
without a word to Python. Each ``connect()`` of neonize 0.5.2 leaves its database open once
more: some 270 file descriptors in a day without a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.reconnect_loop import inside_helper
from modify.baileys.model.return_value import is_used
from modify.kit.typescript.source import within
from modify.rules import Example, Rule, Sight
from modify.rules.frames import whole

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel
    from modify.neonize.dial import Dialling

rule = Rule(
    __name__,
    fix="a failed attempt is tried again, the first one included",
    loses_link=True,
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.connection === 'close') {
  connect().catch((err) => console.error('Could not connect', err));
}
…
connect().catch((err) => console.error('Could not start', err));
""",
            """\
if (update.connection === 'close') {
  reconnect.dial(connect);
}
…
reconnect.dial(connect);
""",
        ),
        whole(
            "neonize-dialling",
            """\
…
client.connect()
""",
            """\
…
from whatsapp_reconnect import dial_sync, hear, heard
…
dial_sync(client)
""",
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    reported = False
    for call in channel.connect_calls:
        if channel.is_dialled(call):
            continue
        if within(call, channel.logic):
            if not reported:
                reported = True
                yield rule.at(
                    channel.source,
                    call,
                    "a reconnect that fails twice is given up silently",
                )
        elif within(call, channel.connect.node) or inside_helper(channel, call):
            continue
        elif not is_used(channel, call):  # else hand_offs.py asks
            yield rule.at(channel.source, call, "a first connection that fails is not tried again")


@rule.detects("neonize-dialling")
def of_client(dialling: Dialling) -> Iterator[Sight]:
    fix = "each attempt waits for its turn, and a failed one or a lost link is tried again"
    for site in dialling.sites:
        if site.loop is None:
            message = "a first connection that fails is not tried again"
            yield rule.at(dialling.source, site.node, message, fix)
