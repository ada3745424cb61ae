// A bot whose loop is rewritten: its own gate decides, and nothing else holds its dials.
import { mkdirSync } from 'node:fs';

import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import { prepare } from './odd.cjs';
import { Reconnect } from './rewritten/whatsapp-reconnect.mjs';

mkdirSync('auth', { recursive: true });
const config = prepare(baileys, '4911111', 'auth/creds.json');
const reconnect = new Reconnect({ authDir: 'auth', logger: console });
reconnect.dial(connect);

function connect() {
  const sock = reconnect.socket(makeWASocket, config);
  sock.ev.on('connection.update', (update) => {
    if (update.connection !== 'close') return;
    console.log(String(update.lastDisconnect?.error?.output?.statusCode));
    if (!reconnect.terminal) reconnect.dial(connect);
  });
}
