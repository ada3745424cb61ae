import { answer } from './almanac.js';
import {
  getActiveAdapters,
  getChannelAdapter,
  initChannelAdapters,
  teardownChannelAdapters,
} from './channels/channel-registry.js';
import './channels/index.js';
import { log } from './log.js';

async function main(): Promise<void> {
  const shutdown = async (signal: string) => {
    log.info('Shutting down', { signal });
    await teardownChannelAdapters();
    process.exit(0);
  };
  process.on('SIGTERM', () => shutdown('SIGTERM'));
  process.on('SIGINT', () => shutdown('SIGINT'));

  await initChannelAdapters({
    onInbound(platformId, message) {
      const text = answer(message.text);
      const adapter = getChannelAdapter(platformId === 'mailbox' ? 'mailbox' : 'whatsapp');
      if (!text || !adapter) return;
      adapter.setTyping?.(platformId);
      adapter
        .deliver(platformId, { content: { text } })
        .catch((err) => log.error('Answer was not delivered', { platformId, err: String(err) }));
    },
  });

  log.info('Almanac is open', { channels: getActiveAdapters().map((adapter) => adapter.name) });
}

main().catch((err) => {
  log.error('Almanac did not open', { err: String(err) });
  process.exit(1);
});
