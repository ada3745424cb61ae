"""Small texts of every kind that skillgen reads, to be mutated. Written by hand."""

from __future__ import annotations

from typing import Any

from skill.policy import MEMORY_VERSION
from tests.slow.faults.cases import CHANNEL, COMPOSE, UNIT

CLASS = """\
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from 'baileys';
import { logger } from './log.js';

export class Line {
  private sock;

  async connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.open(resolve).catch(reject);
    });
  }

  private async open(onOpen?: () => void): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState('store/auth');
    this.sock = makeWASocket({ auth: state, logger });
    this.sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
      if (qr) {
        setTimeout(() => process.exit(1), 1000);
      }
      if (connection === 'close') {
        const code = (lastDisconnect?.error as any)?.output?.statusCode;
        if (code !== DisconnectReason.loggedOut) {
          setTimeout(() => this.open(onOpen).catch((err) => logger.error({ err }, 'gone')), 5000);
        } else {
          process.exit(1);
        }
      } else if (connection === 'open') {
        onOpen?.();
      }
    });
    this.sock.ev.on('creds.update', saveCreds);
  }

  async disconnect() {
    this.sock?.end(undefined);
  }
}
"""
COMMON = """\
'use strict';
const { default: makeWASocket, useMultiFileAuthState, DisconnectReason } = require('baileys');

const sessions = {};
const start = async (id) => {
  const { state, saveCreds } = await useMultiFileAuthState('sessions/' + id);
  const client = makeWASocket({ auth: state, printQRInTerminal: true });
  sessions[id] = client;
  client.ev.on('creds.update', saveCreds);
  client.ev.on('connection.update', async (u) => {
    switch (u.connection) {
      case 'close':
        if (u.lastDisconnect.error.output.statusCode == DisconnectReason.loggedOut) return;
        await start(id);
        break;
    }
  });
};
start('one');
"""
TYPESCRIPT = (CHANNEL, CLASS, COMMON)

LINK = """\
import asyncio
import json

import websockets


class Line:
    def __init__(self, url):
        self.url = url
        self.running = True

    async def start(self):
        while self.running:
            try:
                async with websockets.connect(self.url) as ws:
                    await ws.send(json.dumps({"type": "auth"}))
                    async for message in ws:
                        await self.handle(json.loads(message))
            except asyncio.CancelledError:
                break
            except Exception as e:
                print("lost", e)
                await asyncio.sleep(5)

    async def handle(self, data):
        if data.get("type") == "status" and data.get("status") == "disconnected":
            print("whatsapp is gone")
        elif data.get("type") == "message":
            print(data["content"])
"""
CLIENT = """\
import sys

from neonize.client import NewClient
from neonize.events import ConnectedEv, LoggedOutEv, MessageEv

client = NewClient("db.sqlite3")


@client.event(ConnectedEv)
def connected(_client, _event):
    print("whatsapp: connected")


@client.event(LoggedOutEv)
def logged_out(_client, _event):
    sys.exit(1)


@client.event(MessageEv)
def message(client, event):
    client.reply_message("pong", event)


while True:
    client.connect()
"""
PYTHON = (LINK, CLIENT)

