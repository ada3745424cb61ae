import { createSocket } from './maker.js';

export async function monitor() {
  const sock = await createSocket('cats');
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    const code = lastDisconnect?.error?.output?.statusCode;
    if (connection === 'close' && code !== 401) setTimeout(monitor, 1000);
  });
}
