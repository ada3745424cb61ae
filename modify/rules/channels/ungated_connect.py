"""A call that makes a socket without a limit on attempts.

What it finds
    Finds every call that makes a Baileys socket when nothing in front of it keeps count of
    the attempts: by whatever name, from Baileys, a fork of it or a file of the host that hands
    it on.

Why it is bad
    A counter in memory starts at zero with every process, and one that only close events
    raise lets a crash loop run at 480 attempts a day. A bug elsewhere that kills NanoClaw
    v1 two seconds after each open made 12,343 attempts in 24 hours.

What is done
    The call is wrapped: ``makeWASocket({…})`` becomes ``reconnect.socket(makeWASocket, {…})``,
    with the import of the module that is added. The socket is made at once and stays
    ``connecting`` until its turn; at most 20 attempts start in any hour, across restarts.
    Nothing else in the host needs to be understood or changed, so credentials, listeners and
    loops may lie anywhere. Where the file loads credentials from a folder, that call is wrapped
    as well: it tells whose attempts these are. Pairing scripts that end by themselves stay.

    Where the close branch is of a known shape, the channel is rewritten instead: the same call
    goes through a ``Reconnect`` object of its own, and the host's retries become ``dial()``.

When it is handed off
    When the call is out of reach: nobody can tell where its function comes from, or it lies in a
    package or in obfuscated source. ``skillgen guard`` holds it from outside, by the unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Example, Rule, Sight

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel

rule = Rule(
    __name__,
    fix="each attempt waits for its turn: at most 20 in any hour, across restarts",
    examples=(
        Example(
            "baileys-channel",
            """\
import makeWASocket from '@whiskeysockets/baileys';
import { loadState } from './database.js';

const sessions = new Map();

export async function start(id) {
  const sock = makeWASocket({ auth: await loadState(id) });
  sessions.set(id, sock);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') start(id);
  });
}
""",
            """\
import makeWASocket from '@whiskeysockets/baileys';
import { loadState } from './database.js';
import * as reconnect from './whatsapp-reconnect.js';

const sessions = new Map();

export async function start(id) {
  const sock = reconnect.socket(makeWASocket, { auth: await loadState(id) });
  sessions.set(id, sock);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') start(id);
  });
}
""",
            is_whole=True,
        ),
        Example(
            "baileys-channel",
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

  // Paces reconnects: WhatsApp blocks a number that connects too often
  private reconnect = new Reconnect({
    authDir: 'auth',
    logger: console,
    pairing: false,
  });

  async connect() {
    await this.reconnect.dial(() => this.openSocket());
  }

  private async openSocket() {
    const { state } = await useMultiFileAuthState('auth');
    const sock = this.reconnect.socket(makeWASocket, { auth: state });
    sock.ev.on('connection.update', ({ connection }) => {
      this.connected = connection === 'open';
      if (connection === 'close') this.reconnect.dial(() => this.openSocket());
    });
  }
}
""",
            is_whole=True,
        ),
    ),
)


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    if not channel.is_gated:
        yield rule.at(
            channel.source,
            channel.connect.node,
            f"{channel.connect.name}() connects to WhatsApp without a limit on attempts",
        )
