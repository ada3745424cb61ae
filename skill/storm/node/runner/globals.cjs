'use strict';
/** What a host's code sees of Node: virtual time, a fake process, real files, no network. */
const EventEmitter = require('node:events');
const fs = require('node:fs');
const { builtinModules, isBuiltin } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const realProcess = require('node:process');
const util = require('node:util');
const { EXIT, LONGEST_TIMER_MS, Timer, realNextTick } = require('./engine.cjs');
const { Boom, fakeBaileys } = require('./baileys.cjs');
const { clone } = require('./clone.cjs');
const { accountIn, elsewhere, opened } = require('./places.cjs');
const { DIAL, isStub, stub } = require('./stubs.cjs');

/** Real modules; what they do is local. */
const REAL = new Set(
  ('assert assert/strict async_hooks buffer constants crypto diagnostics_channel events path ' +
    'path/posix path/win32 punycode querystring stream stream/promises stream/web ' +
    'string_decoder sys url util util/types zlib').split(' '),
);
/** They write; a file that a scenario makes unwritable refuses them. */
const WRITES = /^(writeFile|appendFile|rename|copyFile|truncate|unlink|open)(Sync)?$/;
/** These use the event loop in ways that virtual time cannot see. */
const INERT_FS = new Set(['watch', 'watchFile', 'unwatchFile', 'createWriteStream']);

/** process.env; what is asked for is remembered, and what of it is not set. */
function settings(world) {
  return new Proxy({ ...world.environment }, {
    get(target, name) {
      world.asked.add(name);
      if (!(name in target)) world.unset.add(name);
      return target[name];
    },
    set(target, name, value) {
      target[name] = String(value);
      return true;
    },
  });
}

/** JSON.parse of what a stand-in gave gives it back. */
const VirtualJSON = Object.create(JSON, {
  parse: { value: (text, ...rest) => (isStub(text) ? text : JSON.parse(text, ...rest)), writable: true },
});

/** A path that a stand-in was to give. */
const pathOf = (one) => (isStub(one) ? 'stand-in' : one);
const virtualPath = (real) =>
  Object.fromEntries(
    Object.entries(real).map(([name, value]) => [
      name,
      typeof value === 'function' ? (...args) => value(...args.map(pathOf)) : value,
    ]),
  );
const PATHS = { path: virtualPath(path), 'path/posix': virtualPath(path.posix) };
for (const one of Object.values(PATHS)) Object.assign(one, { posix: one, default: one });

