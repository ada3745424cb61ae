import makeWASocket, {
  DisconnectReason,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

let tries = 0;

/** F3: the counter falls back when the dial resolves, which proves nothing. */
export async function start(): Promise<void> {
  const { state, saveCreds } = await useMultiFileAuthState(folderOf('minster'));
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    if (connection === 'close') {
      const code = (
        lastDisconnect?.error as
          { output?: { statusCode?: number } } | undefined
      )?.output?.statusCode;
      if (code !== DisconnectReason.loggedOut) {
        retry();
      } else {
        log.error('The minster was unlinked');
      }
    } else if (connection === 'open') {
      log.info('The minster can hear');
    }
  });
}

function retry(): void {
  tries++;
  const delay = Math.min(2000 * 2 ** (tries - 1), 120_000);
  log.info('The minster dials again', { tries, delay });
  setTimeout(() => {
    start()
      .then(() => {
        tries = 0;
      })
      .catch((err) => {
        log.error('The minster could not dial', { err: String(err) });
        retry();
      });
  }, delay);
}
