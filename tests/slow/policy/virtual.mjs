// A process under virtual time: clocks, timers, a bot with a fake socket, and
// its restarts. Nothing waits: time is advanced by hand.
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as disk from './disk.mjs';


const immediate = setImmediate;
let bots = 0;
const START = 1_700_000_000_000;

export const clock = { wall: START, mono: 0, timers: new Map(), last: 0, random: Math.random };

/** Replaces what the module reads time from. */
export function install() {
  Date.now = () => clock.wall;
  performance.now = () => clock.mono;
  Math.random = () => clock.random();
  globalThis.setTimeout = (run, wait = 0) => {
    clock.last += 1;
    const id = clock.last;
    const timer = { id, due: clock.mono + Math.max(0, wait), run, kept: true };
    clock.timers.set(id, timer);
    return { id, unref: () => void (timer.kept = false) };
  };
  globalThis.clearTimeout = (timer) => void (timer && clock.timers.delete(timer.id));
}

export const flush = () => new Promise((resolve) => immediate(resolve));

/** Moves to the next timer that rings until `end`; false if there is none. */
async function ring(end) {
  let next;
  for (const timer of clock.timers.values()) {
    if (!next || timer.due < next.due) next = timer;
  }
  if (!next || next.due > end) return false;
  clock.timers.delete(next.id);
  pass(Math.max(0, next.due - clock.mono));
  next.run();
  await flush();
  return true;
}

function pass(wait) {
  clock.mono += wait;
  clock.wall += wait;
}

/** Advances; stops early once `done()` holds. Returns the time that passed. */
export async function advance(wait, done = () => false) {
  const begin = clock.mono;
  await flush();
  while (!done() && (await ring(begin + wait)));
  if (!done()) pass(begin + wait - clock.mono);
  return clock.mono - begin;
}

