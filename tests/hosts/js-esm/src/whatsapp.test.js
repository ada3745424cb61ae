import { EventEmitter } from 'events';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

vi.mock('./config.js', () => ({
  AUTH_DIR: '/tmp/lantern-test-store/auth',
  STREET: '1@g.us',
}));

vi.mock('./logger.js', () => ({
  logger: { info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

const bus = new EventEmitter();
const socket = { ev: bus, end: vi.fn(), sendMessage: vi.fn() };

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => socket),
  DisconnectReason: { loggedOut: 401 },
  fetchLatestWaWebVersion: vi.fn(async () => ({ version: [2, 3000, 0] })),
  makeCacheableSignalKeyStore: vi.fn((keys) => keys),
  useMultiFileAuthState: vi.fn(async () => ({
    state: { creds: {}, keys: {} },
    saveCreds: vi.fn(),
  })),
}));

const { WhatsApp } = await import('./whatsapp.js');

const onText = vi.fn();
/** @type {InstanceType<typeof WhatsApp>} */
let channel;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process, 'exit').mockReturnValue(
    /** @type {never} */ (/** @type {unknown} */ (undefined)),
  );
  bus.removeAllListeners();
  vi.clearAllMocks();
  channel = new WhatsApp(onText);
});

afterEach(() => {
  channel.disconnect();
  vi.useRealTimers();
});

/** @param {object} update */
async function sees(update) {
  await vi.advanceTimersByTimeAsync(0);
  bus.emit('connection.update', update);
  await vi.advanceTimersByTimeAsync(0);
}

it('is there once WhatsApp is open', async () => {
  const ready = channel.connect();
  await sees({ connection: 'open' });
  await ready;
  expect(channel.isConnected()).toBe(true);
  await channel.send('1@g.us', 'Lamps on at 17:20');
  expect(socket.sendMessage).toHaveBeenCalledWith('1@g.us', {
    text: 'Lamps on at 17:20',
  });
});

it('sends nothing while it is closed', async () => {
  channel.connect();
  await sees({ connection: 'open' });
  await sees({ connection: 'close' });
  await channel.send('1@g.us', 'Lamps on at 17:20');
  expect(socket.sendMessage).not.toHaveBeenCalled();
});

it('ends with 0 when it was logged out', async () => {
  channel.connect();
  const error = { output: { statusCode: 401 } };
  await sees({ connection: 'close', lastDisconnect: { error } });
  expect(process.exit).toHaveBeenCalledWith(0);
});
