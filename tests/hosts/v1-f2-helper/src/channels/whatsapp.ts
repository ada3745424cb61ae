/*
 * The WhatsApp line of the larder.
 *
 * One class, one socket. The socket is thrown away with every drop;
 * the class stays and makes a new one.
 */
import path from 'path';

import makeWASocket, {
	Browsers,
	DisconnectReason, // only loggedOut is looked at
	WASocket,
	useMultiFileAuthState,
} from '@whiskeysockets/baileys';

import { STORE_DIR } from '../config.js';
import { log } from '../log.js';

export type OnText = (chat: string, text: string) => void;

export class WhatsAppChannel {
	readonly name = 'whatsapp'; // shows in the logs

	private sock!: WASocket; // set by connectInternal()
	private connected = false;
	/** Set by disconnect(): from then on a close is what we asked for. */
	private closing = false;

	constructor(private onText: OnText) {}

	/** Settles when the line is open for the first time. */
	async connect(): Promise<void> {
		return new Promise<void>((resolve, reject) => {
			// A first dial that fails is the caller's business
			this.connectInternal(resolve).catch(reject);
		});
	}

	// Makes a socket and hangs the handlers on it.
	private async connectInternal(onFirstOpen?: () => void): Promise<void> {
		const authDir = path.join(STORE_DIR, 'auth');
		/* The folder is made by the pairing script. */
		const { state, saveCreds } = await useMultiFileAuthState(authDir);

		this.sock = makeWASocket({
			auth: state, // keys are few, no cache needed
			browser: Browsers.ubuntu('Larder'),
		});

		// --- the line itself ---
		this.sock.ev.on('connection.update', (update) => {
			const { connection, lastDisconnect, qr } = update; // the rest is noise

			// A QR code means: nobody paired us, or somebody unpaired us.
			if (qr) {
				log.error({}, 'Not paired. Stop the service and run the pairing.');
				setTimeout(() => process.exit(1), 1000); // lets the log out
			}

			/* Down. */
			if (connection === 'close') {
				this.connected = false;
				// Boom errors carry the status code
				const reason = (
					lastDisconnect?.error as { output?: { statusCode?: number } }
				)?.output?.statusCode;
				const shouldReconnect =
					reason !== DisconnectReason.loggedOut && // unpaired by the phone
					!this.closing; // we hung up
				log.info({ reason, shouldReconnect }, 'The line is down');

				if (shouldReconnect) {
					// 5 s, 10 s, 20 s and so on
					this.scheduleReconnect(1);
				} else if (!this.closing) {
					// Nothing to wait for: the phone has to pair us again
					log.info({}, 'Unpaired. Run the pairing again.');
					process.exit(0);
				}
			} else if (connection === 'open') {
				/* Up. */
				this.connected = true;
				log.info({}, 'The line is up');

				// Tell connect(), once
				if (onFirstOpen) {
					onFirstOpen();
					onFirstOpen = undefined;
				}
			} // 'connecting' is of no interest
		});

		// --- what has to be kept ---
		this.sock.ev.on('creds.update', saveCreds);

		// --- what the family writes ---
		this.sock.ev.on('messages.upsert', ({ messages }) => {
			for (const msg of messages) {
				const text = msg.message?.conversation;
				// Our own words come back too
				if (!text || !msg.key.remoteJid || msg.key.fromMe) continue;
				this.onText(msg.key.remoteJid, text);
			}
		});
	}

	/** Waits longer after every dial that failed, five minutes at most. */
	private scheduleReconnect(attempt: number): void {
		const delayMs = Math.min(5000 * Math.pow(2, attempt - 1), 300000);
		log.info({ attempt, delayMs }, 'Waiting before the next dial');
		setTimeout(() => {
			this.connectInternal().catch((err) => {
				log.error({ err, attempt }, 'Dialling failed');
				this.scheduleReconnect(attempt + 1); // twice as long
			});
		}, delayMs);
	}

	async sendMessage(chat: string, text: string): Promise<void> {
		if (!this.connected) throw new Error('the line is down');
		await this.sock.sendMessage(chat, { text });
	}

	isConnected(): boolean {
		return this.connected;
	}

	/** Hangs up for good. */
	async disconnect(): Promise<void> {
		this.closing = true;
		this.connected = false;
		this.sock?.end(undefined);
	}
}
