import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** Everything but a close returns first, and so does a tower that is shut down. */
export class SouthTower {
  private sock?: WASocket;
  private shuttingDown = false;

  async connect(): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState(folderOf('south'));
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect } = update;
      if (connection === 'open') log.info('The south tower can hear');
      if (connection !== 'close') return;

      if (this.shuttingDown) return;
      const code = (lastDisconnect?.error as any)?.output?.statusCode;
      if (code === DisconnectReason.loggedOut) {
        log.error('The south tower was unlinked');
        return;
      }
      log.warn('The south tower is cut off', { code });
      setTimeout(() => {
        this.connect().catch((err) =>
          log.error('The south tower could not dial', { err: String(err) }),
        );
      }, 5000);
    });
  }

  disconnect(): void {
    this.shuttingDown = true;
    this.sock?.end(undefined);
  }
}

const tower = new SouthTower();

export const start = () => tower.connect();
