"""A closed connection that is dialled again at once, or after the same pause each time.

What it does
    Finds calls of the connect function in the close branch without a delay, with a
    constant one, or through a helper that is told ``1`` each time.

Why is this bad
    ``connect()`` resolves when the socket object exists, so a close comes back as an event
    within milliseconds and the loop runs free: 12,000 attempts an hour measured on
    NanoClaw v1, 680 with a helper that always starts at 5 s. Numbers are banned for less.

What is done
    ``reconnect.dial(…)`` takes the place of the old loop: 5 s, 10 s, 20 s … 5 minutes, and
    back to the start only after five minutes of an open connection.

When it hands off
    When the close branch does not lead back to the connect function in a way that can be
    followed; then the gate alone holds the bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.baileys.model.channel import Channel
from modify.baileys.model.reconnect_loop import outermost
from modify.baileys.rules import Seen
from modify.kit.typescript.source import arguments_of

FIX = "dial() waits 5 s, 10 s, 20 s … 5 min instead"
CONSTANT = re.compile(r"[\d_.]+|[A-Z][A-Z0-9_]*|[\d_.]+\s*\*\s*\w+")
EXAMPLES = (
    (
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') {
      setTimeout(connect, 5000);
    }
  });
}
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
""",
    ),
    (
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') retry(1);
  });
}

function retry(attempt: number) {
  const wait = Math.min(5000 * 2 ** (attempt - 1), 300_000);
  setTimeout(() => {
    connect().catch(() => retry(attempt + 1));
  }, wait);
}
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
    if (update.connection === 'close') reconnect.dial(connect);
  });
}
""",
    ),
)


def find(channel: Channel) -> Iterator[Seen]:
    close = channel.close
    if close is None:
        return
    last = -1
    for call in channel.redials:
        redial = outermost(channel, call)
        start = redial.whole.range().start.index
        if not close.holds(call) or start <= last or channel.is_dialled(call):
            continue
        last = redial.whole.range().end.index
        helper = channel.helper_of(call)
        if helper is not None and not channel.is_deferred(call):
            given = arguments_of(call)
            if given and all(CONSTANT.fullmatch(each.text()) for each in given):
                told = f"{helper.name}() is told {given[0].text()} on every close"
                yield Seen(call, f"{told}: the delay never grows")
        elif not redial.timed:
            yield Seen(call, "a closed connection is dialled again at once")
        elif redial.delay is not None and CONSTANT.fullmatch(redial.delay):
            yield Seen(call, f"a closed connection is dialled again after a flat {redial.delay}")
