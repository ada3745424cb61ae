// usage: node --expose-gc run_flat.mjs MODULE COUNT < KIND > report.json
// Heap in bytes after a first tenth of COUNT and after all of them. KIND: "replays", of a verdict
// to a loop that redials at once; "superseded", sockets of an account that waits for its turn.
import fs from 'node:fs';

import { World } from './held_world.mjs';
import { advance, clock, flush, install, load, seeded } from './virtual.mjs';

const [, , module, count] = process.argv;
const kind = JSON.parse(fs.readFileSync(0, 'utf8'));
const newProcess = load(module);
install();
Error.stackTraceLimit = 0;
clock.random = seeded(1);
const kept = { ...console };
const world = new World(newProcess);
const account = world.account('a', { folder: 'auth' });
const error = (code) => Object.assign(new Error('closed'), { output: { statusCode: code } });

const kinds = {
  async replays() {
    await account.connect();
    // Its own verdict comes again after at most five minutes.
    while (account.heard.length < 1) await advance(300_000);
  },
  async superseded() {
    await account.connect();
    await flush();
  },
};

async function heap() {
  await flush();
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

await account.connect();
account.sock.close(error(kind === 'replays' ? 401 : 429));
const report = { heap: [], events: 0 };
for (let n = 0; n < Number(count); n += 1) {
  if (n === Number(count) / 10) report.heap.push(await heap());
  account.heard.length = 0;
  await kinds[kind]();
  report.events += 1;
  // The host forgets what it has replaced.
  account.socks.splice(0, account.socks.length - 1);
}
report.heap.push(await heap());
report.dials = world.dials;
Object.assign(console, kept);
process.stdout.write(JSON.stringify(report));
