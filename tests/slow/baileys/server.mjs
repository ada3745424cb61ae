// A WhatsApp that is none: takes real Baileys clients on loopback, and does to each of their
// attempts what the address says.
//
// usage: node server.mjs          (until stdin ends)
// address: ws://127.0.0.1:PORT/BOT?script=STEP,STEP,…   The n-th attempt of BOT meets the n-th
// step; the last one stays. What Baileys 6.7.24 and 7.0.0-rc14 make of the steps:
//
//   failure/CODE            close with that code, before an open: 401 403 405 500 503 …
//   stream/CODE             the same by another message: 401 503 515
//   conflict/replaced       close 440          conflict/device_removed   close 401
//   drop, reset             close 428; close 408 (reset: before the upgrade)
//   garbage                 noise instead of the server's hello: close with an error that has
//                           no status code (after the login it is an uncaught exception)
//   silent                  accepted and never answered: close 408 when Baileys gives up
//   http/CODE               an HTTP answer instead of the upgrade: no event, ever
//   http/CODE/held          the same, and the connection stays
//   open                    connection 'open', stays
//   open-then/STEP          open, then that
//   qr                      asks for a pairing: a 'qr' update, stays
//   qr-then/STEP            the same, then that
//
// Says on stdout, one JSON object a line: {port, root}, then {bot, event, at} with `at` in ms
// since 1970 by this process. Events: attempt (an HTTP request has come), login, available
// (the bot says that it is online: it has heard its 'open'), closed.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocketServer } from 'ws';

import { Line, makeIdentity } from './noise.mjs';

const SERVER = 's.whatsapp.net';
// Baileys wants to be the one that closes: it takes a close of ours for a 428.
const PATIENCE_MS = 5_000;
const OPEN_MS = 100;
// Baileys 6 derives its keys after its last word of the handshake, and until then takes any
// frame for a part of it: it hangs or throws. On a real network nothing comes so soon.
const KEYS_MS = 150;

const identity = makeIdentity();
const attempts = new Map();

function say(bot, event) {
  console.log(JSON.stringify({ bot, event, at: Date.now() }));
}

/** The step that the script has for this attempt, as words. */
function nextStep(bot, script) {
  const made = attempts.get(bot) ?? 0;
  attempts.set(bot, made + 1);
  const steps = script.split(',');
  return steps[Math.min(made, steps.length - 1)].split('/');
}

const http = createServer();
const upgrades = new WebSocketServer({ noServer: true });

http.on('upgrade', (request, socket, head) => {
  const address = new URL(request.url, 'ws://127.0.0.1');
  const bot = address.pathname.slice(1);
  const step = nextStep(bot, address.searchParams.get('script'));
  say(bot, 'attempt');
  socket.on('error', () => undefined);
  if (step[0] === 'reset') return socket.destroy();
  if (step[0] === 'http') {
    const [, code, held] = step;
    const keep = held ? 'keep-alive' : 'close';
    socket.write(`HTTP/1.1 ${code} No\r\nContent-Length: 0\r\nConnection: ${keep}\r\n\r\n`);
    return held ? undefined : socket.end();
  }
  upgrades.handleUpgrade(request, socket, head, (client) => serve(client, bot, step));
});

function serve(client, bot, step) {
  client.on('close', () => say(bot, 'closed'));
  client.on('error', () => undefined);
  if (step[0] === 'silent') return;
  const line = new Line(
    identity,
    (bytes) => client.send(bytes),
    () => {
      say(bot, 'login');
      setTimeout(() => perform(client, line, step).catch(complain), KEYS_MS);
    },
    (node) => answer(line, bot, node),
  );
  let queue = Promise.resolve();
  client.on('message', (bytes) => {
    if (step[0] === 'garbage') client.send(Buffer.from('000004deadbeef', 'hex'));
    else queue = queue.then(() => line.received(bytes)).catch(complain);
  });
}

async function perform(client, line, [what, ...rest]) {
  const [which] = rest;
  switch (what) {
    case 'open':
    case 'open-then': {
      const now = String(Math.floor(Date.now() / 1000));
      line.send({ tag: 'success', attrs: { t: now, lid: '999:7@lid' } });
      const offline = { tag: 'offline', attrs: { count: '0' } };
      line.send({ tag: 'ib', attrs: { from: SERVER }, content: [offline] });
      if (what === 'open') return;
      await sleep(OPEN_MS);
      return perform(client, line, rest);
    }
    case 'qr':
    case 'qr-then': {
      const refs = ['2@one', '2@two'].map((ref) => ({
        tag: 'ref',
        attrs: {},
        content: Buffer.from(ref),
      }));
      const pair = { tag: 'pair-device', attrs: {}, content: refs };
      const asked = { from: `@${SERVER}`, type: 'set', id: '1', xmlns: 'md' };
      line.send({ tag: 'iq', attrs: asked, content: [pair] });
      if (what === 'qr') return;
      await sleep(OPEN_MS);
      return perform(client, line, rest);
    }
    case 'failure':
      line.send({ tag: 'failure', attrs: { reason: which, location: 'atn' } });
      break;
    case 'stream':
      line.send({ tag: 'stream:error', attrs: { code: which } });
      break;
    case 'conflict': {
      const attrs = which === 'device_removed' ? { code: '401' } : {};
      const conflict = { tag: 'conflict', attrs: { type: which } };
      line.send({ tag: 'stream:error', attrs, content: [conflict] });
      break;
    }
    case 'drop':
      return client.terminate();
    default:
      throw new Error(`no such step: ${what}`);
  }
  await sleep(PATIENCE_MS, undefined, { ref: false });
  client.close();
}

/** Enough of the protocol for a client to call itself online. */
function answer(line, bot, { tag, attrs, content }) {
  if (tag === 'presence' && attrs.type === 'available') say(bot, 'available');
  if (tag !== 'iq' || attrs.type === 'result') return;
  const asked = Array.isArray(content) ? content[0]?.tag : undefined;
  const replies = {
    count: [{ tag: 'count', attrs: { value: '100' } }],
    digest: [{ tag: 'digest', attrs: {} }],
  };
  const result = { from: SERVER, type: 'result', id: attrs.id };
  line.send({ tag: 'iq', attrs: result, content: replies[asked] });
}

function complain(error) {
  // A client that hung up in the middle is none of ours.
  console.error(error.stack);
}

process.stdin.on('end', () => process.exit(0)).resume();
http.listen(0, '127.0.0.1', () => {
  const root = Buffer.from(identity.root.public).toString('hex');
  console.log(JSON.stringify({ port: http.address().port, root }));
});
