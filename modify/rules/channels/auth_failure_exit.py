"""A revoked session after which the process ends as if it had failed, or tries again.

What it finds
    Finds exits with an error code where the session is over, in a neonize client's handler
    of ``LoggedOutEv`` too, tests for 401 alone, and close branches that test nothing.

Why it is bad
    A supervisor restarts a process that ends with an error: 16,302 logins with a
    revoked session in 24 hours on NanoClaw v1, each from the blocked number. 403, 406 and
    411 mean the same and are not 401.

What is done
    The branch asks ``reconnect.terminal``, which knows every code, and remembers the
    verdict for the next starts. A process that exists for WhatsApp alone ends with exit
    0; where another channel is connected, only WhatsApp stops.

When it is handed off
    When credentials are deleted at that point, or the exit stands where attempts are
    counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.source import arguments_of
from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel
    from modify.neonize.exits import FailingExit

rule = Rule(
    __name__,
    fix="401, 403, 406 and 411 end the session: no further attempt, and an exit there is 0",
    examples=(
        Example(
            "baileys-channel",
            """\
const { connection, lastDisconnect } = update;
if (connection === 'close') {
  const code = (lastDisconnect?.error as any)?.output?.statusCode;
  if (code === 401) {
    console.error('Logged out');
    process.exit(1);
  }
  connect();
}
""",
            """\
const { connection, lastDisconnect } = update;
if (connection === 'close') {
  if (reconnect.terminal) {
    console.error('Logged out');
    // 0, so that no supervisor starts it again
    process.exit(0);
  }
  reconnect.dial(connect);
}
""",
        ),
        Example(
            "neonize-exit",
            """\
import os

from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(StreamReplacedEv)
@client.event(TemporaryBanEv)
def on_end(client, event):
    client.stop()


@client.event(LoggedOutEv)
def on_logout(_, event):
    print('logged out: link the bot again')
    os._exit(1)
""",
            """\
import os

from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(StreamReplacedEv)
@client.event(TemporaryBanEv)
def on_end(client, event):
    client.stop()


@client.event(LoggedOutEv)
def on_logout(_, event):
    print('logged out: link the bot again')
    os._exit(0)  # 0, so that no supervisor starts it again
""",
            is_whole=True,
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    close = channel.close
    if close is None:
        return
    tests = [
        node for node in channel.verdicts if close.holds(node) and not channel.asks_gate_too(node)
    ]
    if tests:
        yield rule.at(
            channel.source,
            tests[0],
            "only 'logged out' counts as an auth failure, and the next start forgets it",
        )
    elif channel.redials and not channel.is_settled:
        yield rule.at(
            channel.source,
            close.node,
            "a revoked session is reconnected like any other lost connection",
        )
    for call in channel.exits:
        given = arguments_of(call)
        if close.holds(call) and given and given[0].text() not in ("0", "undefined"):
            yield rule.at(
                channel.source,
                call,
                f"exit {given[0].text()} makes the supervisor start the process again",
            )


@rule.detects("neonize-exit")
def of_client(exit_: FailingExit) -> Iterator[Sight]:
    if not exit_.is_for_qr:
        yield rule.at(
            exit_.source,
            exit_.call,
            f"exit {exit_.status} makes the supervisor start the process again",
            fix="a logout ends the process with exit 0",
            edits=exit_.edits(rule.id),
        )
