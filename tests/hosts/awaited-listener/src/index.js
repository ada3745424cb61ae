import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

import { onUpdate } from './update.js';
import { warm } from './warm.js';

export async function connect() {
  const { state, saveCreds } = await useMultiFileAuthState('orchard');
  const sock = makeWASocket({ auth: state });
  await warm(12);
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', async (update) => {
    await onUpdate(update, connect);
  });
}

connect();