function makeGlobals(proc) {
  const { world } = proc;
  const base = world.now;
  const alive = () => {
    if (proc.dead) throw EXIT;
  };

  // timers
  const clamp = (ms) => (ms >= 1 && ms <= LONGEST_TIMER_MS ? Math.trunc(ms) : 1);
  const timer = (callback, ms, args, repeat) => {
    if (typeof callback !== 'function') throw new TypeError('callback must be a function');
    return new Timer(proc, callback, args, ms, repeat);
  };
  const setTimeout = (callback, ms, ...args) => timer(callback, clamp(+ms), args, false);
  const setInterval = (callback, ms, ...args) => timer(callback, clamp(+ms), args, true);
  const setImmediate = (callback, ...args) => timer(callback, 0, args, false);
  const clear = (handle) => {
    if (handle instanceof Timer) handle.cancel();
  };
  const sleep = (ms, value, options = {}) =>
    new Promise((resolve, reject) => {
      const { signal, ref = true } = options;
      const abort = () => {
        handle.cancel();
        const error = new Error('The operation was aborted', { cause: signal.reason });
        reject(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }));
      };
      const handle = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, ms);
      if (!ref) handle.unref();
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  const immediately = (value) => new Promise((resolve) => setImmediate(resolve, value));
  setTimeout[util.promisify.custom] = sleep;
  setImmediate[util.promisify.custom] = immediately;
  const timersPromises = {
    setTimeout: sleep,
    setImmediate: immediately,
    async *setInterval(ms, value) {
      for (;;) yield await sleep(ms, value);
    },
    scheduler: { wait: (ms, options) => sleep(ms, undefined, options), yield: immediately },
  };
  const timers = {
    setTimeout,
    setInterval,
    setImmediate,
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
    promises: timersPromises,
  };

  // clocks
  const VirtualDate = new Proxy(Date, {
    construct: (target, args, from) =>
      Reflect.construct(target, args.length ? args : [world.wall()], from),
    apply: (target) => new target(world.wall()).toString(),
    get: (target, key) => (key === 'now' ? () => world.wall() : target[key]),
  });
  const performance = {
    now: () => world.now - base,
    timeOrigin: world.wall(),
    mark() {},
    measure() {},
    toJSON: () => ({}),
  };
  const hrtime = (from) => {
    const ms = world.now - base;
    const pair = [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
    if (!from) return pair;
    const nanos = (pair[0] - from[0]) * 1e9 + pair[1] - from[1];
    return [Math.floor(nanos / 1e9), nanos % 1e9];
  };
  hrtime.bigint = () => BigInt(Math.round((world.now - base) * 1e6));
  const VirtualMath = (world.math ??= Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(Math),
    random: { value: world.random, writable: true, configurable: true },
  }));
  const VirtualAbortSignal = new Proxy(AbortSignal, {
    get(target, key) {
      if (key !== 'timeout') {
        const value = target[key];
        return typeof value === 'function' && key !== 'prototype' ? value.bind(target) : value;
      }
      return (ms) => {
        const controller = new AbortController();
        const reason = new DOMException('The operation timed out', 'TimeoutError');
        setTimeout(() => controller.abort(reason), ms).unref();
        return controller.signal;
      };
    },
  });

  // process
  const output = (level) => ({
    isTTY: false,
    fd: level === 'stderr' ? 2 : 1,
    columns: 80,
    write(text, ...rest) {
      world.log(level, [String(text)]);
      const done = rest.find((one) => typeof one === 'function');
      if (done) process.nextTick(done);
      return true;
    },
    on: () => {},
    once: () => {},
    off: () => {},
    end: () => {},
    emit: () => false,
    removeListener: () => {},
  });
  const listen = (name, listener, first) => {
    if (!proc.listeners.has(name)) proc.listeners.set(name, []);
    proc.listeners.get(name)[first ? 'unshift' : 'push'](listener);
    return process;
  };
  const forget = (name, listener) => {
    const own = proc.listeners.get(name) ?? [];
    const at = own.findIndex((one) => one === listener || one.listener === listener);
    if (at >= 0) own.splice(at, 1);
    return process;
  };
  const once = (name, listener) => {
    const wrapped = (...args) => {
      forget(name, listener);
      return listener(...args);
    };
    wrapped.listener = listener;
    return listen(name, wrapped);
  };
  const process = {
    argv: [realProcess.execPath, world.mainFile],
    argv0: 'node',
    execPath: realProcess.execPath,
    execArgv: [],
    env: settings(world),
    pid: proc.pid,
    ppid: 1,
    title: 'node',
    platform: 'linux',
    arch: 'x64',
    version: realProcess.version,
    versions: realProcess.versions,
    release: realProcess.release,
    features: {},
    config: {},
    get exitCode() {
      return proc.exitCode;
    },
    set exitCode(code) {
      proc.exitCode = code;
    },
    stdout: output('stdout'),
    stderr: output('stderr'),
    stdin: stub(world, 'stdin'),
    cwd: () => realProcess.cwd(),
    chdir: () => {},
    exit(code) {
      alive();
      proc.die(Number(code ?? proc.exitCode ?? 0));
      throw EXIT;
    },
    reallyExit(code) {
      process.exit(code);
    },
    abort() {
      proc.die(134, 'SIGABRT');
      throw EXIT;
    },
    kill(pid, signal = 'SIGTERM') {
      alive();
      const target = world.slots.find((slot) => slot.live && slot.proc.pid === pid)?.proc;
      if (!target) throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH', errno: -3 });
      if (signal !== 0) world.at(world.now, target, () => target.deliver(signal));
      return true;
    },
    nextTick: (callback, ...args) => realNextTick(() => proc.guard(() => callback(...args))),
    hrtime,
    uptime: () => (world.now - base) / 1000,
    memoryUsage: Object.assign(() => ({ rss: 5e7, heapTotal: 3e7, heapUsed: 2e7, external: 0 }), {
      rss: () => 5e7,
    }),
    cpuUsage: () => ({ user: 0, system: 0 }),
    resourceUsage: () => ({}),
    umask: () => 0o22,
    getuid: () => 1000,
    geteuid: () => 1000,
    getgid: () => 1000,
    emitWarning: (warning) => world.log('warning', [String(warning)]),
    on: (name, listener) => listen(name, listener),
    addListener: (name, listener) => listen(name, listener),
    prependListener: (name, listener) => listen(name, listener, true),
    once,
    off: forget,
    removeListener: forget,
    removeAllListeners(name) {
      if (name === undefined) proc.listeners.clear();
      else proc.listeners.delete(name);
      return process;
    },
    listeners: (name) => [...(proc.listeners.get(name) ?? [])],
    listenerCount: (name) => (proc.listeners.get(name) ?? []).length,
    emit(name, ...args) {
      const own = [...(proc.listeners.get(name) ?? [])];
      for (const listener of own) listener(...args);
      return own.length > 0;
    },
    setMaxListeners: () => process,
    setUncaughtExceptionCaptureCallback() {},
    binding: () => ({}),
  };

  const console = {};
  for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace', 'dir', 'table', 'group',
    'groupEnd', 'time', 'timeEnd', 'timeLog', 'count', 'assert', 'clear', 'groupCollapsed']) {
    console[level] = (...args) => {
      if (level !== 'assert') world.log(level, args);
    };
  }

  const logging = { ...console, Console: class { constructor() { return console; } } };
  console.Console = logging.Console;

  // The wppconnect version page that NanoClaw v2 scrapes, and any JSON answer, in one.
  const fetch = async (_url, options) => {
    if (proc.dead) return new Promise(() => {});
    options?.signal?.throwIfAborted?.();
    if (world.phase(1).lookup_fails) {
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo EAI_AGAIN') });
    }
    return {
      ok: true,
      status: 200,
      statusText: 'OK',
      headers: new Map(),
      text: async () => 'WhatsApp Web 2.3000.1027934701 "client_revision":1027934701',
      json: async () => ({ version: [2, 3000, 1027934701], currentVersion: '2.3000.1027934701' }),
      arrayBuffer: async () => new ArrayBuffer(0),
    };
  };

  const globals = {
    process,
    console,
    ...timers,
    Date: VirtualDate,
    Math: VirtualMath,
    JSON: VirtualJSON,
    performance,
    fetch,
    AbortSignal: VirtualAbortSignal,
    structuredClone: clone,
    queueMicrotask: (run) => queueMicrotask(() => proc.guard(run)),
    WebSocket: undefined,
  };
  delete globals.promises;
  // Defined, not assigned: globalThis.process and fetch have setters of their own.
  const globalObject = Object.create(globalThis);
  globals.globalThis = globals.global = shownAsVariables(proc, globalObject);
  for (const [key, value] of Object.entries(globals)) {
    Object.defineProperty(globalObject, key, { value, writable: true, configurable: true });
  }
  // Getters of Node's (crypto, navigator) want the real global object as their this.
  for (const key of GETTERS) {
    if (Object.hasOwn(globalObject, key)) continue;
    const set = (value) => Object.defineProperty(globalObject, key, { value, configurable: true });
    Object.defineProperty(globalObject, key, { get: () => globalThis[key], set, configurable: true });
  }
  proc.globals = globals;
  proc.builtins = { timers, 'timers/promises': timersPromises, perf_hooks: { performance }, process, console: logging };
  return globals;
}

