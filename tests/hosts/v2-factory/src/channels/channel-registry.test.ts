import { expect, it, vi } from 'vitest';

vi.mock('../log.js', () => ({
  log: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

import {
  getActiveAdapters,
  initChannelAdapters,
  registerChannelAdapter,
  teardownChannelAdapters,
} from './channel-registry.js';

function fake(name: string, setup: () => Promise<void>) {
  return { name, setup, teardown: vi.fn(async () => {}), isConnected: () => true, deliver: vi.fn() };
}

it('starts what can be started', async () => {
  const good = fake('good', async () => {});
  registerChannelAdapter('absent', { factory: () => null });
  registerChannelAdapter('bad', { factory: () => fake('bad', () => Promise.reject(new Error('no'))) });
  registerChannelAdapter('good', { factory: () => good });

  await initChannelAdapters({ onInbound: vi.fn() });
  expect(getActiveAdapters()).toEqual([good]);

  await teardownChannelAdapters();
  expect(good.teardown).toHaveBeenCalled();
  expect(getActiveAdapters()).toEqual([]);
});
