import { EventEmitter } from 'events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.mock('../log.js', () => ({
  log: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

vi.mock('../settings.js', () => ({ setting: vi.fn(() => undefined) }));

vi.mock('./channel-registry.js', () => ({ registerChannelAdapter: vi.fn() }));

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs');
  return {
    ...actual,
    default: { ...actual, existsSync: vi.fn(() => true), mkdirSync: vi.fn() },
  };
});

function createFakeSocket() {
  const bus = new EventEmitter();
  return {
    ev: {
      on: (event: string, handler: (...args: unknown[]) => void) => {
        bus.on(event, handler);
      },
    },
    sendMessage: vi.fn().mockResolvedValue({ key: { id: 'sent-1' } }),
    sendPresenceUpdate: vi.fn().mockResolvedValue(undefined),
    requestPairingCode: vi.fn().mockResolvedValue('ABCD1234'),
    end: vi.fn(),
    bus,
  };
}

let socket: ReturnType<typeof createFakeSocket>;

vi.mock('@whiskeysockets/baileys', () => ({
  makeWASocket: vi.fn(() => socket),
  Browsers: { macOS: vi.fn(() => ['macOS', 'Chrome', '']) },
  DisconnectReason: { loggedOut: 401 },
  downloadMediaMessage: vi.fn(),
  fetchLatestWaWebVersion: vi.fn(async () => ({ version: [2, 3000, 0] })),
  makeCacheableSignalKeyStore: vi.fn((keys: unknown) => keys),
  useMultiFileAuthState: vi.fn(async () => ({ state: { creds: {}, keys: {} }, saveCreds: vi.fn() })),
}));

import { log } from '../log.js';
import { setting } from '../settings.js';
import type { ChannelAdapter } from './adapter.js';
import { registerChannelAdapter } from './channel-registry.js';
import './whatsapp.js';

const { factory } = vi.mocked(registerChannelAdapter).mock.calls[0][1];

const flush = () => new Promise((resolve) => setTimeout(resolve, 0));

function update(event: Record<string, unknown>) {
  socket.bus.emit('connection.update', event);
}

function close(statusCode: number) {
  update({ connection: 'close', lastDisconnect: { error: { output: { statusCode } } } });
}

async function open(onInbound = vi.fn()): Promise<ChannelAdapter> {
  const adapter = factory()!;
  const ready = adapter.setup({ onInbound });
  await flush();
  update({ connection: 'open' });
  await ready;
  return adapter;
}

beforeEach(() => {
  socket = createFakeSocket();
});

afterEach(() => {
  vi.clearAllMocks();
});

describe('setup', () => {
  it('settles with the first open', async () => {
    const adapter = await open();
    expect(adapter.isConnected()).toBe(true);
  });

  it('fails when the link is taken away before it was ever open', async () => {
    const ready = factory()!.setup({ onInbound: vi.fn() });
    const failed = expect(ready).rejects.toThrow('link');
    await flush();
    close(401);
    await failed;
  });

  it('shows a QR code and goes on', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const adapter = factory()!;
    const ready = adapter.setup({ onInbound: vi.fn() });
    await flush();
    update({ qr: '2@mno' });
    expect(vi.mocked(log.info).mock.calls.flat().join('\n')).toContain('2@mno');
    update({ connection: 'open' });
    await ready;
    expect(exit).not.toHaveBeenCalled();
    exit.mockRestore();
  });

  it('asks for a pairing code when it has a phone number', async () => {
    vi.useFakeTimers();
    vi.mocked(setting).mockImplementation((name) => (name === 'WHATSAPP_PHONE' ? '4912345' : undefined));
    const ready = factory()!.setup({ onInbound: vi.fn() });
    await vi.advanceTimersByTimeAsync(3000);
    expect(socket.requestPairingCode).toHaveBeenCalledWith('4912345');
    update({ connection: 'open' });
    await ready;
    vi.mocked(setting).mockReturnValue(undefined);
    vi.useRealTimers();
  });
});

describe('deliver', () => {
  it('sends text, and returns its id', async () => {
    const adapter = await open();
    expect(await adapter.deliver('1@g.us', { content: { text: 'March' } })).toBe('sent-1');
  });

  it('queues text while it is away', async () => {
    const adapter = await open();
    close(428);
    expect(adapter.isConnected()).toBe(false);
    expect(await adapter.deliver('1@g.us', { content: { text: 'March' } })).toBeUndefined();
    expect(socket.sendMessage).not.toHaveBeenCalled();
  });

  it('sends reactions and pictures', async () => {
    const adapter = await open();
    await adapter.deliver('1@g.us', { content: { operation: 'reaction', messageId: 'm1', emoji: '+' } });
    await adapter.deliver('1@g.us', { content: {}, files: [{ filename: 'bed.jpg', data: Buffer.from('x') }] });
    expect(socket.sendMessage).toHaveBeenCalledTimes(2);
  });
});

it('hands texts to the host', async () => {
  const onInbound = vi.fn();
  await open(onInbound);
  socket.bus.emit('messages.upsert', {
    messages: [
      { key: { id: 'm1', remoteJid: '1@g.us' }, message: { conversation: 'when radish?' }, messageTimestamp: 1 },
      { key: { id: 'm2', remoteJid: '1@g.us', fromMe: true }, message: { conversation: 'March' } },
    ],
  });
  await flush();
  expect(onInbound).toHaveBeenCalledTimes(1);
  expect(onInbound).toHaveBeenCalledWith('1@g.us', expect.objectContaining({ text: 'when radish?' }));
});

it('keeps the process alive when it is logged out', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const adapter = await open();
  close(401);
  expect(adapter.isConnected()).toBe(false);
  expect(exit).not.toHaveBeenCalled();
  exit.mockRestore();
});

it('ends the socket on teardown', async () => {
  const adapter = await open();
  await adapter.teardown();
  expect(socket.end).toHaveBeenCalled();
});
