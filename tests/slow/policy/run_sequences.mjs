// usage: node run_sequences.mjs MODULE < cases.json > observations.json
// Plays each case (see sequences.json) and says after each step what is to be seen.
import fs from 'node:fs';
import * as disk from './disk.mjs';
import { Bot, advance, clock, flush, install, load, seeded } from './virtual.mjs';

const newProcess = load(process.argv[2]);
install();
Error.stackTraceLimit = 0;

process.kill = (pid) => {
  if (pid !== 4242) throw Object.assign(new Error('ESRCH'), { code: 'ESRCH' });
  return true;
};

const steps = {
  start: (bot) => bot.start(),
  open: (bot) => bot.event({ connection: 'open' }),
  connecting: (bot) => bot.event({ connection: 'connecting' }),
  qr: (bot) => bot.event({ qr: '2@ref' }),
  close: (bot, step) => bot.close(step.code, step),
  late_event: (bot, step) => bot.event({ connection: step.event }, bot.kept),
  keep: (bot) => void (bot.kept = bot.sock),
  fail: (bot, step) => void (bot.failing = step.times),
  hang: (bot, step) => void (bot.hanging = step.times),
  answer: (bot) => bot.answer?.(),
  reject: (bot) => bot.reject(new Error('Connection Closed')),
  reconnect: (bot) => bot.dial(),
  stop: (bot) => bot.reconnect.stop(),
  crash: (bot) => bot.boot(),
  link: (bot, step) => bot.link(step.as),
  unlink: (bot) => bot.unlink(),
  jump: (_bot, step) => void (clock.wall += step.s * 1000),
  off: (bot, step) => {
    clock.wall += step.s * 1000;
    bot.epoch += step.s * 1000;
    bot.boot();
  },
  advance: (_bot, step) => advance(step.s * 1000),
  next: async (bot, step) => {
    const before = bot.grants.length;
    const limit = (step.within ?? 200_000) * 1000;
    const passed = await advance(limit, () => bot.grants.length > before);
    return { wait: bot.grants.length > before ? passed / 1000 : null };
  },
  corrupt: (bot, step) => disk.files.set(bot.memoryFile, step.text),
  lock: () => disk.lock(),
  edit: (bot, step) => {
    const memory = { ...bot.read(), ...step.set };
    disk.files.set(bot.memoryFile, JSON.stringify(memory));
  },
  reset: (bot) => {
    const set = { notBefore: 0, wait: 0, level: 0, blocked: 0, verdict: null, cleared: clock.wall };
    disk.files.set(bot.memoryFile, JSON.stringify({ ...bot.read(), ...set }));
  },
  // Baileys writes creds.json in place: it may be read half-written.
  tear: (bot) => disk.files.set(`${bot.authDir}/creds.json`, '{"me": {'),
  // The socket has been paired; its credentials are written when they settle.
  saving: (bot) => bot.pair(),
  settle: (bot) => bot.link('bot'),
  dial_twice: async (bot) => {
    let settled = 0;
    void bot.reconnect.dial(() => bot.connect()).finally(() => (settled += 1));
    await flush();
    return { settled };
  },
};

async function play(one) {
  const bot = new Bot(newProcess, one.options);
  clock.random = seeded(1);
  if (one.linked !== false && !one.options?.noFolder) bot.link('bot');
  const seen = [];
  for (const step of one.steps) {
    const logged = bot.logs.length;
    bot.seen = undefined;
    const extra = (await steps[step.do](bot, step)) ?? {};
    await flush();
    seen.push({
      attempts: bot.grants.length,
      terminal: bot.reconnect.terminal,
      down: bot.down,
      observed: bot.seen ?? null,
      stopped: bot.hooks.stopped,
      late: bot.hooks.late,
      ended: bot.ended,
      alive: [...clock.timers.values()].some((timer) => timer.kept),
      logs: bot.logs.slice(logged),
      memory: step.memory ? bot.read() : null,
      ...extra,
    });
  }
  bot.dispose();
  return seen;
}

const cases = JSON.parse(fs.readFileSync(0, 'utf8'));
const results = {};
for (const one of cases) results[one.name] = await play(one);
process.stdout.write(JSON.stringify(results));
