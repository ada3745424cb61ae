import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** F6: only an outdated client waits longer each time. */
export class Clocktower {
  private sock!: WASocket;
  private outdated = 0;

  async connectInternal(): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState(folderOf('clock'));
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect } = update;
      if (connection === 'close') {
        const reason = (lastDisconnect?.error as any)?.output?.statusCode;
        const shouldReconnect = reason !== DisconnectReason.loggedOut;
        if (reason === 405) {
          this.outdated += 1;
          const delay = Math.min(5000 * 2 ** this.outdated, 300_000);
          log.warn('The clocktower is outdated', { delay });
          setTimeout(() => this.connectInternal(), delay);
        } else if (shouldReconnect) {
          log.info('The clocktower dials again', { reason });
          this.connectInternal().catch((err) => {
            log.error('The clocktower could not dial', { err: String(err) });
          });
        } else {
          log.error('The clocktower was unlinked');
        }
      } else if (connection === 'open') {
        this.outdated = 0;
        log.info('The clocktower can hear');
      }
    });
  }
}

export const start = () => new Clocktower().connectInternal();
