import { EventEmitter } from 'events';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.mock('../config.js', () => ({
  STORE_DIR: '/tmp/heron-test-store',
  BOT_NAME: 'Heron',
}));

vi.mock('../logger.js', () => ({
  logger: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs');
  return {
    ...actual,
    default: {
      ...actual,
      existsSync: vi.fn(() => true),
      mkdirSync: vi.fn(),
    },
  };
});

vi.mock('child_process', () => ({ exec: vi.fn() }));

function createFakeSocket() {
  const bus = new EventEmitter();
  return {
    ev: {
      on: (event: string, handler: (...args: unknown[]) => void) => {
        bus.on(event, handler);
      },
    },
    sendMessage: vi.fn().mockResolvedValue(undefined),
    sendPresenceUpdate: vi.fn().mockResolvedValue(undefined),
    end: vi.fn(),
    bus,
  };
}

let socket: ReturnType<typeof createFakeSocket>;

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => socket),
  Browsers: { macOS: vi.fn(() => ['macOS', 'Chrome', '']) },
  DisconnectReason: { loggedOut: 401, connectionClosed: 428 },
  fetchLatestWaWebVersion: vi.fn().mockResolvedValue({ version: [2, 3000, 0] }),
  makeCacheableSignalKeyStore: vi.fn((keys: unknown) => keys),
  useMultiFileAuthState: vi.fn().mockResolvedValue({
    state: { creds: {}, keys: {} },
    saveCreds: vi.fn(),
  }),
}));

import makeWASocket, { fetchLatestWaWebVersion } from '@whiskeysockets/baileys';

import { WhatsAppChannel } from './whatsapp.js';

const flush = () => new Promise((resolve) => setTimeout(resolve, 0));

function update(event: Record<string, unknown>) {
  socket.bus.emit('connection.update', event);
}

function drop(statusCode: number) {
  const error = { output: { statusCode } };
  update({ connection: 'close', lastDisconnect: { error } });
}

async function connected(onMessage = vi.fn()): Promise<WhatsAppChannel> {
  const channel = new WhatsAppChannel({ onMessage });
  const up = channel.connect();
  await flush();
  update({ connection: 'open' });
  await up;
  return channel;
}

describe('WhatsAppChannel', () => {
  beforeEach(() => {
    socket = createFakeSocket();
  });

  afterEach(() => {
    vi.clearAllMocks();
  });

  it('is connected once the line is open', async () => {
    const channel = await connected();
    expect(channel.isConnected()).toBe(true);
    expect(socket.sendPresenceUpdate).toHaveBeenCalledWith('available');
  });

  it('does without a current web version', async () => {
    vi.mocked(fetchLatestWaWebVersion).mockRejectedValueOnce(new Error('503'));
    const channel = await connected();
    expect(channel.isConnected()).toBe(true);
  });

  it('hands a text message on', async () => {
    const onMessage = vi.fn();
    await connected(onMessage);
    socket.bus.emit('messages.upsert', {
      messages: [
        {
          key: { id: 'a1', remoteJid: '49@s.whatsapp.net' },
          message: { conversation: 'remind 5 tea' },
          messageTimestamp: 1_700_000_000,
        },
      ],
    });
    await flush();
    expect(onMessage).toHaveBeenCalledWith(
      expect.objectContaining({ id: 'a1', text: 'remind 5 tea', sender: '49' }),
    );
  });

  it('keeps messages until the line is back', async () => {
    const channel = await connected();
    drop(428);
    expect(channel.isConnected()).toBe(false);
    await channel.sendMessage('49@s.whatsapp.net', 'tea');
    expect(socket.sendMessage).not.toHaveBeenCalled();

    (channel as any).connected = true;
    await (channel as any).drain();
    expect(socket.sendMessage).toHaveBeenCalledWith('49@s.whatsapp.net', {
      text: 'Heron: tea',
    });
  });

  it('survives a stream error', async () => {
    const channel = await connected();
    drop(515);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(channel.isConnected()).toBe(false);
  });

  it('ends the process when the phone unlinked it', async () => {
    const exit = vi
      .spyOn(process, 'exit')
      .mockImplementation(() => undefined as never);
    const channel = await connected();
    drop(401);
    expect(channel.isConnected()).toBe(false);
    expect(exit).toHaveBeenCalledWith(0);
    exit.mockRestore();
  });

  it('ends the process when a QR code is asked for', async () => {
    vi.useFakeTimers();
    const exit = vi
      .spyOn(process, 'exit')
      .mockImplementation(() => undefined as never);
    const channel = new WhatsAppChannel({ onMessage: vi.fn() });
    channel.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(0);

    update({ qr: '2@abc' });
    await vi.advanceTimersByTimeAsync(1500);

    expect(exit).toHaveBeenCalledWith(1);
    exit.mockRestore();
    vi.useRealTimers();
  });

  it('ends the socket on disconnect', async () => {
    const channel = await connected();
    await channel.disconnect();
    expect(socket.end).toHaveBeenCalled();
    expect(makeWASocket).toHaveBeenCalledTimes(1);
  });
});
