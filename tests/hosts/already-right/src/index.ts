import { WhatsAppChannel } from './whatsapp.js';

const channel = new WhatsAppChannel();

process.on('SIGTERM', async () => {
  await channel.disconnect();
  process.exit(0);
});

await channel.connect();
console.log('Belfry is up');

const [group, news] = process.argv.slice(2);
if (group && news) await channel.sendMessage(group, news);
