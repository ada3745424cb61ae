import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

import { listen } from './listen.js';

const AUTH = process.env.TOWPATH_AUTH ?? 'data/auth';

/** Opens the line to the boats; what comes in over it is heard in listen.ts. */
export async function openLine(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(AUTH);
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  listen(sock);
}
