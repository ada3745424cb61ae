'use strict';
/**
 * A fake Baileys: same exports, same order of events, no network.
 *
 * What real Baileys does was seen with 7.0.0-rc14 and 6.7.24 against a server on loopback:
 * `connecting` on the next tick; one close per socket, after which its connection.update
 * listeners are gone; an HTTP refusal at upgrade brings no close by itself, and one at end().
 */
const { EventEmitter } = require('node:events');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { EXIT, realNextTick } = require('./engine.cjs');
const { DIAL, stub } = require('./stubs.cjs');

const REASONS = {
  connectionClosed: 428,
  connectionLost: 408,
  connectionReplaced: 440,
  timedOut: 408,
  loggedOut: 401,
  badSession: 500,
  restartRequired: 515,
  multideviceMismatch: 411,
  forbidden: 403,
  unavailableService: 503,
};
const DisconnectReason = { ...REASONS };
for (const [name, code] of Object.entries(REASONS)) DisconnectReason[code] = name;

const MESSAGES = {
  401: 'Connection Failure',
  403: 'Connection Failure',
  402: 'Connection Failure',
  405: 'Connection Failure',
  408: 'WebSocket Error (connect ECONNRESET)',
  428: 'Connection Terminated',
  440: 'Stream Errored (conflict)',
  503: 'Stream Errored (unavailable)',
  515: 'Stream Errored (restart required)',
};

class Boom extends Error {
  constructor(message, options = {}) {
    if (message instanceof Boom) return message;
    super(message instanceof Error ? message.message : message);
    const statusCode = options.statusCode ?? message?.output?.statusCode ?? 500;
    this.isBoom = true;
    this.isServer = statusCode >= 500;
    this.data = options.data ?? null;
    const payload = { statusCode, error: 'Error', message: this.message };
    this.output = { statusCode, payload, headers: {} };
  }

  static isBoom(value) {
    return Boolean(value && value.isBoom);
  }
}

