import { expect, it, vi } from 'vitest';

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs');
  void actual;
  return MOCK;
});

import { authState, socket } from './whatsapp-reconnect.js';

type Handler = (update: unknown) => void;

/** Baileys as hosts' tests mock it: it dials nothing. */
function mocked() {
  const handlers: Handler[] = [];
  const on = vi.fn((_event: string, handler: Handler) => handlers.push(handler));
  const makeWASocket = vi.fn((_config: object) => ({ ev: { on }, user: { id: '1' } }));
  return { makeWASocket, on, emit: (update: unknown) => handlers.forEach((handler) => handler(update)) };
}

it('hands the mock its config, and gives its socket back at once', async () => {
  const { makeWASocket, on, emit } = mocked();
  const use = vi.fn(async (_folder: string) => ({ state: { creds: {}, keys: {} }, saveCreds: vi.fn() }));
  const { state } = await authState(use, '/no/such/folder/auth');
  expect(use).toHaveBeenCalledWith('/no/such/folder/auth');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  for (let start = 1; start <= 3; start += 1) {
    const sock = socket(makeWASocket, { auth: state, version: [2, 3000, 1] });
    expect(sock).toBe(makeWASocket.mock.results.at(-1)?.value);
    expect(makeWASocket).toHaveBeenCalledTimes(start);
  }
  expect(makeWASocket).toHaveBeenCalledWith(expect.objectContaining({ auth: state, version: [2, 3000, 1] }));
  expect(on).not.toHaveBeenCalled();
  emit({ connection: 'close', lastDisconnect: { error: { output: { statusCode: 401 } } } });
  expect(timers).not.toHaveBeenCalled();
});

it('lets what the mock throws through', () => {
  const makeWASocket = vi.fn((_config: object): object => {
    throw new Error('mocked');
  });
  expect(() => socket(makeWASocket, { auth: { creds: {} } })).toThrow('mocked');
});
