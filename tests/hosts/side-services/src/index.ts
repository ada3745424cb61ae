import { start, stop } from './whatsapp.js';

process.on('SIGTERM', () => {
  stop();
  process.exit(0);
});

await start();