const GETTERS = Object.entries(Object.getOwnPropertyDescriptors(globalThis))
  .filter(([, { get }]) => get)
  .map(([key]) => key);
const NODES_OWN = new Set(Object.getOwnPropertyNames(globalThis));
const shown = new Set();
let running = null; // the world whose processes run

/** Loaders of plugins ask this package about each, and it finds nothing. */
const NOTHING_WRONG = Object.assign(() => undefined, { default: () => undefined, __esModule: true });

/** Packages of event emitters: Node's own does what they do. */
const EMITTER = /(^|\/)(eventemitter[23]?|event-emitter|tiny-typed-emitter|typed-emitter)$/;

function Emitter() {
  EventEmitter.call(this);
}
Object.setPrototypeOf(Emitter, EventEmitter);
Object.setPrototypeOf(Emitter.prototype, EventEmitter.prototype);
Object.assign(Emitter.prototype, {
  emitAsync: async function emitAsync(...args) {
    return Promise.all(this.listeners(args[0]).map((listener) => listener.apply(this, args.slice(1))));
  },
  onAny() {
    return this;
  },
  offAny() {
    return this;
  },
});
Object.assign(Emitter, { __esModule: true, default: Emitter, EventEmitter: Emitter, EventEmitter2: Emitter,
  EventEmitter3: Emitter, TypedEmitter: Emitter });

