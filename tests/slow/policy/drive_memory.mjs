// One process of a bot, which does what the lines of its standard input say.
// usage: node drive_memory.mjs OPTIONS, beside whatsapp-reconnect.mjs. Each line is answered.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createInterface } from 'node:readline';

const options = JSON.parse(process.argv[2]);
const realPid = process.pid;
if (options.pid) Object.defineProperty(process, 'pid', { value: options.pid });
if (options.dies) {
  fs.renameSync = () => process.kill(realPid, 'SIGKILL');
  syncBuiltinESMExports();
}
const { Reconnect } = await import('./whatsapp-reconnect.mjs');

const logs = [];
const said = (line) => {
  logs.push(line);
  if (options.logger === 'throws') throw new Error('no logger');
};
const levels = { bare: ['info'], none: [] }[options.logger] ?? ['info', 'warn', 'error'];
const logger = Object.fromEntries(levels.map((level) => [level, said]));
const { auth: authDir, pairing } = options;
const reconnect = new Reconnect({ authDir, logger, pairing });

let turn;
let attempt = 0;
const steps = {
  turn: async ({ s }) => {
    turn ??= reconnect.turn().then(
      (number) => ((attempt = number), 'granted'),
      (error) => (error.name === 'ReconnectStopped' ? 'refused' : String(error)),
    );
    const late = new Promise((resolve) => setTimeout(resolve, s * 1000, 'waiting'));
    const outcome = await Promise.race([turn, late]);
    if (outcome !== 'waiting') turn = undefined;
    return outcome;
  },
  open: () => reconnect.observe({ connection: 'open' }, attempt),
  close: ({ code, message }) => {
    const error = { message, output: { statusCode: code } };
    const lastDisconnect = { error };
    return reconnect.observe({ connection: 'close', lastDisconnect }, attempt);
  },
  stop: () => reconnect.stop() ?? null,
  logs: () => logs,
};

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await steps[step.do](step))}\n`);
}
process.exit(0);
