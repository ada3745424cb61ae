import { pathToFileURL } from 'url';

import { WhatsAppChannel } from './channels/whatsapp.js';
import { TICK_MS } from './config.js';
import { logger } from './logger.js';
import { parseReminder, remember, takeDue } from './reminders.js';
import { Channel } from './types.js';

async function tick(channel: Channel): Promise<void> {
  for (const reminder of takeDue(Date.now())) {
    await channel.sendMessage(reminder.chat, reminder.text);
  }
}

async function main(): Promise<void> {
  const whatsapp = new WhatsAppChannel({
    onMessage: (message) => {
      const reminder = parseReminder(message.chat, message.text);
      if (reminder) remember(reminder);
    },
  });

  const shutdown = async (signal: string) => {
    logger.info({ signal }, 'Going to sleep');
    await whatsapp.disconnect();
    process.exit(0);
  };
  process.on('SIGTERM', () => shutdown('SIGTERM'));
  process.on('SIGINT', () => shutdown('SIGINT'));

  await whatsapp.connect();
  logger.info('Heron is up');

  setInterval(() => {
    tick(whatsapp).catch((err) => logger.error({ err }, 'Tick failed'));
  }, TICK_MS);
}

// Tests import this file too: start only when it is the program itself.
if (
  process.argv[1] &&
  import.meta.url === pathToFileURL(process.argv[1]).href
) {
  main().catch((err) => {
    logger.error({ err }, 'Heron could not start');
    process.exit(1);
  });
}
