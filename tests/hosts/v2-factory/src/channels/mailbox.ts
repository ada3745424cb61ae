import fs from 'fs';
import path from 'path';

import { log } from '../log.js';
import { setting } from '../settings.js';
import type { ChannelAdapter, ChannelSetup } from './adapter.js';
import { registerChannelAdapter } from './channel-registry.js';

const LOOK_EVERY_MS = 5000;

/** A folder as a channel: text files dropped in `in/` are questions, answers go to `out/`. */
registerChannelAdapter('mailbox', {
  factory: () => {
    const folder = setting('MAILBOX_DIR');
    if (!folder) return null;

    let timer: NodeJS.Timeout | undefined;

    async function look(config: ChannelSetup): Promise<void> {
      const inbox = path.join(folder!, 'in');
      for (const file of await fs.promises.readdir(inbox)) {
        const text = await fs.promises.readFile(path.join(inbox, file), 'utf-8');
        await fs.promises.rm(path.join(inbox, file));
        config.onInbound('mailbox', { id: file, sender: 'mailbox', text, timestamp: new Date().toISOString() });
      }
    }

    const adapter: ChannelAdapter = {
      name: 'mailbox',

      async setup(config) {
        timer = setInterval(() => {
          look(config).catch((err) => log.warn('Mailbox was not read', { err: String(err) }));
        }, LOOK_EVERY_MS);
      },

      async teardown() {
        clearInterval(timer);
        timer = undefined;
      },

      isConnected() {
        return timer !== undefined;
      },

      async deliver(_platformId, message) {
        const id = `${Date.now()}.txt`;
        await fs.promises.writeFile(path.join(folder, 'out', id), message.content.text ?? '');
        return id;
      },
    };

    return adapter;
  },
});
