/**
 * WhatsApp over Baileys, as a channel adapter.
 *
 * Pairs in the running process: by a code when WHATSAPP_PHONE is set, else by a QR code in
 * the log. What was paired once is found again in store/auth.
 */
import fs from 'fs';
import path from 'path';

import { pino } from 'pino';

import {
  makeWASocket,
  Browsers,
  DisconnectReason,
  fetchLatestWaWebVersion,
  downloadMediaMessage,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';
import type { WAMessage, WASocket } from '@whiskeysockets/baileys';

import { log } from '../log.js';
import { setting } from '../settings.js';
import { frame } from '../terminal-qr.js';
import type { ChannelAdapter, ChannelSetup, Outbound } from './adapter.js';
import { registerChannelAdapter } from './channel-registry.js';

const baileysLogger = pino({ level: 'silent' });

const AUTH_DIR = path.join(process.cwd(), 'store', 'auth');
const RECONNECT_DELAY_MS = 5000;

/** A version is asked for first: the built-in one is turned away after some weeks. */
async function currentVersion(): Promise<[number, number, number]> {
  const { version } = await fetchLatestWaWebVersion({});
  if (!version) throw new Error('WhatsApp Web did not tell its version');
  return version as [number, number, number];
}

registerChannelAdapter('whatsapp', {
  factory: () => {
    const phone = setting('WHATSAPP_PHONE');
    const authDir = AUTH_DIR;

    const paired = fs.existsSync(path.join(authDir, 'creds.json'));
    if (!paired && !phone && !setting('WHATSAPP_QR')) return null;

    fs.mkdirSync(authDir, { recursive: true });

    // State
    let sock: WASocket;
    let connected = false;
    let config: ChannelSetup;

    const outgoing: Array<{ jid: string; text: string }> = [];

    // setup() waits for the first open
    let resolveFirstOpen: (() => void) | undefined;
    let rejectFirstOpen: ((err: Error) => void) | undefined;

    async function sendQueued(): Promise<void> {
      while (outgoing.length > 0) {
        const { jid, text } = outgoing.shift()!;
        await sock.sendMessage(jid, { text });
      }
    }

    async function savePhoto(msg: WAMessage): Promise<string> {
      const photo = await downloadMediaMessage(
        msg,
        'buffer',
        {},
        { logger: baileysLogger, reuploadRequest: sock.updateMediaMessage },
      );
      const file = path.join('store', `photo-${Date.now()}.jpg`);
      fs.writeFileSync(file, photo);
      return file;
    }

    async function sendText(jid: string, text: string): Promise<string | undefined> {
      if (!connected) {
        outgoing.push({ jid, text });
        log.info('WhatsApp is away, message queued', { jid, queued: outgoing.length });
        return;
      }
      const sent = await sock.sendMessage(jid, { text });
      return sent?.key?.id ?? undefined;
    }

    async function connectSocket(): Promise<void> {
      const { state, saveCreds } = await useMultiFileAuthState(authDir);

      const version = await currentVersion();

      sock = makeWASocket({
        version,
        auth: {
          creds: state.creds,
          keys: makeCacheableSignalKeyStore(state.keys, baileysLogger),
        },
        printQRInTerminal: false,
        logger: baileysLogger,
        browser: Browsers.macOS('Chrome'),
      });

      // A code instead of a QR, three seconds in: sooner, Baileys is not ready to give one
      if (phone && !state.creds.registered) {
        setTimeout(async () => {
          try {
            const code = await sock.requestPairingCode(phone);
            log.info(`WhatsApp pairing code: ${code}`);
          } catch (err) {
            log.error('No pairing code', { err: String(err) });
          }
        }, 3000);
      }

      sock.ev.on('connection.update', (update) => {
        const { connection, lastDisconnect, qr } = update;

        if (qr && !phone) {
          log.info('Scan this with WhatsApp > Linked devices:\n' + frame(qr));
        }

        if (connection === 'close') {
          connected = false;
          const reason = (lastDisconnect?.error as { output?: { statusCode?: number } })?.output?.statusCode;
          const shouldReconnect = reason !== DisconnectReason.loggedOut;

          log.info('WhatsApp closed the connection', { reason, shouldReconnect });

          if (shouldReconnect) {
            connectSocket().catch((err) => {
              log.error('Could not connect again, next try in 5s', { err: String(err) });
              setTimeout(() => {
                connectSocket().catch((err2) => {
                  log.error('Could not connect either', { err: String(err2) });
                });
              }, RECONNECT_DELAY_MS);
            });
          } else {
            log.info('WhatsApp took the link away');
            if (rejectFirstOpen) {
              rejectFirstOpen(new Error('WhatsApp took the link away'));
              rejectFirstOpen = undefined;
              resolveFirstOpen = undefined;
            }
          }
        } else if (connection === 'open') {
          connected = true;
          log.info('WhatsApp is there');

          sock.sendPresenceUpdate('available').catch((err) => {
            log.warn('Presence was not taken', { err: String(err) });
          });

          sendQueued().catch((err) => log.error('Queue was not sent', { err: String(err) }));

          if (resolveFirstOpen) {
            resolveFirstOpen();
            resolveFirstOpen = undefined;
            rejectFirstOpen = undefined;
          }
        }
      });

      sock.ev.on('creds.update', saveCreds);

      sock.ev.on('messages.upsert', async ({ messages }) => {
        for (const msg of messages) {
          const jid = msg.key.remoteJid;
          if (!jid || !msg.message || msg.key.fromMe) continue;
          if (msg.message.imageMessage) {
            await savePhoto(msg).catch((err) => log.warn('Photo was not kept', { err: String(err) }));
          }
          const text = msg.message.conversation || msg.message.imageMessage?.caption;
          if (!text) continue;
          config.onInbound(jid, {
            id: msg.key.id || '',
            sender: msg.pushName || jid.split('@')[0],
            text,
            timestamp: new Date(Number(msg.messageTimestamp) * 1000).toISOString(),
          });
        }
      });
    }

    const adapter: ChannelAdapter = {
      name: 'whatsapp',

      async setup(hostConfig: ChannelSetup) {
        config = hostConfig;

        await new Promise<void>((resolve, reject) => {
          resolveFirstOpen = resolve;
          rejectFirstOpen = reject;
          connectSocket().catch(reject);
        });

        log.info('WhatsApp adapter is set up');
      },

      async deliver(platformId: string, message: Outbound): Promise<string | undefined> {
        const { content, files } = message;

        if (content.operation === 'reaction' && content.messageId && content.emoji) {
          try {
            await sock.sendMessage(platformId, {
              react: { text: content.emoji, key: { remoteJid: platformId, id: content.messageId, fromMe: false } },
            });
          } catch (err) {
            log.debug('No reaction', { platformId, err: String(err) });
          }
          return;
        }

        for (const file of files ?? []) {
          try {
            await sock.sendMessage(platformId, { image: file.data, caption: file.filename });
          } catch (err) {
            log.error('File was not sent', { platformId, filename: file.filename, err: String(err) });
          }
        }

        if (content.text) return sendText(platformId, content.text);
      },

      async setTyping(platformId: string) {
        await sock.sendPresenceUpdate('composing', platformId);
      },

      async teardown() {
        connected = false;
        sock?.end(undefined);
        log.info('WhatsApp adapter is down');
      },

      isConnected() {
        return connected;
      },
    };

    return adapter;
  },
});
