import { EventEmitter } from 'events';

import { expect, it, vi } from 'vitest';

const bus = new EventEmitter();

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => ({ ev: { on: bus.on.bind(bus) }, end: vi.fn() })),
  DisconnectReason: { loggedOut: 401 },
  useMultiFileAuthState: vi.fn(async () => ({ state: {}, saveCreds: vi.fn() })),
}));

import makeWASocket from '@whiskeysockets/baileys';

import { start, stop } from './whatsapp.js';

it('redials after a while, and not after stop()', async () => {
  vi.useFakeTimers();
  await start();
  bus.emit('connection.update', { connection: 'close' });
  await vi.advanceTimersByTimeAsync(4_900);
  expect(makeWASocket).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_200);
  expect(makeWASocket).toHaveBeenCalledTimes(2);
  stop();
  bus.emit('connection.update', { connection: 'close' });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(makeWASocket).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
