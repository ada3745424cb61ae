import { EventEmitter } from 'events';

import { beforeEach, expect, it, vi } from 'vitest';

let bus = new EventEmitter();
const sendMessage = vi.fn();
const makeWASocket = vi.hoisted(() => vi.fn());

vi.mock('@whiskeysockets/baileys', () => ({
  default: makeWASocket,
  DisconnectReason: { loggedOut: 401 },
  useMultiFileAuthState: vi.fn(async () => ({ state: {}, saveCreds: vi.fn() })),
}));

import { openLine } from './line.js';

beforeEach(() => {
  makeWASocket.mockImplementation(() => {
    bus = new EventEmitter();
    return { ev: bus, end: vi.fn(), sendMessage };
  });
});

it('answers the boats, and is up again after a break', async () => {
  vi.useFakeTimers();
  void openLine();
  await vi.advanceTimersByTimeAsync(0);
  bus.emit('connection.update', { connection: 'open' });
  const key = { remoteJid: '2@g.us' };
  bus.emit('messages.upsert', {
    messages: [{ key, message: { conversation: 'shut 3' } }],
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(sendMessage).toHaveBeenCalledWith('2@g.us', {
    text: 'lock 3 is shut',
  });

  bus.emit('connection.update', { connection: 'close' });
  await vi.advanceTimersByTimeAsync(8_000);
  expect(makeWASocket).toHaveBeenCalledTimes(2);
  vi.clearAllTimers();
  vi.useRealTimers();
});
