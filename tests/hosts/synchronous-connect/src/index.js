import * as baileys from '@whiskeysockets/baileys';

import { level } from './level.js';

const creds = baileys.initAuthCreds();
const keys = { get: async () => ({}), set: async () => undefined };
let sock;

function connect() {
  sock = baileys.makeWASocket({ auth: { creds, keys } });
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') connect();
  });
  sock.ev.on('messages.upsert', ({ messages }) => {
    const from = messages[0]?.key.remoteJid;
    if (from) sock.sendMessage(from, { text: level(120) });
  });
}

connect();
