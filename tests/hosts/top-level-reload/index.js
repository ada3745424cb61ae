import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';

import { handlers } from './lib/handlers.js';

const { state, saveCreds } = await useMultiFileAuthState('riddles');
const options = { auth: state };

global.conn = makeWASocket(options);

async function connectionUpdate({ connection, lastDisconnect }) {
  const code = lastDisconnect?.error?.output?.statusCode;
  if (connection === 'close' && code !== 401) global.reloadHandler(true);
}

global.reloadHandler = (restart) => {
  if (restart) {
    global.conn.ev.removeAllListeners('connection.update');
    global.conn = makeWASocket(options);
  }
  global.conn.connectionUpdate = connectionUpdate.bind(global.conn);
  global.conn.ev.on('connection.update', global.conn.connectionUpdate);
  global.conn.ev.on('creds.update', saveCreds);
  for (const [name, run] of handlers()) global.conn.ev.on(name, run);
};
global.reloadHandler(false);
