"""A failed dial after which nothing tries again.

What it does
    Finds calls of the connect function whose rejection ends in a log line, is handed to a
    caller that exits, or is not caught at all. In Python: an ``except OSError`` around a dial
    of ``websockets`` or websocket-client, whose own errors of a lost connection are none.

Why is this bad
    With DNS down for a minute at the wrong moment the bot is silent until a person
    restarts it: NanoClaw v2 makes 0 further attempts in 24 hours. Where the rejection ends
    the process instead, the supervisor loops: 17,280 attempts in 24 hours on v1.

What is done
    ``dial(…)`` runs the connect function through the gate until its socket exists, for
    the first connection as for every later one. A close branch that dials for single codes
    alone gets a last line that dials for the others.

When it hands off
    When the process exits with an error after some attempts: whether it may is for the
    host's maintainers to say. Where callers use what the connect function returns, which
    ``dial`` does not hand out. Where the close branch calls ``logout()`` for another code
    than 401: it costs the link. In Python always: an ``except`` that catches more would also
    catch what the host raises in order to leave the loop, and the library's errors cannot be
    named where a host's tests put a stub in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.baileys.model.channel import Channel
from modify.baileys.model.return_value import is_used
from modify.baileys.rules import Seen
from modify.kit.typescript.source import enclosing_function, within

FIX = "dial() tries again after a failed dial, the first one included"
EXAMPLES = (
    (
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') {
      connect().catch((err) => console.error('Could not connect', err));
    }
  });
}

connect().catch((err) => console.error('Could not start', err));
""",
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';
import { Reconnect } from './whatsapp-reconnect.js';

// Paces reconnects: WhatsApp blocks a number that dials too often
const reconnect = new Reconnect({
  authDir: 'auth',
  logger: console,
  pairing: false,
});

async function connect() {
  const attempt = await reconnect.turn();
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (!reconnect.observe(update, attempt, sock)) return;
    if (update.connection === 'close') {
      reconnect.dial(connect);
    }
  });
}

reconnect.dial(connect);
""",
    ),
)


def find(channel: Channel) -> Iterator[Seen]:
    reported = False
    for call in channel.connect_calls:
        if channel.is_dialled(call):
            continue
        if within(call, channel.logic):
            if not reported:
                reported = True
                yield Seen(call, "a reconnect that fails twice is given up, and nothing says so")
        elif within(call, channel.connect.node) or inside_helper(channel, call):
            continue
        elif not is_used(channel, call):  # else questions.py asks
            yield Seen(call, "a first connection that fails is not tried again")


def inside_helper(channel: Channel, call: object) -> bool:
    """Calls in helpers of the loop belong to the loop."""
    used = {
        id(h.node)
        for h in channel.helpers
        if any(channel.helper_of(r) == h for r in channel.redials)
    }
    function = enclosing_function(call)  # type: ignore[arg-type]
    while function is not None:
        if any(h.node.range() == function.range() for h in channel.helpers if id(h.node) in used):
            return True
        function = enclosing_function(function)
    return False
