import { expect, vi } from 'vitest';

import { drop, open, sockets } from './fake-baileys.js';

/** What every tower does: it dials again after a drop, and not after a logout. */
export async function comesBackUntilUnlinked(
  start: () => Promise<unknown>,
): Promise<void> {
  process.env.CARILLON_STORE = '/nowhere/carillon';
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  vi.useFakeTimers();

  void start();
  await vi.advanceTimersByTimeAsync(0);
  expect(sockets).toHaveLength(1);
  open();
  drop(428);
  await vi.advanceTimersByTimeAsync(16_000);
  expect(sockets).toHaveLength(2);

  open();
  drop(401);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(sockets).toHaveLength(2);

  vi.clearAllTimers();
  vi.useRealTimers();
}
