import makeWASocket, {
  ConnectionState,
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { folderOf } from '../store.js';

/** The handler is kept, so that it can be taken off an old socket. */
export class Cupola {
  private sock?: WASocket;

  private readonly onUpdate = (update: Partial<ConnectionState>): void => {
    const { connection, lastDisconnect } = update;
    if (connection === 'close') {
      const code = (lastDisconnect?.error as any)?.output?.statusCode;
      if (code !== DisconnectReason.loggedOut) {
        this.connect().catch((err) => {
          log.error('The cupola could not dial', { err: String(err) });
        });
      } else {
        log.error('The cupola was unlinked');
      }
    } else if (connection === 'open') {
      log.info('The cupola can hear');
    }
  };

  async connect(): Promise<void> {
    this.sock?.ev.off('connection.update', this.onUpdate);
    const { state, saveCreds } = await useMultiFileAuthState(
      folderOf('cupola'),
    );
    this.sock = makeWASocket({ auth: state });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', this.onUpdate);
  }
}

const cupola = new Cupola();

export const start = () => cupola.connect();
