// usage: node run_shared.mjs MODULE HOURS > report.json
// Two processes of one bot, by mistake: one memory, and a link that holds for just over five
// minutes, after which the delay is back at its first step: together they want 23 an hour.
// Says when the attempts were made (s, true time), and how often each told of the budget.
import path from 'node:path';

import { folders } from './disk.mjs';
import { advance, clock, install, load, seeded } from './virtual.mjs';

const [, , module, hours] = process.argv;
const newProcess = load(module);
install();
clock.random = seeded(748);
const authDir = '/virtual/shared/store/auth';
folders.add(path.dirname(authDir)).add(authDir);
const error = { output: { statusCode: 428 } };
const OPEN_MS = 301_000;
const report = { attempts: [], told: [0, 0] };

async function live(which) {
  const warn = (line) => void (report.told[which] += line.includes('budget'));
  const logger = { info() {}, warn, error: warn };
  const reconnect = new (newProcess().Reconnect)({ authDir, logger });
  for (;;) {
    const attempt = await reconnect.turn();
    report.attempts.push(clock.mono / 1000);
    reconnect.observe({ connection: 'open' }, attempt);
    await new Promise((resolve) => setTimeout(resolve, OPEN_MS));
    reconnect.observe({ connection: 'close', lastDisconnect: { error } }, attempt);
  }
}

void live(0);
await advance(1_000);
void live(1);
await advance(Number(hours) * 3_600_000);
process.stdout.write(JSON.stringify(report));
