// Held sockets under virtual time: accounts, their sockets as Baileys makes them, and a process
// around them that can be started anew.
import { EventEmitter } from 'node:events';
import path from 'node:path';

import * as disk from './disk.mjs';
import { clock } from './virtual.mjs';

const boom = (code) =>
  Object.assign(new Error('closed'), { isBoom: true, output: { statusCode: code } });

/** One account of a host. options: folder (of its credentials), linked, loop (redials at once). */
export class Account {
  constructor(world, name, options) {
    Object.assign(this, { world, name, options });
    this.dials = []; // when, on the line of time that no restart breaks
    this.heard = []; // codes of the closes that the host was told
    this.codes = { asked: 0, given: 0, failed: 0 };
    this.socks = [];
    this.folder = options.folder && path.join(world.root, options.folder);
    if (this.folder) disk.folders.add(path.dirname(this.folder)).add(this.folder);
    this.creds = this.makeCreds(options.linked === false ? undefined : name);
    this.store();
  }

  get sock() {
    return this.socks.at(-1);
  }

  makeCreds(number) {
    const data = Buffer.from(`${this.name}-${(this.world.keys += 1)}`).toString('base64');
    const creds = { noiseKey: { public: { type: 'Buffer', data } }, registrationId: 7 };
    return number ? { ...creds, me: { id: `${this.digits()}:1@s.whatsapp.net` }, account: {} } : creds;
  }

  /** A telephone number that belongs to the name. */
  digits() {
    return [...this.name].map((letter) => letter.charCodeAt(0)).join('');
  }

  store() {
    if (this.folder) disk.files.set(path.join(this.folder, 'creds.json'), JSON.stringify(this.creds));
  }

  /** What the host does to have a connection. */
  async connect() {
    const { module } = this.world;
    if (this.folder) {
      await module.authState(async () => ({ state: { creds: this.creds } }), this.folder);
    }
    const auth = { creds: this.creds };
    const config = { auth: this.options.auth === false ? undefined : auth, agent: this.agent() };
    if (this.options.asks === false) delete config.agent;
    const make = (given) => this.makeSocket(given);
    const sock = module.socket(make, config);
    sock.ev.on('connection.update', (update) => this.hear(sock, update));
  }

  /** The host's own, a proxy's say: it makes the connection. */
  agent() {
    return { addRequest: (request) => request.dial() };
  }

  makeSocket(config) {
    const ev = new EventEmitter();
    const request = Object.assign(new EventEmitter(), { destroyed: false, protocol: 'https:' });
    const sock = { ev, request, dialled: false, ready: false, closed: false, generation: this.world.generation };
    sock.close = (error) => {
      if (sock.closed) return;
      sock.closed = true;
      if (!sock.dialled) {
        request.destroyed = true;
        process.nextTick(() => request.emit('close'));
      }
      ev.emit('connection.update', { connection: 'close', lastDisconnect: { error } });
      ev.removeAllListeners('connection.update');
    };
    sock.end = async (error) => {
      await null;
      sock.close(error);
    };
    sock.requestPairingCode = async () => {
      if (!sock.ready || sock.closed) throw boom(428);
      this.codes.asked += 1;
      return 'ABCD1234';
    };
    request.dial = () => {
      if (sock.closed || sock.generation !== this.world.generation) return;
      sock.dialled = true;
      this.dials.push(this.world.time());
      this.world.dials += 1;
    };
    this.socks.push(sock);
    process.nextTick(() => ev.emit('connection.update', { connection: 'connecting' }));
    if (this.options.asks !== false) config.agent.addRequest(request, {});
    return sock;
  }

  hear(sock, { connection, lastDisconnect }) {
    if (connection !== 'close' || sock.generation !== this.world.generation) return;
    this.heard.push(lastDisconnect?.error?.output?.statusCode);
    if (this.options.loop) void this.connect();
  }

  event(update) {
    if (update.qr) this.sock.ready = true;
    this.sock.ev.emit('connection.update', update);
  }

  /** Pairing comes to its end: the credentials that the socket has gain an account. */
  pair() {
    const { me, account } = this.makeCreds(this.name);
    Object.assign(this.creds, { me, account });
    this.store();
  }

  /** Another process links it anew. here: and this one loads what it wrote. */
  relink({ here }) {
    const fresh = this.makeCreds(this.name);
    if (here) this.creds = fresh;
    const file = path.join(this.folder, 'creds.json');
    disk.files.set(file, JSON.stringify(fresh));
  }

  askCode() {
    const { codes } = this;
    this.sock.requestPairingCode('15550001111').then(
      () => void (codes.given += 1),
      () => void (codes.failed += 1),
    );
  }
}

/** A process with any number of accounts, and those after it. */
export class World {
  constructor(newProcess) {
    this.newProcess = newProcess;
    this.root = process.cwd();
    this.accounts = new Map();
    this.logs = [];
    this.dials = 0;
    this.keys = 0;
    this.epoch = 0;
    this.generation = 0;
    this.boot();
    for (const level of ['log', 'info', 'warn', 'error']) {
      console[level] = (message) => void this.logs.push({ level, message: String(message) });
    }
  }

  time() {
    return this.epoch + clock.mono;
  }

  boot() {
    this.epoch += clock.mono;
    clock.mono = 0;
    clock.timers.clear();
    this.generation += 1;
    this.module = this.newProcess();
  }

  account(name, options = {}) {
    if (!this.accounts.has(name)) this.accounts.set(name, new Account(this, name, options));
    return this.accounts.get(name);
  }
}
