// usage: node run_held.mjs MODULE < cases.json > observations.json
// Plays each case (see held.json) and says after each step what is to be seen.
import fs from 'node:fs';

import * as disk from './disk.mjs';
import { World } from './held_world.mjs';
import { advance, clock, flush, install, load, seeded } from './virtual.mjs';

const newProcess = load(process.argv[2]);
const START = clock.wall;
install();
Error.stackTraceLimit = 0;

const steps = {
  connect: (world, { of }) => world.account(of).connect(),
  connect_all: async (world, { count, options }) => {
    for (let n = 0; n < count; n += 1) await world.account(`n${n}`, options).connect();
  },
  open: (world, { of }) => world.account(of).event({ connection: 'open' }),
  qr: (world, { of }) => world.account(of).event({ qr: '2@ref' }),
  close: (world, { of, code }) => {
    const error = Object.assign(new Error('closed'), { output: { statusCode: code } });
    world.account(of).sock.close(error);
  },
  // A watchdog of the host: it ends what has not opened.
  end: (world, { of }) => world.account(of).sock.end(new Error('too slow')),
  ask_code: (world, { of }) => world.account(of).askCode(),
  pair: (world, { of }) => world.account(of).pair(),
  relink: (world, step) => world.account(step.of).relink(step),
  new_keys: (world, { of }) => void (world.account(of).creds = world.account(of).makeCreds()),
  crash: (world) => world.boot(),
  advance: (_world, { s }) => advance(s * 1000),
  next: async (world, { of, within = 200_000 }) => {
    const count = () => (of ? world.account(of).dials.length : world.dials);
    const before = count();
    const passed = await advance(within * 1000, () => count() > before);
    return { wait: count() > before ? passed / 1000 : null };
  },
};

const kept = { ...console };

async function play(one) {
  clock.wall = START;
  clock.mono = 0;
  clock.random = seeded(1);
  disk.wipe();
  const world = new World(newProcess);
  for (const [name, options] of Object.entries(one.accounts ?? {})) world.account(name, options);
  const seen = [];
  for (const step of one.steps) {
    const logged = world.logs.length;
    const extra = (await steps[step.do](world, step)) ?? {};
    await flush();
    const all = Object.entries(Object.fromEntries(world.accounts));
    const of = (value) => Object.fromEntries(all.map(([name, account]) => [name, value(account)]));
    seen.push({
      dials: world.dials,
      dials_of: of((account) => account.dials.length),
      heard: of((account) => [...account.heard]),
      codes: of((account) => ({ ...account.codes })),
      alive: [...clock.timers.values()].some((timer) => timer.kept),
      timers: clock.timers.size,
      written: [...disk.files.keys()].filter((file) => file.endsWith('-reconnect.json')).length,
      logs: world.logs.slice(logged),
      ...extra,
    });
  }
  world.generation += 1;
  clock.timers.clear();
  return seen;
}

const cases = JSON.parse(fs.readFileSync(0, 'utf8'));
const results = {};
for (const one of cases) results[one.name] = await play(one);
Object.assign(console, kept);
process.stdout.write(JSON.stringify(results));
