import fs from "fs";
import path from "path";

import makeWASocket, {
  Browsers,
  DisconnectReason,
  WASocket,
  fetchLatestWaWebVersion,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from "@whiskeysockets/baileys";

import { STORE_DIR } from "../config.js";
import { logger } from "../logger.js";
import { Channel } from "../types.js";
import { ChannelOpts, registerChannel } from "./registry.js";

const AUTH_DIR = path.join(STORE_DIR, "auth");

export class WhatsAppChannel implements Channel {
  name = "whatsapp";

  private sock!: WASocket;
  private connected = false;
  private shuttingDown = false;
  private unsent: Array<{ to: string; text: string }> = [];

  constructor(private opts: ChannelOpts) {}

  async connect(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.connectInternal(resolve).catch(reject);
    });
  }

  private async connectInternal(onFirstOpen?: () => void): Promise<void> {
    fs.mkdirSync(AUTH_DIR, { recursive: true });

    const { state, saveCreds } = await useMultiFileAuthState(AUTH_DIR);
    const { version } = await fetchLatestWaWebVersion({});

    this.sock = makeWASocket({
      version,
      auth: {
        creds: state.creds,
        keys: makeCacheableSignalKeyStore(state.keys, logger),
      },
      printQRInTerminal: false,
      logger,
      browser: Browsers.macOS("Chrome"),
    });

    this.sock.ev.on(
      "connection.update",
      ({ connection, lastDisconnect, qr }) => {
        if (qr) {
          logger.error("WhatsApp wants to be linked: run the pairing step");
          setTimeout(() => process.exit(1), 1000);
        }

        if (connection === "close") {
          this.connected = false;
          const statusCode = (lastDisconnect?.error as any)?.output?.statusCode;
          logger.info({ statusCode }, "WhatsApp line closed");

          if (statusCode !== DisconnectReason.loggedOut && !this.shuttingDown) {
            this.connectInternal().catch((err) => {
              logger.error({ err }, "No new line, once more in 5s");
              setTimeout(() => {
                this.connectInternal().catch((err2) => {
                  logger.error({ err: err2 }, "Still no line");
                });
              }, 5000);
            });
          } else if (!this.shuttingDown) {
            logger.info("WhatsApp session is gone, pair again");
            process.exit(0);
          }
        } else if (connection === "open") {
          this.connected = true;
          logger.info("WhatsApp line open");
          this.sendUnsent().catch((err) =>
            logger.error({ err }, "Some messages are still unsent"),
          );

          if (onFirstOpen) {
            onFirstOpen();
            onFirstOpen = undefined;
          }
        }
      },
    );

    this.sock.ev.on("creds.update", saveCreds);

    this.sock.ev.on("messages.upsert", ({ messages }) => {
      for (const { key, message } of messages) {
        const text =
          message?.conversation || message?.extendedTextMessage?.text;
        if (!text || !key.remoteJid || key.fromMe) continue;
        this.opts.onText(key.remoteJid, text);
      }
    });
  }

  async sendMessage(to: string, text: string): Promise<void> {
    if (!this.connected) {
      this.unsent.push({ to, text });
      return;
    }
    await this.sock.sendMessage(to, { text });
  }

  private async sendUnsent(): Promise<void> {
    for (const { to, text } of this.unsent.splice(0)) {
      await this.sock.sendMessage(to, { text });
    }
  }

  isConnected(): boolean {
    return this.connected;
  }

  owns(to: string): boolean {
    return to.endsWith("@g.us") || to.endsWith("@s.whatsapp.net");
  }

  async disconnect(): Promise<void> {
    this.shuttingDown = true;
    this.connected = false;
    this.sock?.end(undefined);
  }
}

registerChannel("whatsapp", (opts) => {
  if (!fs.existsSync(path.join(AUTH_DIR, "creds.json"))) return null;
  return new WhatsAppChannel(opts);
});
