import { log } from '../log.js';
import type { ChannelAdapter, ChannelRegistration, ChannelSetup } from './adapter.js';

const registrations = new Map<string, ChannelRegistration>();
const active = new Map<string, ChannelAdapter>();

export function registerChannelAdapter(name: string, registration: ChannelRegistration): void {
  registrations.set(name, registration);
}

export function getChannelAdapter(name: string): ChannelAdapter | undefined {
  return active.get(name);
}

export function getActiveAdapters(): ChannelAdapter[] {
  return [...active.values()];
}

/** Sets the channels up one after the other; one that fails costs only itself. */
export async function initChannelAdapters(setup: ChannelSetup): Promise<void> {
  for (const [name, registration] of registrations) {
    try {
      const adapter = registration.factory();
      if (!adapter) {
        log.warn('Channel is not set up, skipping it', { channel: name });
        continue;
      }
      await adapter.setup(setup);
      active.set(name, adapter);
      log.info('Channel started', { channel: name });
    } catch (err) {
      log.error('Channel did not start', { channel: name, err: String(err) });
    }
  }
}

export async function teardownChannelAdapters(): Promise<void> {
  for (const [name, adapter] of active) {
    await adapter.teardown().catch((err) => log.error('Channel did not stop', { channel: name, err: String(err) }));
  }
  active.clear();
}
