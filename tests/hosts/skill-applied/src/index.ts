import './channels/index.js';
import {
  getChannelFactory,
  getRegisteredChannelNames,
} from './channels/registry.js';
import { logger } from './logger.js';
import { answer } from './roster.js';
import { Channel } from './types.js';

async function main(): Promise<void> {
  const channels: Channel[] = [];

  const shutdown = async (signal: string) => {
    logger.info({ signal }, 'Shutting down');
    for (const channel of channels) await channel.disconnect();
    process.exit(0);
  };
  process.on('SIGTERM', () => shutdown('SIGTERM'));
  process.on('SIGINT', () => shutdown('SIGINT'));

  const opts = {
    onText: (chat: string, text: string) => {
      const reply = answer(chat, text);
      const channel = channels.find((one) => one.isConnected());
      if (!reply || !channel) return;
      channel.sendMessage(chat, reply).catch((err) => {
        logger.error({ err, chat }, 'Reply was not sent');
      });
    },
  };
  for (const name of getRegisteredChannelNames()) {
    const channel = getChannelFactory(name)!(opts);
    if (!channel) continue;
    channels.push(channel);
    await channel.connect();
  }
  if (channels.length === 0) {
    logger.fatal('No channel is linked, add one with a skill');
    process.exit(1);
  }
  logger.info('Trellis is up');
}

main().catch((err) => {
  logger.error({ err }, 'Trellis could not start');
  process.exit(1);
});