/** What a bot sets on `global` is a variable everywhere; each process has its own. */
function shownAsVariables(proc, globalObject) {
  const { world } = proc;
  // What is assigned without a declaration ends with its process.
  for (const name of Object.keys(globalThis)) {
    if (!NODES_OWN.has(name) && !shown.has(name)) delete globalThis[name];
  }
  running = world;
  const show = (name) => {
    if (typeof name !== 'string' || name in globalThis) return;
    shown.add(name);
    Object.defineProperty(globalThis, name, {
      get: () => running.proc?.variables?.get(name),
      set: (value) => void (running.proc.globals.global[name] = value),
      configurable: true,
    });
  };
  const variables = (proc.variables = new Map());
  return new Proxy(globalObject, {
    set(target, name, value) {
      show(name);
      if (shown.has(name)) variables.set(name, value);
      if (!Reflect.getOwnPropertyDescriptor(target, name)) {
        Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
        return true;
      }
      return Reflect.set(target, name, value);
    },
    defineProperty(target, name, descriptor) {
      show(name);
      if (shown.has(name)) variables.set(name, descriptor.value);
      return Reflect.defineProperty(target, name, descriptor);
    },
  });
}

/** The fs of all processes: synchronous underneath, so that no real time passes; refuses the dead. */
function makeFs(world) {
  const moved = elsewhere(world);
  const watched = (name, args) => {
    moved(name, args);
    world.hostFiles?.bring(name, args);
    // Only a look at the host: where does it want its credentials?
    // Not in the project's own folder: a patch that knows no folder looks there, in vain.
    if (world.looking && typeof args[0] === 'string' && path.basename(args[0]) === 'creds.json') {
      const folder = path.relative(realProcess.cwd(), path.dirname(path.resolve(args[0])));
      if (folder) world.authFolders.add(folder);
    }
    if (/^(readdir|opendir)/.test(name)) accountIn(world, args[0]);
    if (!world.denied || !WRITES.test(name)) return;
    if (/^open/.test(name) && (args[1] === undefined || args[1] === 'r')) return;
    const file = args.slice(0, 2).find((one) => typeof one === 'string' && world.denied.test(one));
    if (file === undefined) return;
    const text = `EACCES: permission denied, ${name.replace('Sync', '')} '${file}'`;
    throw Object.assign(new Error(text), { code: 'EACCES', errno: -13, path: file });
  };
  const guarded = (name, work) => {
    const result = (...args) => {
      if (world.proc?.dead) throw EXIT;
      watched(name, args);
      return work(...args);
    };
    Object.defineProperty(result, 'name', { value: name });
    return result;
  };
  const promises = { constants: fs.constants };
  for (const [name, value] of Object.entries(fs.promises)) {
    if (typeof value !== 'function') continue;
    const direct = name === 'opendir' ? opened : fs[`${name}Sync`];
    promises[name] = async (...args) => {
      if (world.proc?.dead) return new Promise(() => {});
      await null;
      watched(name, args);
      if (direct) return direct(...args);
      world.pending += 1;
      try {
        return await value(...args);
      } finally {
        world.pending -= 1;
      }
    };
  }
  const facade = { ...fs, promises };
  for (const [name, value] of Object.entries(fs)) {
    if (typeof value !== 'function' || /^[A-Z]/.test(name)) continue;
    if (INERT_FS.has(name)) {
      facade[name] = () => stub(world, `fs.${name}`);
      continue;
    }
    if (name === 'createReadStream') {
      facade[name] = guarded(name, value);
      continue;
    }
    const direct = /^opendir(Sync)?$/.test(name) ? opened : name.endsWith('Sync') ? value : fs[`${name}Sync`];
    if (!direct) continue;
    facade[name] = name.endsWith('Sync')
      ? guarded(name, direct)
      : (...args) => {
          const { proc } = world;
          if (!proc || proc.dead) return;
          const done = args.pop();
          let answer;
          try {
            watched(name, args);
            answer = [name === 'exists' ? direct(...args) : null];
            if (name !== 'exists') answer.push(direct(...args));
          } catch (error) {
            answer = [error];
          }
          realNextTick(() => proc.guard(() => done(...answer)));
        };
  }
  facade.realpathSync = Object.assign(guarded('realpathSync', fs.realpathSync), {
    native: fs.realpathSync.native,
  });
  return facade;
}

