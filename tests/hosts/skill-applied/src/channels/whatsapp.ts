import fs from 'fs';
import path from 'path';

import makeWASocket, {
  Browsers,
  DisconnectReason,
  WASocket,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { STORE_DIR } from '../config.js';
import { logger } from '../logger.js';
import { Channel } from '../types.js';
import { ChannelOpts, registerChannel } from './registry.js';

const AUTH_DIR = path.join(STORE_DIR, 'auth');

export class WhatsAppChannel implements Channel {
  name = 'whatsapp';

  private sock!: WASocket;
  private connected = false;

  constructor(private opts: ChannelOpts) {}

  async connect(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.connectInternal(resolve).catch(reject);
    });
  }

  private async connectInternal(onFirstOpen?: () => void): Promise<void> {
    fs.mkdirSync(AUTH_DIR, { recursive: true });

    const { state, saveCreds } = await useMultiFileAuthState(AUTH_DIR);

    this.sock = makeWASocket({
      auth: {
        creds: state.creds,
        keys: makeCacheableSignalKeyStore(state.keys, logger),
      },
      logger,
      browser: Browsers.macOS('Chrome'),
    });

    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect, qr } = update;

      if (qr) {
        logger.error('Trellis is not linked to a phone. Run the pairing step.');
        setTimeout(() => process.exit(1), 1000);
      }

      if (connection === 'close') {
        this.connected = false;
        const reason = (lastDisconnect?.error as any)?.output?.statusCode;
        const shouldReconnect = reason !== DisconnectReason.loggedOut;
        logger.info({ reason, shouldReconnect }, 'The line was closed');

        if (shouldReconnect) {
          this.connectInternal().catch((err) => {
            logger.error({ err }, 'No line, next try in 5 seconds');
            setTimeout(() => {
              this.connectInternal().catch((err2) => {
                logger.error({ err: err2 }, 'No line again');
              });
            }, 5000);
          });
        } else {
          logger.info('The phone has unlinked Trellis. Run the pairing step.');
          process.exit(0);
        }
      } else if (connection === 'open') {
        this.connected = true;
        logger.info('The line is open');

        if (onFirstOpen) {
          onFirstOpen();
          onFirstOpen = undefined;
        }
      }
    });

    this.sock.ev.on('creds.update', saveCreds);

    this.sock.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) {
        if (!key.remoteJid || key.fromMe) continue;
        const text = message?.conversation;
        if (text) this.opts.onText(key.remoteJid, text);
      }
    });
  }

  async sendMessage(chat: string, text: string): Promise<void> {
    await this.sock.sendMessage(chat, { text });
  }

  isConnected(): boolean {
    return this.connected;
  }

  async disconnect(): Promise<void> {
    this.connected = false;
    this.sock?.end(undefined);
  }
}

registerChannel('whatsapp', (opts) => {
  if (!fs.existsSync(path.join(AUTH_DIR, 'creds.json'))) return null;
  return new WhatsAppChannel(opts);
});