SYSTEMD = (
    UNIT.format(root="/opt/bot"),
    """\
[Unit]
Description=WhatsApp bot
StartLimitIntervalSec=0
[Service]
Type=simple
Environment="NODE_OPTIONS=--max-old-space-size=300 --enable-source-maps" A=b
EnvironmentFile=-/opt/bot/.env
ExecStart=/usr/bin/node \\
  --enable-source-maps bot.mjs
WorkingDirectory=%h/bot
User=bot
Restart=always
RestartSec=5s
ProtectHome=yes
StateDirectory=bot
[Install]
WantedBy=multi-user.target
""",
)
LAUNCHD = (
    """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>org.example.bot</string>
    <key>ProgramArguments</key>
    <array>
        <string>/usr/local/bin/node</string>
        <string>bot.mjs</string>
    </array>
    <key>EnvironmentVariables</key>
    <dict>
        <key>PATH</key>
        <string>/usr/local/bin:/usr/bin</string>
    </dict>
    <key>KeepAlive</key>
    <true/>
    <key>RunAtLoad</key>
    <true/>
</dict>
</plist>
""",
)
COMPOSES = (
    COMPOSE,
    """\
x-common: &common
  restart: unless-stopped
  environment:
    NODE_OPTIONS: --enable-source-maps
services:
  bot:
    <<: *common
    image: node:22
    command: ["node", "bot.mjs"]
    volumes:
      - ./store:/app/store
  db: { image: postgres, restart: always }
""",
)
SUPERVISORD = (
    """\
[supervisord]
nodaemon=true

[program:bot]
command=node bot.mjs ; the bot
directory=%(here)s
autostart=true
autorestart=true
startretries=999
environment=A="1",NODE_OPTIONS="--enable-source-maps"

[program:web]
command=python3 -m http.server
autorestart=unexpected
""",
)
PM2 = (
    """\
module.exports = {
  apps: [
    {
      name: 'bot',
      script: 'bot.mjs',
      autorestart: true,
      restart_delay: 1000,
      node_args: '--enable-source-maps',
      env: { NODE_ENV: 'production' },
    },
  ],
};
""",
    '{ "apps": [{ "name": "bot", "script": "./bot.mjs", "autorestart": true }] }\n',
)
SHELL = (
    """\
#!/bin/sh
cd "$(dirname "$0")" || exit 1
while true; do
  node bot.mjs
  echo "gone, again in 5 s"
  sleep 5
done
""",
)
DOCKERFILE = (
    """\
FROM node:22
WORKDIR /app
COPY . .
ENV NODE_ENV=production
CMD ["node", "bot.mjs"]
""",
)
PACKAGES = (
    """\
{
  "name": "bot",
  "type": "module",
  "main": "dist/bot.js",
  "workspaces": ["packages/*"],
  "scripts": { "start": "node bot.mjs", "build": "tsc -p ." },
  "dependencies": { "@whiskeysockets/baileys": "^7.0.0-rc.9", "ws": "npm:ws@8" },
  "prettier": { "singleQuote": true, "printWidth": 60 },
  "eslintConfig": { "root": true }
}
""",
)
PYPROJECT = (
    """\
[project]
name = "bot"
dependencies = ["websockets>=12", "neonize==0.3.9"]
requires-python = ">=3.11"

[project.scripts]
bot = "bot.main:run"

[tool.ruff]
line-length = 88

[tool.ruff.format]
quote-style = "single"

[tool.black]
line-length = 79
""",
)
PRETTIER = (
    '{ "singleQuote": true, "semi": false, "tabWidth": 4, "printWidth": 60 }\n',
    """\
singleQuote: true
useTabs: true
semi: false
overrides:
  - files: '*.ts'
    options: {}
""",
)
TSCONFIG = (
    """\
{
  // comments are allowed here
  "compilerOptions": {
    "target": "ES2022", "module": "NodeNext", "outDir": "dist", "rootDir": "src",
    "paths": { "@/*": ["./src/*"] },
  },
  "include": ["src"], "extends": "./base.json",
}
""",
)
MANIFEST = (
    """\
skill: whatsapp
version: 1.2.0
core_version: 0.1.0
adds:
  - src/channels/whatsapp.ts
modifies:
  - src/channels/index.ts
structured:
  npm_dependencies:
    "@whiskeysockets/baileys": "^7.0.0-rc.9"
    pino: "^9.6.0"
  env_additions:
    - ASSISTANT_NAME
conflicts: []
depends: []
test: "npx vitest run src/channels/whatsapp.test.ts"
""",
)
INTENT = (
    """\
# Intent: src/channels/index.ts

## What changed
Added the import of the WhatsApp channel.

## Key sections
- the list of channels

## Invariants
- the other imports stay

## Must-keep sections
- `registerChannel`
""",
)
ENGINE_STATE = (
    """\
skills_system_version: 0.1.0
core_version: 1.2.3
applied_skills:
  - name: whatsapp
    version: 1.2.0
    applied_at: "2026-03-01T10:00:00.000Z"
    file_hashes:
      src/channels/whatsapp.ts: 0f3a
""",
)
MEMORY: dict[str, Any] = {
    "version": MEMORY_VERSION,
    "identity": "123@s.whatsapp.net",
    "attempts": {"a": 1_790_000_000_000, "b": 1_790_000_100_000},
    "level": 3,
    "kind": "transient",
    "code": 503,
    "wait": 20_000,
    "notBefore": 99_999_999_999_999,
    "verdict": {"code": 401, "at": 1_790_000_000_000},
    "cleared": 0,
}