/** What a name that is no file of the host's gives. isBaileys: whether it means Baileys or a fork. */
function makeRequire(world, isBaileys) {
  const files = makeFs(world);
  const home = world.environment.HOME;
  const system = { ...os, networkInterfaces: () => ({}), homedir: () => home, tmpdir: () => path.join(home, 'tmp'), hostname: () => 'storm' };
  const whatsapp = fakeBaileys(world);
  const boom = Object.assign(() => {}, { Boom, default: { Boom }, isBoom: Boom.isBoom });
  const node = {
    createRequire: (from) => world.proc.program.requireAt(from),
    builtinModules,
    isBuiltin,
  };
  const cache = new Map();
  return function load(name) {
    if (name.startsWith('capture:')) return captureRegistry(world);
    const bare = name.replace(/^node:/, '');
    if (isBaileys(bare)) return whatsapp;
    if (bare === '@hapi/boom') return boom;
    const own = world.proc.builtins[bare];
    if (own) return own;
    if (EMITTER.test(bare)) {
      world.standIns.add(bare);
      return Emitter;
    }
    if (bare === 'syntax-error') return NOTHING_WRONG;
    if (bare === 'fs') return files;
    if (bare === 'fs/promises') return files.promises;
    if (bare === 'os') return system;
    if (bare === 'module') return node;
    if (PATHS[bare]) return PATHS[bare];
    if (REAL.has(bare)) return require(`node:${bare}`);
    if (!cache.has(bare)) {
      if (!/^https?$/.test(bare)) world.standIns.add(bare); // the line before the run says there is no network
      cache.set(bare, stub(world, bare));
      const agent = { addRequest: (request) => request?.[DIAL]?.() };
      if (/^https?$/.test(bare)) cache.get(bare).globalAgent = agent;
    }
    return cache.get(bare);
  };
}

/** The channel registry of a host: what is registered is kept for the driver. */
function captureRegistry(world) {
  const rest = stub(world, 'registry');
  return new Proxy(function () {}, {
    get: (_target, key) =>
      typeof key === 'string' && key.startsWith('register')
        ? (...args) => world.proc.captured.push(args)
        : rest[key],
    getPrototypeOf: () => new Proxy({}, {
      get: (_target, key) =>
        typeof key === 'string' && key.startsWith('register')
          ? (...args) => world.proc.captured.push(args)
          : rest[key],
    }),
  });
}

module.exports = { makeGlobals, makeRequire };
