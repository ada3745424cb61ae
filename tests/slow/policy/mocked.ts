import { expect, it, vi } from 'vitest';

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs');
  void actual;
  return MOCK;
});

import { Reconnect } from './whatsapp-reconnect.js';

it('connects within a zero timer, and never throws', async () => {
  const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  const authDir = '/no/such/folder/auth';
  const reconnect = new Reconnect({ authDir, logger, pairing: false });
  const dialled = vi.fn();
  const heard = vi.fn();
  const listeners: ((update: unknown) => void)[] = [];
  const on = (_event: string, hear: (update: unknown) => void) => void listeners.push(hear);
  reconnect.dial(() => {
    const sock = reconnect.socket(() => ({ ev: { on } }), { auth: { creds: {} } });
    sock.ev.on('connection.update', heard);
    dialled();
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(dialled).toHaveBeenCalledTimes(1);
  const say = (update: unknown) => listeners.forEach((hear) => hear(update));
  say({ connection: 'open' });
  const error = { output: { statusCode: 401 } };
  say({ connection: 'close', lastDisconnect: { error } });
  expect(heard).toHaveBeenCalledTimes(2);
  expect(reconnect.terminal).toBe(true);
  reconnect.stop();
});
