"""A connect function that dials WhatsApp without waiting for its turn.

What it does
    Finds the function that makes the Baileys socket when nothing in front of it keeps
    count of the attempts.

Why is this bad
    A counter in memory starts at zero with every process, and one that only close events
    raise lets a crash loop run at 480 attempts a day. A bug elsewhere that kills NanoClaw
    v1 two seconds after each open made 12,343 attempts in 24 hours.

What is done
    ``await reconnect.turn()`` becomes the function's first statement. It waits as the
    policy says, counts the attempt in a file beside the credentials folder before it is
    made, and never lets more than 20 start in an hour, whatever loop is around it. Where
    the listener is placed by another function, or in another file, the gate has one of its
    own right behind the socket, and the rest is handed off as contained.

When it hands off
    When the function is not async, its credentials lie in no folder (a database), or their
    folder is known only inside it (several accounts in one process need a gate each). And
    wherever else something dials and cannot be patched: a socket whose listener comes from a
    table or a wrapper, a dial inside a package, another library than Baileys, a host that
    depends on Baileys while no source of it visibly dials (obfuscated, built, a link out of
    the host).
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.typescript.channel import Channel
from modify.typescript.rules import Seen

FIX = "turn() counts every attempt, across restarts: fewer than 21 an hour"
EXAMPLES = (
    (
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

export class Channel {
  private connected = false;

  async connect() {
    const { state } = await useMultiFileAuthState('auth');
    const sock = makeWASocket({ auth: state });
    sock.ev.on('connection.update', ({ connection }) => {
      this.connected = connection === 'open';
      if (connection === 'close') this.connect();
    });
  }
}
""",
        """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';
import { Reconnect } from './whatsapp-reconnect.js';

export class Channel {
  private connected = false;

  // Paces reconnects: WhatsApp blocks a number that dials too often
  private reconnect = new Reconnect({
    authDir: 'auth',
    logger: console,
    pairing: false,
  });

  async connect() {
    await this.reconnect.dial(() => this.openSocket());
  }

  private async openSocket() {
    const attempt = await this.reconnect.turn();
    const { state } = await useMultiFileAuthState('auth');
    const sock = makeWASocket({ auth: state });
    sock.ev.on('connection.update', (update) => {
      if (!this.reconnect.observe(update, attempt, sock)) return;
      const { connection } = update;
      this.connected = connection === 'open';
      if (connection === 'close') this.reconnect.dial(() => this.openSocket());
    });
  }
}
""",
    ),
)


def find(channel: Channel) -> Iterator[Seen]:
    if not channel.is_gated:
        yield Seen(channel.connect.node, f"{channel.connect.name}() dials WhatsApp without a gate")
