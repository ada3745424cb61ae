"""A host that never becomes ready because its first attempt failed.

What it finds
    Finds a connect function that takes a first-open callback and is called again
    without it.

Why it is bad
    ``connect()`` waits for that callback. When the first attempt fails the link comes up
    later, but ``connect()`` never returns and the message loop never starts. Measured on
    NanoClaw v1 and after pull request 746: with closes in the first ten minutes after
    boot the bot was never ready.

What is done
    The callback is passed on to every later attempt. Where the host may start before the
    first open, what uses the socket says so instead of failing on ``undefined``.

When it is handed off
    When the function that reconnects cannot see the callback.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.kit.typescript.source import arguments_of
from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel

rule = Rule(
    __name__,
    fix="the first-open callback is passed on to later attempts",
    loses_link=True,
    examples=(
        Example(
            "baileys-channel",
            """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect(onFirstOpen?: () => void) {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') {
      connect();
    } else if (update.connection === 'open') {
      onFirstOpen?.();
    }
  });
}

export function start() {
  return new Promise<void>((resolve, reject) => {
    connect(resolve).catch(reject);
  });
}
""",
            """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';
import { Reconnect } from './whatsapp-reconnect.js';

// Paces reconnects: WhatsApp blocks a number that connects too often
const reconnect = new Reconnect({
  authDir: 'auth',
  logger: console,
  pairing: false,
});

async function connect(onFirstOpen?: () => void) {
  const { state } = await useMultiFileAuthState('auth');
  const sock = reconnect.socket(makeWASocket, { auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') {
      reconnect.dial(() => connect(onFirstOpen));
    } else if (update.connection === 'open') {
      onFirstOpen?.();
    }
  });
}

export function start() {
  return new Promise<void>((resolve) => {
    // Does not hold up the host: WhatsApp may open later, by itself
    reconnect.dial(() => connect(resolve), {
      late: resolve,
      stopped: () => resolve(),
    });
  });
}
""",
            is_whole=True,
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    name = channel.first_open_parameter
    if name is None or channel.close is None:
        return
    for call in channel.redials:
        if not channel.close.holds(call) or channel.is_dialled(call):
            continue
        if name not in [each.text() for each in arguments_of(call)]:
            yield rule.at(
                channel.source,
                call,
                f"{name} is not passed on: connect() never settles after a failed first attempt",
            )
            return
