import path from 'path';

import makeWASocket, {
  DisconnectReason,
  WASocket,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { STORE_DIR } from './config.js';

const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 300_000;
const STABLE_AFTER_MS = 300_000;
const ANSWER_WITHIN_MS = 60_000;

/**
 * Dials patiently: one timer at a time, a delay that doubles up to five minutes with some
 * jitter on top, and back to the first delay only when a line has held for five minutes.
 */
export class WhatsAppChannel {
  private sock: WASocket | undefined;
  private connected = false;
  private stopped = false;
  private failures = 0;
  private generation = 0;
  private dialTimer: NodeJS.Timeout | undefined;
  private stableTimer: NodeJS.Timeout | undefined;
  private answerTimer: NodeJS.Timeout | undefined;
  private firstOpen: (() => void) | undefined;

  async connect(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.firstOpen = resolve; // whichever dial opens first
      this.dial();
    });
  }

  private dial(): void {
    this.connectInternal().catch((err) => {
      console.error('dial failed', err);
      this.dialLater();
    });
  }

  private dialLater(): void {
    clearTimeout(this.answerTimer);
    clearTimeout(this.stableTimer);
    if (this.stopped || this.dialTimer) return;
    const step = FIRST_DELAY_MS * 2 ** Math.min(this.failures, 10);
    const delay = Math.min(step, LONGEST_DELAY_MS) * (1 + Math.random() * 0.2);
    this.failures += 1;
    console.warn(`next dial in ${Math.round(delay / 1000)} s`);
    this.dialTimer = setTimeout(() => {
      this.dialTimer = undefined;
      this.dial();
    }, delay);
  }

  private async connectInternal(): Promise<void> {
    const generation = ++this.generation;
    const { state, saveCreds } = await useMultiFileAuthState(
      path.join(STORE_DIR, 'auth'),
    );
    if (this.stopped) return;

    const sock = makeWASocket({ auth: state });
    this.sock = sock;

    // Some refusals bring no event at all
    this.answerTimer = setTimeout(() => {
      this.generation += 1;
      sock.end(undefined);
      this.dialLater();
    }, ANSWER_WITHIN_MS);

    sock.ev.on('connection.update', (update) => {
      const { connection, lastDisconnect, qr } = update;
      if (generation !== this.generation) return; // an old socket's last words

      if (qr) {
        console.error('not paired: run the pairing, then start again');
        setTimeout(() => process.exit(0), 1000);
      }

      if (connection === 'close') {
        this.connected = false;
        const reason = (
          lastDisconnect?.error as { output?: { statusCode?: number } }
        )?.output?.statusCode;
        if (reason === DisconnectReason.loggedOut) {
          console.error('unpaired by the phone: run the pairing again');
          process.exit(0);
        } else {
          this.dialLater();
        }
      } else if (connection === 'open') {
        this.connected = true;
        clearTimeout(this.answerTimer);
        this.stableTimer = setTimeout(() => {
          this.failures = 0;
        }, STABLE_AFTER_MS);
        this.firstOpen?.();
        this.firstOpen = undefined;
      }
    });

    sock.ev.on('creds.update', saveCreds);
  }

  async sendMessage(chat: string, text: string): Promise<void> {
    if (!this.sock || !this.connected) throw new Error('no line');
    await this.sock.sendMessage(chat, { text });
  }

  isConnected(): boolean {
    return this.connected;
  }

  async disconnect(): Promise<void> {
    this.stopped = true;
    this.connected = false;
    clearTimeout(this.dialTimer);
    clearTimeout(this.answerTimer);
    clearTimeout(this.stableTimer);
    this.sock?.end(undefined);
  }
}
