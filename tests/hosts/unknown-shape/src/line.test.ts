import { EventEmitter } from 'events';

import { afterEach, expect, it, vi } from 'vitest';

const bus = new EventEmitter();
const sendMessage = vi.fn();

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => ({ ev: { on: bus.on.bind(bus) }, sendMessage })),
  DisconnectReason: { loggedOut: 401, connectionReplaced: 440 },
  useMultiFileAuthState: vi.fn(async () => ({ state: {}, saveCreds: vi.fn() })),
}));

import { call, run } from './line.js';

const flush = () => new Promise((resolve) => setTimeout(resolve, 0));

function close(statusCode: number) {
  const error = { output: { statusCode } };
  bus.emit('connection.update', {
    connection: 'close',
    lastDisconnect: { error },
  });
}

afterEach(() => {
  bus.removeAllListeners();
});

it('calls while the line is open', async () => {
  const life = run();
  await flush();
  expect(await call('7@g.us', 'help')).toBe(false);
  bus.emit('connection.update', { connection: 'open' });
  expect(await call('7@g.us', 'help')).toBe(true);
  close(401);
  expect(await life).toBe('quit');
});
