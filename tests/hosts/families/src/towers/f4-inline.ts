import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** F4: the delay doubles where it is used; a dial that fails is only told. */
export function createChapel() {
  let delay = 1000;

  const connect = async (): Promise<void> => {
    const { state, saveCreds } = await useMultiFileAuthState(
      folderOf('chapel'),
    );
    const sock = makeWASocket({ auth: state });
    sock.ev.on('creds.update', saveCreds);
    sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect } = update;
      if (connection === 'close') {
        const statusCode = (lastDisconnect?.error as any)?.output?.statusCode;
        const shouldReconnect = statusCode !== DisconnectReason.loggedOut;
        log.info('The chapel is cut off', { statusCode, shouldReconnect });
        if (shouldReconnect) {
          setTimeout(() => {
            connect().catch((err) => {
              log.error('The chapel could not dial', { err: String(err) });
            });
          }, delay);
          delay = Math.min(delay * 2, 300_000);
        }
      } else if (connection === 'open') {
        delay = 1000;
        log.info('The chapel can hear');
      }
    });
  };

  return { connect };
}

export const start = () => createChapel().connect();
