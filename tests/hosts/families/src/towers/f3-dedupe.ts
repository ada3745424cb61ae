import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** F3: a helper with a counter of its own, and never two timers. */
export class Belfry {
  private sock?: WASocket;
  private tries = 0;
  private timer?: NodeJS.Timeout;

  async connect(): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState(
      folderOf('belfry'),
    );
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect } = update;
      if (connection === 'close') {
        const code = (lastDisconnect?.error as any)?.output?.statusCode;
        log.warn('The belfry is cut off', { code, tries: this.tries });
        if (code === DisconnectReason.loggedOut) {
          log.error('The belfry was unlinked');
        } else {
          this.scheduleReconnect();
        }
      } else if (connection === 'open') {
        this.tries = 0;
        log.info('The belfry can hear');
      }
    });
  }

  private scheduleReconnect(): void {
    if (this.timer) return;
    this.tries += 1;
    const delay = Math.min(1000 * 2 ** (this.tries - 1), 60_000);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.connect().catch((err) => {
        log.error('The belfry could not dial', { err: String(err) });
        this.scheduleReconnect();
      });
    }, delay);
  }
}

const belfry = new Belfry();

export const start = () => belfry.connect();
