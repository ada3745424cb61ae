import { EventEmitter } from 'events';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

vi.mock('./config.js', () => ({ STORE_DIR: '/tmp/belfry-test-store' }));

const bus = new EventEmitter();

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => ({
    ev: { on: bus.on.bind(bus) },
    sendMessage: vi.fn(),
    end: vi.fn(),
  })),
  DisconnectReason: { loggedOut: 401 },
  useMultiFileAuthState: vi.fn(async () => ({ state: {}, saveCreds: vi.fn() })),
}));

import makeWASocket from '@whiskeysockets/baileys';

import { WhatsAppChannel } from './whatsapp.js';

const dials = () => vi.mocked(makeWASocket).mock.calls.length;

function close() {
  bus.emit('connection.update', { connection: 'close' });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockReturnValue();
});

afterEach(() => {
  bus.removeAllListeners();
  vi.clearAllTimers();
  vi.clearAllMocks();
  vi.useRealTimers();
});

it('waits longer after every failure, and once only', async () => {
  void new WhatsAppChannel().connect();
  await vi.advanceTimersByTimeAsync(0);
  expect(dials()).toBe(1);
  close();
  close();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(dials()).toBe(2);
  close();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(dials()).toBe(2);
  await vi.advanceTimersByTimeAsync(2_200);
  expect(dials()).toBe(3);
});

it('is ready with a later dial too', async () => {
  const channel = new WhatsAppChannel();
  const ready = channel.connect();
  await vi.advanceTimersByTimeAsync(0);
  close();
  await vi.advanceTimersByTimeAsync(6_000);
  bus.emit('connection.update', { connection: 'open' });
  await ready;
  expect(channel.isConnected()).toBe(true);
});

it('dials again when nothing answers', async () => {
  void new WhatsAppChannel().connect();
  await vi.advanceTimersByTimeAsync(60_000 + 6_000);
  expect(dials()).toBe(2);
});

it('stays down after disconnect()', async () => {
  const channel = new WhatsAppChannel();
  void channel.connect();
  await vi.advanceTimersByTimeAsync(0);
  close();
  await channel.disconnect();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(dials()).toBe(1);
});
