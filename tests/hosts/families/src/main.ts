import { log } from './log.js';

// One process a tower: node dist/main.js belfry
const tower = process.argv[2];
const { start } = (await import(`./towers/${tower}.js`)) as {
  start: () => Promise<void>;
};

start().catch((err) => {
  log.error('The tower stays silent', { tower, err: String(err) });
  process.exit(1);
});
