import { Boom } from '@hapi/boom';
import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** Open and close are asked for one after the other; the status through a Boom. */
export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('north'));
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', async (update) => {
    const { connection, lastDisconnect } = update;

    if (connection === 'open') {
      log.info('The north tower can hear');
    }

    if (connection === 'close') {
      const status = (lastDisconnect?.error as Boom)?.output?.statusCode;
      log.warn('The north tower is cut off', { status });
      if (status !== DisconnectReason.loggedOut) {
        await start();
      }
    }
  });
}
