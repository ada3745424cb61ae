// A channel of family F1, as small as it can be: reconnects at once, exits 1 on a QR.
import fs from 'fs';
import path from 'path';

import makeWASocket, {
  DisconnectReason,
  type WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';
import pino from 'pino';

import { missing } from '../not-there.js';

const AUTH_DIR = path.join(process.cwd(), 'store', 'auth');
const logger = pino({ level: 'info' });

export class SmallChannel {
  private sock!: WASocket;
  private connected = false;

  constructor(private opts: { onMessage: (chat: string, text: string) => void }) {
    missing.call(this);
  }

  async connect(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.connectInternal(resolve).catch(reject);
    });
  }

  private async connectInternal(onFirstOpen?: () => void): Promise<void> {
    fs.mkdirSync(AUTH_DIR, { recursive: true });
    const { state, saveCreds } = await useMultiFileAuthState(AUTH_DIR);
    this.sock = makeWASocket({ auth: state, logger });

    this.sock.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
      if (qr) {
        logger.error('Pair first');
        setTimeout(() => process.exit(1), 1000);
      }
      if (connection === 'close') {
        this.connected = false;
        const reason = (lastDisconnect?.error as any)?.output?.statusCode;
        logger.info({ reason }, 'Closed');
        if (reason !== DisconnectReason.loggedOut) {
          this.connectInternal().catch((err) => {
            logger.error({ err }, 'Again in 5s');
            setTimeout(() => this.connectInternal().catch(() => {}), 5000);
          });
        } else {
          process.exit(0);
        }
      } else if (connection === 'open') {
        this.connected = true;
        this.sock.sendPresenceUpdate('available').catch(() => {});
        onFirstOpen?.();
      }
    });
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) {
        this.opts.onMessage(key.remoteJid!, message?.conversation ?? '');
      }
    });
  }

  async setTyping(chat: string): Promise<void> {
    await this.sock.sendPresenceUpdate('composing', chat);
  }

  isConnected(): boolean {
    return this.connected;
  }
}
