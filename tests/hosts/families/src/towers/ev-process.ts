import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** All events come through one function. */
export const start = async (): Promise<void> => {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('quay'));
  const sock = makeWASocket({ auth: state });

  sock.ev.process(async (events) => {
    if (events['connection.update']) {
      const update = events['connection.update'];
      const { connection, lastDisconnect } = update;
      if (connection === 'close') {
        const code = (lastDisconnect?.error as any)?.output?.statusCode;
        if (code !== DisconnectReason.loggedOut) {
          void start();
        } else {
          log.error('The quay tower was unlinked');
        }
      }
      log.info('The quay tower hears', { connection });
    }

    if (events['creds.update']) {
      await saveCreds();
    }
  });
};
