// usage: node run_shared.mjs MODULE HOURS > report.json
// Two processes of one bot, by mistake: one memory, and a link that holds for just over five
// minutes, after which the delay is back at its first step: together they want 23 an hour.
// Says when the attempts were made (s, true time), and how often each told of the budget.
import { EventEmitter } from 'node:events';
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

function live(which) {
  const warn = (line) => void (report.told[which] += line.includes('budget'));
  const logger = { info() {}, warn, error: warn };
  const reconnect = new (newProcess().Reconnect)({ authDir, logger });
  const connect = () => {
    const sock = { ev: new EventEmitter() };
    const dialled = () => void report.attempts.push(clock.mono / 1000);
    const config = { auth: { creds: {} }, agent: { addRequest: dialled } };
    reconnect.socket(({ agent }) => (agent.addRequest(new EventEmitter(), {}), sock), config);
    const say = (update) => void sock.ev.emit('connection.update', update);
    say({ connection: 'open' });
    setTimeout(() => {
      say({ connection: 'close', lastDisconnect: { error } });
      reconnect.dial(connect);
    }, OPEN_MS);
  };
  reconnect.dial(connect);
}

live(0);
await advance(1_000);
live(1);
await advance(Number(hours) * 3_600_000);
process.stdout.write(JSON.stringify(report));
