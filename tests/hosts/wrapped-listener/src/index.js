import { makeWASocket, useMultiFileAuthState } from '@whiskeysockets/baileys';

import { listenTo } from './listen.js';

async function row() {
  const { state, saveCreds } = await useMultiFileAuthState('crew');
  const sock = makeWASocket({ auth: state });
  const on = listenTo(sock);
  on(`creds.update`, saveCreds);
  on(`connection.update`, ({ connection }) => {
    if (connection === 'close') setTimeout(row, 3000);
  });
}

row();
