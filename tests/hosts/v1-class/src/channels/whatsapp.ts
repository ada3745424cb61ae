import { exec } from 'child_process';
import fs from 'fs';
import path from 'path';

import makeWASocket, {
  Browsers,
  DisconnectReason,
  WASocket,
  fetchLatestWaWebVersion,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { BOT_NAME, STORE_DIR } from '../config.js';
import { logger } from '../logger.js';
import { Channel, Incoming } from '../types.js';

export interface WhatsAppChannelOpts {
  onMessage: (message: Incoming) => void;
}

export class WhatsAppChannel implements Channel {
  name = 'whatsapp';

  private sock!: WASocket;
  private connected = false;
  private outbox: Array<{ chat: string; text: string }> = [];
  private draining = false;

  constructor(private opts: WhatsAppChannelOpts) {}

  async connect(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.connectInternal(resolve).catch(reject);
    });
  }

  private async connectInternal(onFirstOpen?: () => void): Promise<void> {
    const authDir = path.join(STORE_DIR, 'auth');
    fs.mkdirSync(authDir, { recursive: true });

    const { state, saveCreds } = await useMultiFileAuthState(authDir);

    const { version } = await fetchLatestWaWebVersion({}).catch((err) => {
      logger.warn({ err }, 'No current web version, taking the built-in one');
      return { version: undefined };
    });

    this.sock = makeWASocket({
      version,
      auth: {
        creds: state.creds,
        keys: makeCacheableSignalKeyStore(state.keys, logger),
      },
      printQRInTerminal: false,
      logger,
      browser: Browsers.macOS('Chrome'),
    });

    this.sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect, qr } = update;

      if (qr) {
        const msg = 'Heron is not linked. Run the pairing script first.';
        logger.error(msg);
        exec(`osascript -e 'display notification "${msg}" with title "Heron"'`);
        setTimeout(() => process.exit(1), 1000);
      }

      if (connection === 'close') {
        this.connected = false;
        const reason = (
          lastDisconnect?.error as { output?: { statusCode?: number } }
        )?.output?.statusCode;
        const shouldReconnect = reason !== DisconnectReason.loggedOut;
        logger.info(
          { reason, shouldReconnect, waiting: this.outbox.length },
          'Line dropped',
        );

        if (shouldReconnect) {
          logger.info('Dialling again...');
          this.connectInternal().catch((err) => {
            logger.error({ err }, 'Dialling failed, next try in 5s');
            setTimeout(() => {
              this.connectInternal().catch((err2) => {
                logger.error({ err: err2 }, 'Second try failed');
              });
            }, 5000);
          });
        } else {
          logger.info('Unlinked from the phone. Pair again to go on.');
          process.exit(0);
        }
      } else if (connection === 'open') {
        this.connected = true;
        logger.info('Line is up');

        // Presence first, or nobody sees the typing marks that follow
        this.sock.sendPresenceUpdate('available').catch((err) => {
          logger.warn({ err }, 'Presence was not accepted');
        });

        this.drain().catch((err) =>
          logger.error({ err }, 'Outbox could not be drained'),
        );

        // The caller waits for the first line only
        if (onFirstOpen) {
          onFirstOpen();
          onFirstOpen = undefined;
        }
      }
    });

    this.sock.ev.on('creds.update', saveCreds);

    this.sock.ev.on('messages.upsert', ({ messages }) => {
      for (const msg of messages) {
        const chat = msg.key.remoteJid;
        const text = msg.message?.conversation;
        if (!chat || !text || msg.key.fromMe) continue;
        this.opts.onMessage({
          id: msg.key.id || '',
          chat,
          sender: msg.pushName || chat.split('@')[0],
          text,
          at: new Date(Number(msg.messageTimestamp) * 1000).toISOString(),
        });
      }
    });
  }

  async sendMessage(chat: string, text: string): Promise<void> {
    const signed = `${BOT_NAME}: ${text}`;
    if (!this.connected) {
      this.outbox.push({ chat, text: signed });
      logger.info({ chat, waiting: this.outbox.length }, 'Put in the outbox');
      return;
    }
    try {
      await this.sock.sendMessage(chat, { text: signed });
    } catch (err) {
      this.outbox.push({ chat, text: signed });
      logger.warn({ chat, err }, 'Not sent, put in the outbox');
    }
  }

  isConnected(): boolean {
    return this.connected;
  }

  async disconnect(): Promise<void> {
    this.connected = false;
    this.sock?.end(undefined);
  }

  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    try {
      while (this.outbox.length > 0) {
        const item = this.outbox.shift()!;
        await this.sock.sendMessage(item.chat, { text: item.text });
      }
    } finally {
      this.draining = false;
    }
  }
}
