import { DisconnectReason, type WASocket } from '@whiskeysockets/baileys';

import { openLine } from './line.js';
import { answer } from './locks.js';

export function listen(sock: WASocket): void {
  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;
    if (connection === 'close') {
      const code = (lastDisconnect?.error as any)?.output?.statusCode;
      if (code === DisconnectReason.loggedOut) {
        console.error('The line was taken down, link it again');
        return;
      }
      console.warn('The line broke', code);
      setTimeout(() => void openLine(), 1000);
    } else if (connection === 'open') {
      console.log('The line is up');
    }
  });

  sock.ev.on('messages.upsert', async ({ messages }) => {
    for (const { key, message } of messages) {
      const text = answer(message?.conversation ?? '');
      if (text && key.remoteJid && !key.fromMe) {
        await sock.sendMessage(key.remoteJid, { text });
      }
    }
  });
}
