"""A neonize client that nobody stops when WhatsApp ends its session.

What it finds
    Finds a client without a handler for ``LoggedOutEv``, ``TemporaryBanEv`` or
    ``StreamReplacedEv``, and handlers of these that do not stop the client; also one that
    starts the session again.

Why it is bad
    ``idle()`` never returns after a logout (neonize 0.5.2), so the bot lives on without a
    session, and each restart, by hand or under ``Restart=always``, connects with dead
    credentials. On a logout or a block every further attempt makes it worse. A
    ``sys.exit`` in a handler of a synchronous client ends nothing: it runs on a thread of
    neonize's.

What is done
    Each of the three stops the client, merged into the handler that is there (neonize keeps
    one handler per event type: a second one silently takes the place of the first), and
    registered before ``connect()``. Where the file connects the client, too, ``hear()`` and
    ``heard()`` do that, and the verdict is kept over restarts (see channel-gives-up). A
    process that exists for this client then ends with 0; in a host of several channels only
    this one ends, and the fact goes where that host records the errors of its channels' start.

When it is handed off
    When the handler is no function of the host, a loop of the host's own around ``connect()``
    cannot ask for its turn, the host connects before it registers anything, or the
    registrations are of no known form. And when the host starts the client again once it has
    ended, in a loop elsewhere or because its thread is not alive: a client that is stopped
    would then connect again at once, one that is left alone stays quiet.

What cannot be promised where the attempts are not gated (channel-gives-up was handed off):
whatsmeow itself reconnects inside Go (2 s × errors, the first at once, back to zero on each
login), and neonize 0.5.2 has no switch for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.neonize.client import Client

rule = Rule(
    __name__,
    fix="the client is stopped when WhatsApp ends the session",
    examples=(
        Example(
            "neonize-client",
            """\
from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(ConnectedEv)
def on_open(client, event):
    print('open')
""",
            '''\
from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(ConnectedEv)
def on_open(client, event):
    print('open')


def _stop_when_session_ends(client):
    """Each attempt after a logout or a block gets the number blocked for longer."""
    try:
        from neonize.events import LoggedOutEv, StreamReplacedEv, TemporaryBanEv
    except ImportError:  # an older neonize
        return

    def on_session_end(current, event):
        ended = type(event).__name__
        print(f"WhatsApp ended the session ({ended}): link the bot again")
        current.stop()

    for kind in (LoggedOutEv, StreamReplacedEv, TemporaryBanEv):
        client.event(kind)(on_session_end)


_stop_when_session_ends(client)
''',
            is_whole=True,
        ),
    ),
)


@rule.detects("neonize-client")
def of_client(client: Client) -> Iterator[Sight]:
    if client.deaf:
        message = f"nothing stops the client on {', '.join(client.deaf)}"
        yield rule.at(client.source, client.place, message)
    for item in client.idle_handlers:
        does = "does not stop the client"
        if item.dials_again:
            does = f"connects again: {item.dials_again}()"
        yield rule.at(client.source, item.statement, f"the handler of {item.event} {does}")
