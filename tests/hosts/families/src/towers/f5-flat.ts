import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** F5: the same three seconds, for ever. */
export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('gate'));
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;
    if (connection === 'close') {
      const code = (lastDisconnect?.error as any)?.output?.statusCode;
      if (code === 401) {
        log.error('The gate tower was unlinked');
        process.exit(1);
      } else {
        log.warn('The gate tower is cut off', { code });
        setTimeout(start, 3000);
      }
    } else if (connection === 'open') {
      log.info('The gate tower can hear');
    }
  });
}
