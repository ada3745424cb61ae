"""A channel that dials again after it was told to stop.

What it does
    Finds functions that end the socket on purpose while nothing keeps the close branch
    from dialling again. A function that normal running reaches (an event, a timer, a
    command, the close branch) is left alone: its close is to be followed by a dial.

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

from modify.baileys.model.channel import Channel
from modify.baileys.model.socket_enders import enders_of
from modify.baileys.rules import Seen

FIX = "stop() makes later closes inert"
EXAMPLES = (
    (
        """\
import makeWASocket, {
  useMultiFileAuthState,
  type WASocket,
} from '@whiskeysockets/baileys';

let sock: WASocket;

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') connect();
  });
}

export function disconnect() {
  sock.end(undefined);
}
""",
        """\
import makeWASocket, {
  useMultiFileAuthState,
  type WASocket,
} from '@whiskeysockets/baileys';
import { Reconnect } from './whatsapp-reconnect.js';

let sock: WASocket;

// Paces reconnects: WhatsApp blocks a number that dials too often
const reconnect = new Reconnect({
  authDir: 'auth',
  logger: console,
  pairing: false,
});

async function connect() {
  const attempt = await reconnect.turn();
  const { state } = await useMultiFileAuthState('auth');
  sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (!reconnect.observe(update, attempt, sock)) return;
    if (update.connection === 'close') reconnect.dial(connect);
  });
}

export function disconnect() {
  reconnect.stop();
  sock.end(undefined);
}
""",
    ),
)


def find(channel: Channel) -> Iterator[Seen]:
    for function in enders_of(channel):
        if not channel.is_stopped_in(function):
            yield Seen(function, "ends the socket on purpose, and the close branch dials again")
