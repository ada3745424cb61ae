"""A QR code is asked for and the process ends as if it had failed.

What it finds
    Finds exits with an error code in the branch for a QR code, and in a neonize client's
    handler of one.

Why it is bad
    The credentials are gone; a restart cannot bring them back. ``Restart=on-failure``
    starts it again all the same: 313 attempts an hour measured after pull request 746,
    13,293 in 24 hours before it.

What is done
    The process ends with exit 0; where another channel is connected, only WhatsApp stops.
    The host's notification stays.

When it is handed off
    Never: an exit code is always plain to see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.source import arguments_of, within
from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel
    from modify.neonize.exits import FailingExit

rule = Rule(
    __name__,
    fix="a QR code ends the process with exit 0",
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.qr) {
  console.error('Pair the bot first');
  setTimeout(() => process.exit(1), 1000);
}
if (update.connection === 'close') connect();
""",
            """\
if (update.qr) {
  console.error('Pair the bot first');
  // 0, so that no supervisor starts it again
  setTimeout(() => process.exit(0), 1000);
}
if (update.connection === 'close') reconnect.dial(connect);
""",
        ),
        Example(
            "neonize-exit",
            """\
@client.qr
def on_code(_, code):
    print('not linked: pair the bot first')
    os._exit(1)
""",
            """\
@client.qr
def on_code(_, code):
    print('not linked: pair the bot first')
    os._exit(0)  # 0, so that no supervisor starts it again
""",
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    for call in channel.exits:
        given = arguments_of(call)
        if not any(within(call, branch) for branch in channel.qr_branches):
            continue
        if given and given[0].text() not in ("0", "undefined"):
            yield rule.at(
                channel.source,
                call,
                f"exit {given[0].text()} on a QR code makes the supervisor try again forever",
            )


@rule.detects("neonize-exit")
def of_client(exit_: FailingExit) -> Iterator[Sight]:
    if exit_.is_for_qr:
        yield rule.at(
            exit_.source,
            exit_.call,
            f"exit {exit_.status} on a QR code makes the supervisor try again forever",
            edits=exit_.edits(rule.id),
        )
