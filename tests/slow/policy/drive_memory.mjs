// One process of a bot, which does what the lines of its standard input say.
// usage: node drive_memory.mjs OPTIONS, beside whatsapp-reconnect.mjs. Each line is answered.
import { EventEmitter } from 'node:events';
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
let ev;

/** What a channel makes in its connect function, when its turn has come. */
function connect() {
  ev = new EventEmitter();
  const config = { auth: { creds: {} }, agent: { addRequest() {} } };
  const make = ({ agent }) => (agent.addRequest(new EventEmitter(), {}), { ev });
  reconnect.socket(make, config);
}

function dial() {
  return new Promise((resolve) => {
    const granted = () => (connect(), resolve('granted'));
    reconnect.dial(granted, { stopped: () => resolve('refused') });
  });
}

const steps = {
  turn: async ({ s }) => {
    turn ??= dial();
    const late = new Promise((resolve) => setTimeout(resolve, s * 1000, 'waiting'));
    const outcome = await Promise.race([turn, late]);
    if (outcome !== 'waiting') turn = undefined;
    return outcome;
  },
  open: () => ev?.emit('connection.update', { connection: 'open' }) ?? null,
  close: ({ code, message }) => {
    const error = { message, output: { statusCode: code } };
    return ev?.emit('connection.update', { connection: 'close', lastDisconnect: { error } }) ?? null;
  },
  stop: () => reconnect.stop() ?? null,
  logs: () => logs,
};

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await steps[step.do](step))}\n`);
}
process.exit(0);
