import { EventEmitter } from 'events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.mock('../config.js', () => ({ STORE_DIR: '/tmp/trellis-test-store' }));

vi.mock('../logger.js', () => ({
  logger: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs');
  const fake = { ...actual, existsSync: vi.fn(() => true), mkdirSync: vi.fn() };
  return { ...actual, default: fake };
});

let bus: EventEmitter;
const end = vi.fn();
const sendMessage = vi.fn().mockResolvedValue(undefined);

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => ({
    ev: { on: bus.on.bind(bus) },
    end,
    sendMessage,
  })),
  Browsers: { macOS: vi.fn(() => ['macOS', 'Chrome', '']) },
  DisconnectReason: { loggedOut: 401 },
  makeCacheableSignalKeyStore: vi.fn((keys: unknown) => keys),
  useMultiFileAuthState: vi.fn().mockResolvedValue({
    state: { creds: {}, keys: {} },
    saveCreds: vi.fn(),
  }),
}));

import { getChannelFactory } from './registry.js';
import { WhatsAppChannel } from './whatsapp.js';

function close(statusCode: number) {
  const error = { output: { statusCode } };
  bus.emit('connection.update', {
    connection: 'close',
    lastDisconnect: { error },
  });
}

async function open(onText = vi.fn()): Promise<WhatsAppChannel> {
  const channel = new WhatsAppChannel({ onText });
  const up = channel.connect();
  await new Promise((resolve) => setTimeout(resolve, 0));
  bus.emit('connection.update', { connection: 'open' });
  await up;
  return channel;
}

function mockExit() {
  return vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
}

describe('WhatsAppChannel', () => {
  beforeEach(() => {
    bus = new EventEmitter();
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('registers itself', () => {
    const channel = getChannelFactory('whatsapp')!({ onText: vi.fn() });
    expect(channel?.name).toBe('whatsapp');
  });

  it('is connected while the line is open', async () => {
    const channel = await open();
    expect(channel.isConnected()).toBe(true);
    close(428);
    expect(channel.isConnected()).toBe(false);
  });

  it('hands texts on and sends replies', async () => {
    const onText = vi.fn();
    const channel = await open(onText);
    const key = { remoteJid: '8@g.us' };
    const message = { conversation: 'who monday' };
    bus.emit('messages.upsert', { messages: [{ key, message }] });
    expect(onText).toHaveBeenCalledWith('8@g.us', 'who monday');
    await channel.sendMessage('8@g.us', 'ada');
    expect(sendMessage).toHaveBeenCalledWith('8@g.us', { text: 'ada' });
  });

  it('ends with 0 when the phone unlinked it', async () => {
    const exit = mockExit();
    await open();
    close(401);
    expect(exit).toHaveBeenCalledWith(0);
  });

  it('ends with 1 when a QR code is asked for', async () => {
    vi.useFakeTimers();
    const exit = mockExit();
    void new WhatsAppChannel({ onText: vi.fn() }).connect();
    await vi.advanceTimersByTimeAsync(0);
    bus.emit('connection.update', { qr: '2@x' });
    await vi.advanceTimersByTimeAsync(1500);
    expect(exit).toHaveBeenCalledWith(1);
    vi.useRealTimers();
  });

  it('ends the socket on disconnect', async () => {
    await (await open()).disconnect();
    expect(end).toHaveBeenCalled();
  });
});
