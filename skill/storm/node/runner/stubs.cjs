'use strict';
/** Auto-stubs: modules and objects that survive being read, called, constructed and awaited. */
const { answerTo } = require('./answers.cjs');
const { found } = require('./rows.cjs');
const { describe, validated } = require('./schemas.cjs');

/** What a request of the fake Baileys does when it is let through. */
const DIAL = Symbol('dial');
const STUBS = new WeakSet();
const isStub = (value) => STUBS.has(value);

/** Told that a stand-in is ready, or closed, by the function that it is given last. */
const TELLS = /\.(listen|connect|close|authenticate)$/;
const HEARD = /^(open|ready|connect|connected|listening)$/;
/** Listens to a request, which has no network to go to. */
const REQUESTED = /^https?\.(get|request)\(\)(\.\w+\(\))*\.(on|once)$/;
/** What a stand-in does beside giving another one: a server listens, a database has nothing yet. */
function act(world, name, args) {
  const last = args.at(-1);
  const { proc } = world;
  if (typeof last === 'function' && !STUBS.has(last) && proc && !proc.dead) {
    const gone = () => Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' });
    if (REQUESTED.test(name) && args[0] === 'error') {
      const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      proc.globals.setImmediate(() => last(refused));
    }
    if (/^child_process\.exec(File)?$/.test(name)) proc.globals.setImmediate(() => last(gone(), '', ''));
    if (/^child_process\..*\.(on|once)$/.test(name) && /^(error|exit|close)$/.test(args[0])) {
      proc.globals.setImmediate(() => last(args[0] === 'error' ? gone() : 127));
    }
    if (TELLS.test(name) || (/\.(on|once)$/.test(name) && HEARD.test(args[0]))) {
      proc.globals.setImmediate(() => last());
    }
  }
  // A server that listens keeps its process alive.
  if (proc && !proc.dead && name.endsWith('.listen')) proc.holds += 1;
}

/** Readers of a command line; none was given. */
const ARGUMENTS = /^(yargs(\/\w+)?|yargs-parser|minimist|mri|arg)(\.default)?(\(\))?(\..*)?$/;

/** What such a reader has read; undefined for the rest of its methods. */
function argumentsRead(name, called) {
  if (!ARGUMENTS.test(name)) return undefined;
  const read = called ? /(\.(parse|parseSync|parsed)|^(yargs-parser|minimist|mri|arg)(\.default)?)$/ : /\.argv$/;
  return read.test(name) ? { _: [], $0: 'bot' } : undefined;
}

/** The name of what a call gives: a table keeps its own. */
function called(name, [first]) {
  const named = /\.(model|define|collection|getRepository)$/.test(name) && /^\w+$/.test(first);
  return named ? `${name}.${first}` : `${name}()`;
}

/** What stands behind a call: a database, or a person at the terminal; undefined for the rest. */
function answered(world, name, self, args) {
  const asks = {
    ...world.help,
    asked: () => world.ask(name),
    gave: (what) => world.standIns.add(what),
    wiped: () => world.wipe(),
  };
  return found(name, STUBS.has(self) ? undefined : self, args, asks) ?? answerTo(world, name, args);
}

/** A switch of the settings that a host's main would hand over: for what the host can do without. */
const SWITCH = /enabled$/i;

/** False for such a switch, where a host does not dial otherwise. */
function switchedOff(world, name, key) {
  if (!SWITCH.test(key) || !/^host\b/.test(name)) return undefined;
  world.ask(name);
  if (!world.help.rows) return undefined;
  world.standIns.add(`${key}=false`);
  return false;
}

/**
 * A stub is callable and constructible, has every property, iterates over nothing and reads
 * as ''. The result of a call has a `then` that resolves at once (hosts write both
 * `await f()` and `f().then(…)`); every other stub has none, so `await import(…)` and a
 * returned object never hang. Calls are handed to world.log: loggers are stubs too.
 */
function stub(world, name, thenable = false) {
  const members = new Map();
  const target = function () {};
  const proxy = new Proxy(target, {
    get(_target, key) {
      if (key === Symbol.toPrimitive) return (hint) => (hint === 'number' ? 0 : '');
      if (key === Symbol.iterator) return () => [][Symbol.iterator]();
      if (key === Symbol.asyncIterator) return () => (async function* () {})();
      if (typeof key === 'symbol') return undefined;
      if (key === 'then') {
        return thenable ? (...own) => Promise.resolve(stub(world, name)).then(...own) : undefined;
      }
      if (key === 'toString' || key === 'toJSON' || key === 'valueOf') return () => '';
      if (key === 'prototype') return (members.get('@inherited') ?? inherited());
      if (key === '__esModule') return undefined;
      const fixed = Reflect.getOwnPropertyDescriptor(target, key);
      if (fixed && !fixed.configurable) return Reflect.get(target, key); // by the host
      if (key === 'length') return 0;
      if (key === 'call') return (self, ...args) => Reflect.apply(proxy, self, args);
      if (key === 'apply') return (self, args) => Reflect.apply(proxy, self, args ?? []);
      if (key === 'catch' && thenable) return () => proxy;
      if (key === 'finally' && thenable) {
        return (run) => {
          run?.();
          return proxy;
        };
      }
      if (!members.has(key)) {
        const own = `${name}.${key}`;
        members.set(key, argumentsRead(own, false) ?? switchedOff(world, name, key) ?? stub(world, own));
      }
      return members.get(key);
    },
    set(_target, key, value) {
      members.set(key, value);
      return true;
    },
    apply(_target, self, args) {
      // A proxy's agent, say: asked for a connection, it makes it.
      args[0]?.[DIAL]?.();
      world.log(name, args);
      act(world, name, args);
      if (name === 'better-sqlite3.prepare().get') return undefined;
      const read = validated(name, self, args);
      if (read) return read[0];
      const answer = argumentsRead(name, true) ?? answered(world, name, self, args);
      if (answer !== undefined) return answer;
      const made = stub(world, called(name, args), true);
      describe(name, self, args, made);
      return made;
    },
    construct(_target, _args, wanted) {
      return wanted === proxy ? stub(world, name) : Object.create(wanted.prototype);
    },
    has: () => true,
    // esbuild's helpers copy own names only and make the rest reachable by prototype
    getPrototypeOf: () => (members.get('@proto') ?? proto(proxy)),
  });
  STUBS.add(proxy);
  /** What a class of the host has from a stand-in that it extends: whatever it has not itself. */
  function inherited() {
    const made = new Proxy(target.prototype, {
      get: (own, key) => (key in own || key === 'then' || typeof key === 'symbol' ? own[key] : proxy[key]),
    });
    members.set('@inherited', made);
    return made;
  }
  function proto(of) {
    const made = new Proxy(Object.create(null), {
      get: (_target, key) => of[key],
      has: () => true,
      getPrototypeOf: () => null,
    });
    members.set('@proto', made);
    return made;
  }
  return proxy;
}

module.exports = { DIAL, isStub, stub };
