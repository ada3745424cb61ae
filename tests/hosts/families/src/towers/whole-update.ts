import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** The update is not taken apart. */
export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('hill'));
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') {
      const error = update.lastDisconnect?.error as
        { output?: { statusCode?: number } } | undefined;
      if (error?.output?.statusCode !== DisconnectReason.loggedOut) {
        log.warn('The hill tower is cut off');
        start().catch((err) => {
          log.error('The hill tower could not dial', { err: String(err) });
          setTimeout(start, 5000);
        });
      } else {
        log.error('The hill tower was unlinked');
      }
    } else if (update.connection === 'open') {
      log.info('The hill tower can hear');
    }
  });
}
