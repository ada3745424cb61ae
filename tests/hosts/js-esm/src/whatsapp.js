import makeWASocket, {
  DisconnectReason,
  fetchLatestWaWebVersion,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { AUTH_DIR } from './config.js';
import { logger } from './logger.js';

/** @typedef {import('@whiskeysockets/baileys').WASocket} WASocket */
/** @typedef {(chat: string, text: string) => void} OnText */

export class WhatsApp {
  /** @type {WASocket | undefined} */
  #sock;
  #connected = false;
  /** @type {OnText} */
  #onText;

  /** @param {OnText} onText */
  constructor(onText) {
    this.#onText = onText;
  }

  /** @returns {Promise<void>} once WhatsApp is open for the first time */
  async connect() {
    return new Promise((resolve, reject) => {
      this.connectInternal(resolve).catch(reject);
    });
  }

  /** @param {() => void} [onFirstOpen] */
  async connectInternal(onFirstOpen) {
    const { state, saveCreds } = await useMultiFileAuthState(AUTH_DIR);
    const { version } = await fetchLatestWaWebVersion({});

    const sock = makeWASocket({
      version,
      auth: {
        creds: state.creds,
        keys: makeCacheableSignalKeyStore(state.keys, logger),
      },
      logger,
    });
    this.#sock = sock;

    sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect, qr } = update;

      if (qr) {
        logger.error('Lantern is not linked: run npm run link on the server');
        setTimeout(() => process.exit(1), 1000);
      }

      if (connection === 'close') {
        this.#connected = false;
        const reason =
          /** @type {{ output?: { statusCode?: number } } | undefined} */ (
            lastDisconnect?.error
          )?.output?.statusCode;
        const shouldReconnect = reason !== DisconnectReason.loggedOut;
        logger.info({ reason, shouldReconnect }, 'WhatsApp closed');

        if (shouldReconnect) {
          logger.info('Connecting again');
          this.connectInternal().catch((err) => {
            logger.error({ err }, 'Could not connect, once more in 5 s');
            setTimeout(() => {
              this.connectInternal().catch((err2) => {
                logger.error({ err: err2 }, 'Could not connect');
              });
            }, 5000);
          });
        } else {
          logger.info('Logged out');
          process.exit(0);
        }
      } else if (connection === 'open') {
        this.#connected = true;
        logger.info('WhatsApp is open');
        if (onFirstOpen) {
          onFirstOpen();
          onFirstOpen = undefined;
        }
      }
    });

    sock.ev.on('creds.update', saveCreds);

    sock.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) {
        if (key.fromMe || !key.remoteJid || !message?.conversation) continue;
        this.#onText(key.remoteJid, message.conversation);
      }
    });
  }

  /**
   * @param {string} chat
   * @param {string} text
   */
  async send(chat, text) {
    if (!this.#connected || !this.#sock) {
      logger.warn({ chat }, 'Not connected, nothing was sent');
      return;
    }
    await this.#sock.sendMessage(chat, { text });
  }

  isConnected() {
    return this.#connected;
  }

  disconnect() {
    this.#connected = false;
    this.#sock?.end(undefined);
  }
}
