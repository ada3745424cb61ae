import { rm } from 'node:fs/promises';

import { createSocket } from './maker.js';
import { advice } from './advice.js';

export async function login() {
  const sock = await createSocket('cats');
  sock.ev.on(
    'connection.update',
    async ({ connection, lastDisconnect, qr }) => {
      if (qr) console.log(advice(qr));
      const code = lastDisconnect?.error?.output?.statusCode;
      if (code === 401) await rm('cats', { recursive: true, force: true });
      if (connection === 'close') await login();
      if (connection === 'open') process.exit(0);
    },
  );
}
