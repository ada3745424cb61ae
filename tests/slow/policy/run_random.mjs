// usage: node run_random.mjs MODULE SEED COUNT STEP > broken.json
// Plays random lives of a bot and says which broke an invariant of the policy.
import { files } from './disk.mjs';
import { Bot, advance, clock, flush, install, load, seeded } from './virtual.mjs';

const [, , module, first, count, step] = process.argv;
const newProcess = load(module);
install();
Error.stackTraceLimit = 0;
process.kill = () => true;

const HOUR = 3_600_000;
const SHORTEST = 5_000;
const LONGEST = HOUR * 1.5;
const CODES = [400, 401, 402, 403, 405, 408, 408, 428, 428, 429, 440, 500, 503, 515, 515, undefined];

const pick = (random, list) => list[Math.floor(random() * list.length)];

/** What happens to the bot; each is something that has been seen to happen. */
const events = {
  open: (bot) => bot.event({ connection: 'open' }),
  qr: (bot) => bot.event({ qr: '2@ref' }),
  close: (bot, random) => {
    const code = pick(random, CODES);
    if (code === 515) bot.reasons += 1;
    bot.close(code);
  },
  refs: (bot) => bot.close(408, { message: 'QR refs attempts ended' }),
  fail: (bot, random) => void (bot.failing = Math.floor(random() * 5)),
  hang: (bot) => void (bot.hanging = 1),
  answer: (bot) => bot.answer?.(),
  again: (bot) => bot.reconnect.terminal || bot.dial(),
  stop: (bot) => {
    bot.reasons += 1; // the next start tries at once
    bot.reconnect.stop();
    bot.down = true;
  },
  restart: (bot) => {
    bot.boot();
    bot.start();
  },
  start: (bot) => bot.start(),
  link: (bot, random) => {
    bot.link(pick(random, ['one', 'two', 'three']));
    bot.reasons += 1;
    bot.relinked = bot.grants.length;
  },
  unlink: (bot) => {
    bot.unlink();
    bot.reasons += 1;
    bot.relinked = bot.grants.length;
  },
  jump: (bot, random) => {
    const by = Math.round((random() - 0.3) * 60_000);
    clock.wall += by;
    bot.blur += Math.abs(by);
  },
  wait: (_bot, random) => advance(pick(random, [1, 5, 20, 70, 310, 4000]) * 1000),
  day: () => advance(86_400_000),
};
const FRESH = ['restart', 'start', 'stop', 'link', 'unlink'];
const COMMON = ['close', 'close', 'close', 'wait', 'wait', 'open', 'restart'];

/** 21 attempts within an hour, by true time; a clock that is set may blur it as far. */
function crowded({ grants, blur }) {
  return grants.some((at, i) => i >= 20 && at - grants[i - 20] < HOUR - blur);
}

/** Attempts that follow another one sooner than the shortest delay, by true time. */
function hasty({ grants, blur }) {
  return grants.filter((at, i) => i > 0 && at - grants[i - 1] < SHORTEST - blur).length;
}

/** The longest wait there is, with its jitter: the budget's, a hold's, or a day's without an open. */
function patient({ reconnect, blur, bootedAt }) {
  if (reconnect.requests.size === 0) return false;
  const until = Math.max(...Object.values(reconnect.bounds()));
  return until - (bootedAt + clock.mono) > LONGEST + blur;
}

/** Alive: connected, trying, or with a timer that goes on. */
function dead(bot) {
  if (bot.down || bot.reconnect.terminal) return false;
  return bot.reconnect.requests.size === 0 && bot.reconnect.attempt.state === 'over';
}

async function live(random) {
  const jumping = random() < 0.2;
  const rare = Object.keys(events).filter((name) => jumping || name !== 'jump');
  const options = { pairing: random() < 0.5 };
  const bot = new Bot(newProcess, options);
  clock.random = random;
  if (random() < 0.7) bot.link('one');
  bot.reasons = 0; // for an attempt at once
  bot.blur = 0.5; // binary fractions of milliseconds
  const said = [];
  let broken = '';
  bot.start();
  for (let i = 0; i < 40 && !broken; i += 1) {
    const name = random() < 0.6 ? pick(random, COMMON) : pick(random, rare);
    said.push(name);
    const before = bot.grants.length;
    const ended = bot.reconnect.terminal && !FRESH.includes(name) && bot.relinked !== before;
    await events[name](bot, random);
    await flush();
    if (crowded(bot)) broken = '21 attempts in an hour';
    if (hasty(bot) > bot.reasons) broken = 'an attempt without a wait';
    if (patient(bot)) broken = 'a wait longer than any';
    if (dead(bot)) broken = 'dead without a verdict';
    if (ended && bot.grants.length > before) broken = 'an attempt after the verdict';
    if ([...bot.outcomes.values()].some((closes) => closes > 1)) broken = 'two outcomes';
    const rings = [...clock.timers.values()].filter((timer) => timer.kept);
    // The wait or the deadline, and the mark of 25 s.
    if (rings.length > 2) broken = `${rings.length} timers`;
  }
  if ([...files.keys()].some((file) => file.endsWith('.tmp'))) broken ||= 'a temporary file stayed';
  bot.dispose();
  return broken ? { broken, said, options } : undefined;
}

const report = { lives: 0, broken: [] };
for (let i = 0; i < Number(count); i += 1) {
  const seed = Number(first) + i * Number(step);
  const found = await live(seeded(seed));
  report.lives += 1;
  if (found) report.broken.push({ seed, ...found });
}
process.stdout.write(JSON.stringify(report));
