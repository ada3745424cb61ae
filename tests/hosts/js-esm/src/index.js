import { STREET } from './config.js';
import { lampsOn } from './lamps.js';
import { logger } from './logger.js';
import { WhatsApp } from './whatsapp.js';

const whatsapp = new WhatsApp((chat, text) => {
  if (!/^lamps\?/i.test(text)) return;
  whatsapp
    .send(chat, `Lamps on at ${lampsOn(new Date())}`)
    .catch((err) => logger.error({ err }, 'The answer was not sent'));
});

async function main() {
  await whatsapp.connect();
  logger.info({ street: STREET }, 'Lantern is up');
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    whatsapp.disconnect();
    process.exit(0);
  });
}

main().catch((err) => {
  logger.error({ err }, 'Lantern failed to start');
  process.exit(1);
});
