"""A connection that comes back after it was told to stop.

What it finds
    In TypeScript and JavaScript: finds a reconnect that takes no notice of a shutdown. In
    Python: finds a loop without an end of its own (``while True``) in a channel that has a
    way to be stopped, and nothing in the loop that asks for it.

Why it is bad
    ``disconnect`` closes the socket, the close starts the reconnect, and the process that
    takes over finds its session in use: two clients throw each other out (440).

What is done
    The host's own ``disconnect``, ``teardown`` or ``stop`` also stops the gate: the wait
    ends, and no turn is granted until the next start.

When it is handed off
    Never by itself: the gate asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.socket_enders import enders_of
from modify.rules import Example, Rule, Sight
from modify.rules.frames import whole

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel
    from modify.bridge.link import LinkLoop

rule = Rule(
    __name__,
    fix="a close after a stop is ignored",
    examples=(
        Example(
            "baileys-channel",
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

// Paces reconnects: WhatsApp blocks a number that connects too often
const reconnect = new Reconnect({
  authDir: 'auth',
  logger: console,
  pairing: false,
});

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  sock = reconnect.socket(makeWASocket, { auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') reconnect.dial(connect);
  });
}

export function disconnect() {
  reconnect.stop();
  sock.end(undefined);
}
""",
            is_whole=True,
        ),
        whole(
            "bridge-link",
            """\
while True:
    try:
        async with websockets.connect("ws://bridge") as ws:
            async for message in ws:
                self.handle(message)
    except Exception:
        await asyncio.sleep(5)
…
await self.ws.close()
""",
            """\
while await link.turn():
    try:
        async with websockets.connect("ws://bridge") as ws:
            link.opened()
            async for message in ws:
                self.handle(message)
    except Exception:
        link.closed()
…
await self.ws.close()
link_of(self).stop()
""",
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    for function in enders_of(channel):
        if not channel.is_stopped_in(function):
            yield rule.at(
                channel.source,
                function,
                "ends the socket on purpose, and its close handler reconnects",
            )


@rule.detects("bridge-link")
def in_loop(link: LinkLoop) -> Iterator[Sight]:
    if link.test in ("True", "1") and link.stops and not link.is_cancelled:
        message = "the loop goes on after the channel was stopped"
        yield rule.at(link.source, link.loop, message, "a stop ends the wait and the loop")
