import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** A tower that is switched off does not dial: the flag is asked beside the status. */
export class Campanile {
  private sock!: WASocket;
  private disabled = false;

  async connectInternal(): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState(
      folderOf('campanile'),
    );
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect } = update;
      if (connection === 'close') {
        const reason = (lastDisconnect?.error as any)?.output?.statusCode;
        const shouldReconnect =
          reason !== DisconnectReason.loggedOut && !this.disabled;
        log.info('The campanile is cut off', { reason, shouldReconnect });
        if (shouldReconnect) {
          this.connectInternal().catch((err) => {
            log.error('The campanile could not dial', { err: String(err) });
            setTimeout(() => {
              this.connectInternal().catch((err2) => {
                log.error('Nor the second time', { err: String(err2) });
              });
            }, 5000);
          });
        } else if (!this.disabled) {
          log.error('The campanile was unlinked');
          process.exit(0);
        }
      } else if (connection === 'open') {
        log.info('The campanile can hear');
      }
    });
  }

  switchOff(): void {
    this.disabled = true;
    this.sock?.end(undefined);
  }
}

export const start = () => new Campanile().connectInternal();
