import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** The state of the line is switched on. */
export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('west'));
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;
    switch (connection) {
      case 'open':
        log.info('The west tower can hear');
        break;
      case 'close': {
        const code = (lastDisconnect?.error as any)?.output?.statusCode;
        if (code === DisconnectReason.loggedOut) {
          log.error('The west tower was unlinked');
        } else {
          log.warn('The west tower is cut off', { code });
          setTimeout(() => void start(), 2000);
        }
        break;
      }
    }
  });
}
