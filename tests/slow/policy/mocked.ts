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
  let attempt = 0;
  reconnect.dial(async () => {
    attempt = await reconnect.turn();
    dialled();
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(dialled).toHaveBeenCalledTimes(1);
  expect(reconnect.observe({ connection: 'open' }, attempt)).toBe(true);
  const error = { output: { statusCode: 401 } };
  const update = { connection: 'close', lastDisconnect: { error } };
  expect(reconnect.observe(update, attempt)).toBe(true);
  expect(reconnect.terminal).toBe(true);
  reconnect.stop();
});
