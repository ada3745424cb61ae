import { EventEmitter } from 'events';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

vi.mock('../config.js', () => ({ STORE_DIR: '/tmp/larder-test-store' }));

vi.mock('../log.js', () => ({
	log: { info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

function createFakeSocket() {
	const bus = new EventEmitter();
	return {
		ev: {
			on: (event: string, handler: (...args: unknown[]) => void) => {
				bus.on(event, handler);
			},
		},
		sendMessage: vi.fn().mockResolvedValue(undefined),
		end: vi.fn(),
		bus,
	};
}

let socket: ReturnType<typeof createFakeSocket>;

vi.mock('@whiskeysockets/baileys', () => ({
	default: vi.fn(() => socket),
	Browsers: { ubuntu: vi.fn(() => ['Ubuntu', 'Larder', '']) },
	DisconnectReason: { loggedOut: 401 },
	useMultiFileAuthState: vi.fn().mockResolvedValue({
		state: { creds: {}, keys: {} },
		saveCreds: vi.fn(),
	}),
}));

import makeWASocket from '@whiskeysockets/baileys';

import { WhatsAppChannel } from './whatsapp.js';

function close(statusCode: number) {
	const error = { output: { statusCode } };
	socket.bus.emit('connection.update', {
		connection: 'close',
		lastDisconnect: { error },
	});
}

async function open(onText = vi.fn()): Promise<WhatsAppChannel> {
	const channel = new WhatsAppChannel(onText);
	const ready = channel.connect();
	await vi.advanceTimersByTimeAsync(0);
	socket.bus.emit('connection.update', { connection: 'open' });
	await ready;
	return channel;
}

beforeEach(() => {
	vi.useFakeTimers();
	socket = createFakeSocket();
	vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
});

afterEach(() => {
	vi.mocked(process.exit).mockRestore();
	vi.clearAllMocks();
	vi.useRealTimers();
});

it('sends while the line is open, and only then', async () => {
	const channel = await open();
	await channel.sendMessage('1@g.us', 'milk');
	expect(socket.sendMessage).toHaveBeenCalledWith('1@g.us', { text: 'milk' });
	close(428);
	await expect(channel.sendMessage('1@g.us', 'eggs')).rejects.toThrow('down');
});

it('reads the family, not itself', async () => {
	const onText = vi.fn();
	await open(onText);
	socket.bus.emit('messages.upsert', {
		messages: [
			{ key: { remoteJid: '1@g.us' }, message: { conversation: '+milk' } },
			{
				key: { remoteJid: '1@g.us', fromMe: true },
				message: { conversation: 'milk is on the list' },
			},
		],
	});
	expect(onText.mock.calls).toEqual([['1@g.us', '+milk']]);
});

it('dials again some seconds after a drop', async () => {
	await open();
	close(428);
	await vi.advanceTimersByTimeAsync(4000);
	expect(makeWASocket).toHaveBeenCalledTimes(1);
	await vi.advanceTimersByTimeAsync(12_000);
	expect(makeWASocket).toHaveBeenCalledTimes(2);
});

it('does not dial after it hung up', async () => {
	const channel = await open();
	await channel.disconnect();
	close(428);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(makeWASocket).toHaveBeenCalledTimes(1);
	expect(process.exit).not.toHaveBeenCalled();
});

it('ends well when it was unpaired', async () => {
	await open();
	close(401);
	expect(process.exit).toHaveBeenCalledWith(0);
});

it('ends when a QR code comes', async () => {
	new WhatsAppChannel(vi.fn()).connect().catch(() => {});
	await vi.advanceTimersByTimeAsync(0);
	socket.bus.emit('connection.update', { qr: '2@ghi' });
	await vi.advanceTimersByTimeAsync(1500);
	expect(process.exit).toHaveBeenCalledWith(1);
});
