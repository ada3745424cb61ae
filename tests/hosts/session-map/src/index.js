import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

import { folderOf } from './folder.js';

const sessions = new Map();

export async function start(id) {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf(id));
  const sock = makeWASocket({ auth: state });
  sessions.set(id, sock);
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection !== 'close') return;
    sessions.delete(id);
    if (lastDisconnect?.error?.output?.statusCode !== 401) start(id);
  });
}

for (const id of process.argv.slice(2)) await start(id);