/** code null: an error without output, as after a frame of garbage; 0: no error at all. */
function failure(code, data) {
  if (code === 0) return undefined;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // a storm makes 144,000 of them, and nobody reads their stacks
  const error =
    code === null
      ? new Error('Invalid frame')
      : new Boom(MESSAGES[code] ?? 'Connection Failure', { statusCode: code, data });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

const BufferJSON = {
  replacer: (_key, value) => {
    if (Buffer.isBuffer(value) || value instanceof Uint8Array || value?.type === 'Buffer') {
      return { type: 'Buffer', data: Buffer.from(value?.data ?? value).toString('base64') };
    }
    return value;
  },
  reviver: (_key, value) => {
    if (typeof value === 'object' && value && value.type === 'Buffer') {
      return typeof value.data === 'string' ? Buffer.from(value.data, 'base64') : Buffer.from(value.data);
    }
    return value;
  },
};

function initAuthCreds() {
  const random = crypto.randomBytes(64 * 5);
  let at = 0;
  const bytes = (count) => random.subarray(at, (at += count));
  const keyPair = () => ({ private: bytes(32), public: bytes(32) });
  return {
    noiseKey: keyPair(),
    signedIdentityKey: keyPair(),
    signedPreKey: { keyPair: keyPair(), signature: bytes(64), keyId: 1 },
    registrationId: crypto.randomInt(1, 16380),
    advSecretKey: bytes(32).toString('base64'),
    nextPreKeyId: 1,
    firstUnuploadedPreKeyId: 1,
    accountSyncCounter: 0,
    accountSettings: { unarchiveChats: false },
    registered: false,
    pairingCode: undefined,
    lastPropHash: undefined,
    routingInfo: undefined,
  };
}

/** The same link in other bytes, as Baileys rewrites it all the time. */
function rewritten(text) {
  const creds = JSON.parse(text, BufferJSON.reviver);
  creds.nextPreKeyId += 30;
  creds.accountSyncCounter += 1;
  return JSON.stringify(creds, BufferJSON.replacer, 1);
}

/** The text of a creds.json; that of a bot that is not linked is what a pairing leaves behind. */
function credsText(linked) {
  const me = { id: '15550001111:7@s.whatsapp.net', lid: '99887766:7@lid', name: 'Bot' };
  const creds = initAuthCreds();
  return JSON.stringify(linked ? { ...creds, registered: true, account: {}, me } : creds, BufferJSON.replacer);
}

/** Baileys' event buffer without the buffering: listeners hang on one 'event' each. */
class Events {
  constructor() {
    const emitter = (this.emitter = new EventEmitter());
    emitter.setMaxListeners(0);
    emitter.on('event', (map) => {
      for (const name of Object.keys(map)) emitter.emit(name, map[name]);
    });
    for (const name of [
      'on', 'off', 'once', 'addListener', 'removeListener', 'removeAllListeners',
      'listenerCount', 'listeners', 'setMaxListeners', 'prependListener',
    ]) {
      this[name] = (...args) => emitter[name](...args);
    }
    this.emit = (name, data) => emitter.emit('event', { [name]: data });
    this.process = (handler) => {
      const listener = async (map) => {
        await handler(map);
      };
      emitter.on('event', listener);
      return () => emitter.off('event', listener);
    };
    this.buffer = () => {};
    this.flush = () => false;
    this.isBuffering = () => false;
    this.createBufferedFunction = (work) => work;
    this.destroy = () => emitter.removeAllListeners();
  }
}

/** The socket, and its dial: at once, or when the config's agent lets the connection through. */
function createSocket(world, proc, config) {
  let phase;
  let does = { kind: 'held' };
  const request = Object.assign(new EventEmitter(), { destroyed: false, protocol: 'https:' });
  const ev = new Events();
  const creds = config?.auth?.creds ?? {};
  let closed = false;
  let open = false;
  let holding = false; // a connection that waits for its agent keeps no process alive

  const release = () => {
    if (open) {
      proc.openSockets -= 1;
      world.sockets.delete(seat);
    }
    if (holding) proc.holds -= 1;
    open = holding = false;
    if (phase) return;
    request.destroyed = true;
    realNextTick(() => proc.guard(() => request.emit('close')));
  };
  // Two clients of one account: the server closes the older one.
  const seat = { proc, give: () => drop(failure(440)) };
  const later = (seconds, run) => {
    world.at(world.now + seconds * 1000, proc, () => closed || run());
  };
  const emitClose = (error) => {
    ev.emit('connection.update', {
      connection: 'close',
      lastDisconnect: { error, date: new Date(world.wall()) },
    });
    ev.removeAllListeners('connection.update');
  };
  const drop = (error) => {
    if (closed) return;
    closed = true;
    release();
    emitClose(error);
  };
  const end = async (error) => {
    if (closed || proc.dead) return;
    closed = true;
    release();
    await null;
    proc.guard(() => emitClose(error));
  };
  const call = (answer) => async () => {
    if (proc.dead) return new Promise(() => {});
    if (!open) throw new Boom('Connection Closed', { statusCode: 428 });
    return answer();
  };
  let messages = 0;
  const known = {
    ev,
    user: undefined,
    authState: config?.auth,
    type: 'md',
    end,
    logout: async () => {
      if (closed) throw new Boom('Connection Closed', { statusCode: 428 });
      await end(new Boom('Intentional Logout', { statusCode: 401 }));
    },
    ws: {
      get isOpen() {
        return open;
      },
      get isClosed() {
        return closed;
      },
      get isConnecting() {
        return !open && !closed;
      },
      on() {},
      off() {},
      removeAllListeners() {},
      close: () => end(undefined),
    },
    sendMessage: call(() => {
      messages += 1;
      return { key: { id: `M${messages}`, fromMe: true }, message: {} };
    }),
    groupFetchAllParticipating: call(() => ({})),
    groupMetadata: call(() => ({ id: 'g@g.us', subject: 'g', participants: [] })),
    requestPairingCode: async () => 'ABCD1234',
    signalRepository: { lidMapping: { getPNForLID: async () => null, getLIDForPN: async () => null } },
    waitForSocketOpen: async () => {},
    waitForConnectionUpdate: (check) =>
      new Promise((resolve, reject) => {
        ev.on('connection.update', async (update) => {
          if (update.connection === 'close') reject(update.lastDisconnect?.error);
          else if (await check(update)) resolve();
        });
      }),
  };
  const sock = new Proxy(known, {
    get(target, name) {
      if (name in target || typeof name === 'symbol' || name === 'then') return target[name];
      return (target[name] = call(() => undefined));
    },
  });

  realNextTick(() =>
    proc.guard(() =>
      ev.emit('connection.update', { connection: 'connecting', receivedPendingNotifications: false }),
    ),
  );
  const dial = () => {
    if (closed || phase) return;
    world.attempts.push(world.now);
    phase = world.phase();
    does = phase.does;
    holding = does.kind !== 'silent' || does.holds_process;
    if (holding) proc.holds += 1;
    if (does.kind === 'close') {
      later(does.after_s, () => drop(failure(does.code, does.data)));
    } else if (does.kind === 'qr') {
      later(does.after_s, () => {
        ev.emit('connection.update', { qr: '2@skillgen,storm,qr' });
        later(does.lasts_s, () => drop(new Boom('QR refs attempts ended', { statusCode: 408 })));
      });
    } else if (does.kind === 'open') {
      later(does.after_s, () => {
        const me = creds.me ?? { id: '15550001111:7@s.whatsapp.net', lid: '99887766:7@lid' };
        ev.emit('creds.update', { me });
        known.user = me;
        open = true;
        proc.openSockets += 1;
        for (const { proc: other, give } of world.sockets) {
          if (other !== proc) world.at(world.now, other, give);
        }
        world.sockets.add(seat);
        world.opens.push(world.now);
        ev.emit('connection.update', { connection: 'open' });
        if (proc.dead) return;
        world.noteReady(proc);
        const same = () => world.phase() === phase;
        if (does.close_after_s !== null) {
          later(does.close_after_s, () => same() && drop(failure(does.code, does.data)));
        }
        if (does.kill_after_s !== null) {
          world.at(world.now + does.kill_after_s * 1000, proc, () => same() && proc.die(1));
        }
      });
    }
  };
  // Node asks the agent while the request is made, and so does ws.
  request[DIAL] = dial;
  const ask = config?.agent?.addRequest;
  if (typeof ask === 'function') Reflect.apply(ask, config.agent, [request, { host: 'web.whatsapp.com' }]);
  else dial();
  return sock;
}

/** The module that `@whiskeysockets/baileys` and `baileys` become: callable, as ES interop needs. */
function fakeBaileys(world) {
  let parsed = { text: null, creds: null };
  let made = null; // the folder that is there; 72,000 calls to make it take a second
  const live = () => {
    if (world.proc.dead) throw EXIT;
    return world.proc;
  };
  const lookup = async () => {
    if (world.proc.dead) return new Promise(() => {});
    if (world.phase(1).lookup_fails) throw new Error('getaddrinfo EAI_AGAIN web.whatsapp.com');
    return { version: [2, 3000, 1027934701], isLatest: true };
  };

  function makeWASocket(config) {
    const proc = live();
    const next = world.phase(1).does.kind;
    if (next === 'throw') {
      // It never gets as far as a request: WhatsApp hears nothing of a dial that a gate holds.
      if (!config?.agent) world.attempts.push(world.now);
      throw new Error('getaddrinfo EAI_AGAIN web.whatsapp.com');
    }
    return createSocket(world, proc, config);
  }

  async function useMultiFileAuthState(folder) {
    if (world.proc.dead) return new Promise(() => {});
    world.runs.push(world.now);
    world.authFolders.add(path.relative(process.cwd(), path.resolve(folder)));
    if (made !== folder) fs.mkdirSync((made = folder), { recursive: true });
    const file = path.join(folder, 'creds.json');
    let creds;
    let text = null;
    try {
      text = fs.readFileSync(file, 'utf8');
      if (text !== parsed.text) parsed = { text, creds: JSON.parse(text, BufferJSON.reviver) };
      creds = { ...parsed.creds };
    } catch {
      creds = initAuthCreds(); // nothing linked, or not readable: as in Baileys
    }
    const state = { creds, keys: { get: async () => ({}), set: async () => {}, clear: async () => {} } };
    const proc = world.proc;
    const saveCreds = async () => {
      if (proc.dead) return;
      world.saves += 1;
      const next = JSON.stringify(creds, BufferJSON.replacer);
      // An unchanged text is not written again: 57,601 writes would take a minute.
      if (next === text && fs.existsSync(file)) return;
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(file, (text = next));
    };
    return { state, saveCreds };
  }

  const browser = (name) => (kind) => [name, kind, '14.4.1'];
  Object.assign(makeWASocket, {
    __esModule: true,
    default: makeWASocket,
    makeWASocket,
    useMultiFileAuthState,
    DisconnectReason,
    BufferJSON,
    Boom,
    initAuthCreds: () => (world.stored ? { ...world.stored } : initAuthCreds()),
    fetchLatestWaWebVersion: lookup,
    fetchLatestBaileysVersion: lookup,
    makeCacheableSignalKeyStore: (keys) => keys,
    normalizeMessageContent: (content) => content,
    jidNormalizedUser: (jid) => jid,
    isJidGroup: (jid) => String(jid).endsWith('@g.us'),
    delay: (ms) => new Promise((resolve) => world.proc.globals.setTimeout(resolve, ms)),
    Browsers: {
      macOS: browser('Mac OS'),
      ubuntu: browser('Ubuntu'),
      windows: browser('Windows'),
      baileys: browser('Baileys'),
      appropriate: browser('Ubuntu'),
    },
  });
  Object.setPrototypeOf(makeWASocket, stub(world, 'baileys'));
  return makeWASocket;
}

module.exports = { Boom, BufferJSON, credsText, fakeBaileys, rewritten };
