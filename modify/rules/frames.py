"""The small hosts around the rules' examples.

An example is the lines that matter. A line of ``…`` in a frame is where they go: the first one
takes the example's lines up to a line of ``…`` in it, the next one those after that. What
nothing goes into is left out. A kind without a frame has examples that are whole files.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from modify.rules import Example
from modify.units.managers import manager_of

GAP = "…"


@dataclass(frozen=True)
class Frame:
    """before, after: the file at ``path`` around an example; others: what else the host has."""

    path: str
    before: str = GAP
    after: str = GAP
    others: Mapping[str, str] = field(default_factory=dict)


def filled(frame: str, example: str) -> str:
    """A frame with the lines of an example in it, as far indented as its gaps."""
    if frame == GAP:
        return example
    parts = iter(f"\n{example}".split(f"\n{GAP}\n"))
    lines: list[str] = []
    for line in frame.splitlines():
        if line.strip() != GAP:
            lines.append(line)
        elif (part := next(parts, "").strip("\n")) != "":
            lines.append(textwrap.indent(part, line[: line.index(GAP)]))
    return "\n".join(lines).strip("\n") + "\n"


def hosts_of(example: Example) -> tuple[dict[str, str], dict[str, str]]:
    """The files of a host before and after, as far as the example shows them."""
    frame = frame_of(example.kind)
    before, after = frame.before, frame.after
    if example.is_whole:
        before = after = GAP
    return (
        {**frame.others, frame.path: filled(before, example.before)},
        {frame.path: filled(after, example.after)},
    )


BAILEYS = Frame(
    "channel.ts",
    """\
import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    …
  });
}

…
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

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = reconnect.socket(makeWASocket, { auth: state });
  sock.ev.on('connection.update', (update) => {
    …
  });
}

…
""",
)
BOT = {
    "package.json": '{"name": "bot", "main": "dist/index.js", '
    '"scripts": {"start": "node dist/index.js"}}\n',
    "src/index.ts": "import './whatsapp.js';\n",
    "src/whatsapp.ts": "const sock = makeWASocket({});\nsock.ev.on('connection.update', on);\n",
}
UNIT = """\
export function generateSystemdUnit() {
  return `[Unit]
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
ExecStart=/usr/bin/node /opt/bot/dist/index.js
Restart=always
RestartSec=5
`;
}
"""
ASSERTIONS = "import { generateSystemdUnit } from './service.js';\n…\n"
BRIDGE = filled(
    BAILEYS.before,
    """\
if (update.connection === 'close') {
  report('disconnected');
  if ((update.lastDisconnect?.error as any)?.output?.statusCode === 401) process.exit(0);
  connect();
}
""",
)
LINK = Frame(
    "whatsapp.py",
    """\
import asyncio

import websockets


class WhatsApp:
    async def run(self):
        …

    async def stop(self):
        …

    …
""",
    """\
import websockets

from whatsapp_reconnect import link_of


class WhatsApp:
    async def run(self):
        # Paces reconnects: a clean close waits like any other
        link = link_of(self)
        link.start()
        …

    async def stop(self):
        …

    …
""",
    {"bridge.ts": BRIDGE},
)
DIALLING = Frame(
    "bot.py",
    """\
…

from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(ConnectedEv)
def on_open(client, event):
    print('open')


…
""",
    """\
…

from neonize.client import NewClient
from neonize.events import *

…

client = NewClient('bot.db')
# Each attempt counts, across restarts too: see whatsapp_reconnect
hear(client)


@client.event(ConnectedEv)
def on_open(client, event):
    heard(client, event)
    print('open')


…
""",
)
ENDED = """\
import os

from neonize.client import NewClient
from neonize.events import *

client = NewClient('bot.db')


@client.event(StreamReplacedEv)
@client.event(TemporaryBanEv)
@client.event(LoggedOutEv)
def on_end(client, event):
    client.stop()


…
"""
SKILL = ".claude/skills/add-whatsapp"
FRAMES = {
    "baileys-channel": BAILEYS,
    "bridge-link": LINK,
    "bridge-process": Frame("whatsapp.py"),
    "neonize-client": Frame("bot.py"),
    "neonize-session": Frame("bot.py"),
    "neonize-dialling": DIALLING,
    "neonize-exit": Frame("bot.py", ENDED, ENDED),
    "systemd": Frame("bot.service", others=BOT),
    "launchd": Frame("com.bot.plist", others=BOT),
    "compose": Frame("compose.yml", others=BOT | {"Dockerfile": 'CMD ["node", "dist/index.js"]\n'}),
    "shell": Frame("run.sh", others=BOT),
    "unit-assertions": Frame(
        "setup/service.test.ts", ASSERTIONS, ASSERTIONS, BOT | {"setup/service.ts": UNIT}
    ),
    "skill-manifest": Frame(
        f"{SKILL}/manifest.yaml",
        others={
            f"{SKILL}/add/src/channels/whatsapp.ts": filled(
                BAILEYS.before, "if (update.connection === 'close') connect();"
            )
        },
    ),
}
"""By the kind of thing that a rule looks at."""


def whole(kind: str, before: str, after: str) -> Example:
    """An example that is shown with its frame around it: the lines that matter say little alone."""
    frame = FRAMES[kind]
    return Example(kind, filled(frame.before, before), filled(frame.after, after), is_whole=True)


def frame_of(kind: str) -> Frame:
    """The frame of a kind; a process manager without one names a file of its own."""
    return FRAMES.get(kind) or Frame(manager_of(kind).EXAMPLE, others=BOT)


PACED_LINK = """\
while self.running and await link.turn():
    try:
        async with websockets.connect("ws://bridge") as ws:
            link.opened()
            async for message in ws:
                self.handle(message)
    except Exception:
        link.closed()
…
self.running = False
link_of(self).stop()
"""
FLAT_LINK = whole(
    "bridge-link",
    """\
while self.running:
    try:
        async with websockets.connect("ws://bridge") as ws:
            async for message in ws:
                self.handle(message)
    except Exception:
        await asyncio.sleep(5)
…
self.running = False
""",
    PACED_LINK,
)
"""The loop of a bridge link that waits only after an exception, and the same pause each time."""