/** Seeded random numbers (mulberry32). */
export function seeded(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Each call of what it returns is a new process: the module holds state of its own. */
export function load(module) {
  const run = new Function('module', 'exports', 'require', fs.readFileSync(module, 'utf8'));
  const require = createRequire(module);
  return () => {
    const made = { exports: {} };
    run(made, made.exports, require);
    return made.exports;
  };
}

function linked(name) {
  const public_ = { type: 'Buffer', data: Buffer.from(name).toString('base64') };
  const me = { id: `${name}:1@s.whatsapp.net` };
  return { noiseKey: { public: public_ }, registrationId: 7, me, registered: false, account: {} };
}

/** A bot patched as skillgen patches one, over any number of processes. */
export class Bot {
  constructor(newProcess, options = {}) {
    this.newProcess = newProcess;
    this.options = { pairing: true, ...options };
    this.root = `/virtual/${(bots += 1)}`;
    this.authDir = path.join(this.root, 'store', 'auth');
    this.memoryFile = path.join(this.root, 'store', 'auth-reconnect.json');
    if (!this.options.noFolder) {
      disk.folders.add(path.dirname(this.authDir));
      disk.folders.add(this.authDir);
    }
    this.grants = []; // true time of every attempt: never jumps
    this.epoch = 0; // mono at the start of this process, on the true time line
    this.pid = 1000;
    this.logs = [];
    this.hooks = { stopped: 0, late: 0 };
    this.ended = 0;
    this.made = 0; // sockets
    this.outcomes = new Map(); // socket -> closes that the host was told
    this.failing = 0;
    this.hanging = 0;
    this.boot();
  }

  time() {
    return this.epoch + clock.mono;
  }

  boot() {
    this.epoch += clock.mono;
    clock.mono = 0;
    clock.timers.clear();
    this.pid += 1;
    Object.defineProperty(process, 'pid', { value: this.pid, configurable: true });
    const log = (level) => (message) => this.logs.push({ level, message });
    const logger = { info: log('info'), warn: log('warn'), error: log('error') };
    this.generation = (this.generation ?? 0) + 1;
    this.down = false; // the host gave up or was stopped
    this.sock = undefined;
    const { pairing } = this.options;
    this.bootedAt = clock.wall;
    const { Reconnect } = this.newProcess();
    this.reconnect = new Reconnect({ authDir: () => this.authDir, logger, pairing });
  }

  start() {
    this.down = false;
    this.dial();
  }

  dial() {
    this.reconnect.dial(() => this.connect(), {
      stopped: () => void (this.hooks.stopped += 1, (this.down = true)),
      late: () => void (this.hooks.late += 1),
    });
  }

  async connect() {
    const { generation } = this;
    // Where dial() has waited, the attempt began before this function did.
    let counted = this.reconnect.offered !== undefined;
    if (counted) this.grants.push(this.time());
    const nth = this.grants.length;
    if (this.hanging > 0) {
      this.hanging -= 1;
      await new Promise((resolve) => (this.answer = resolve));
      if (generation !== this.generation) return;
      counted = this.grants.length === nth;
    }
    if (this.failing > 0) {
      this.failing -= 1;
      throw new Error('getaddrinfo ENOTFOUND web.whatsapp.com');
    }
    const dialled = () => {
      if (!counted && generation === this.generation) this.grants.push(this.time());
      counted = false;
    };
    const creds = this.creds();
    const sock = this.reconnect.socket((config) => this.make(config), {
      auth: { creds },
      agent: { addRequest: dialled },
    });
    this.sock = sock;
    sock.ev.on('connection.update', (update) => this.handle(update, sock));
    // As Baileys does it: after the code that made the socket.
    if (this.options.slow) process.nextTick(() => this.event({ connection: 'connecting' }, sock));
    else this.event({ connection: 'connecting' }, sock);
    if (this.options.rejects === 'at once') throw new Error('Connection Closed');
    if (this.options.rejects) await new Promise((_, reject) => (this.reject = reject));
  }

  /** A socket as Baileys makes one: it says once that it has ended. */
  make(config) {
    const ev = new EventEmitter();
    const request = Object.assign(new EventEmitter(), { destroyed: false, protocol: 'https:' });
    const { creds } = config.auth;
    const sock = { ev, request, creds, ended: false, id: (this.made += 1) };
    this.outcomes.set(sock.id, 0);
    sock.end = (error) => {
      if (sock.ended) return;
      sock.ended = true;
      this.ended += 1;
      const lastDisconnect = { error, date: 0 };
      if (!this.options.silentEnd) this.event({ connection: 'close', lastDisconnect }, sock);
    };
    config.agent.addRequest(request, {});
    return sock;
  }

  /** Credentials as they are loaded before a socket is made. */
  creds() {
    try {
      return JSON.parse(disk.readFileSync(path.join(this.authDir, 'creds.json')));
    } catch {
      return {};
    }
  }

  /** The connection.update handler. */
  handle(update, sock) {
    this.seen = true;
    if (update.connection !== 'close') return;
    this.outcomes.set(sock.id, this.outcomes.get(sock.id) + 1);
    if (this.reconnect.terminal) this.down = true;
    else this.dial();
  }

  event(update, sock = this.sock) {
    this.seen = false;
    if (!sock) return;
    sock.ev.emit('connection.update', update);
    if (update.connection !== 'close') return;
    sock.ended = true;
    sock.ev.removeAllListeners('connection.update');
  }

  close(code, { message = 'closed', expire } = {}) {
    const error = new Error(message);
    if (code) error.output = { statusCode: code };
    if (expire !== undefined) error.data = { expire: String(expire) };
    this.event({ connection: 'close', lastDisconnect: { error, date: 0 } });
  }

  link(name) {
    disk.writeFileSync(path.join(this.authDir, 'creds.json'), JSON.stringify(linked(name)));
  }

  /** Pairing comes to its end: the socket's credentials say so, the file not yet. */
  pair() {
    Object.assign(this.sock.creds, linked('bot'));
  }

  unlink() {
    disk.files.delete(path.join(this.authDir, 'creds.json'));
  }

  read() {
    return JSON.parse(disk.readFileSync(this.memoryFile));
  }

  dispose() {
    this.generation += 1;
    clock.timers.clear();
    clock.mono = 0;
    clock.wall = START;
    disk.wipe();
  }
}
