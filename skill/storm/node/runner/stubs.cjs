'use strict';
/** Auto-stubs: modules and objects that survive being read, called, constructed and awaited. */

/** What a request of the fake Baileys does when it is let through. */
const DIAL = Symbol('dial');
const STUBS = new WeakSet();
const isStub = (value) => STUBS.has(value);

/** Told that a stand-in is ready, or closed, by the function that it is given last. */
const TELLS = /\.(listen|connect|close|authenticate)$/;
const HEARD = /^(open|ready|connect|connected|listening)$/;
/** Listens to a request, which has no network to go to. */
const REQUESTED = /^https?\.(get|request)\(\)(\.\w+\(\))*\.(on|once)$/;
const DATABASE =
  /^(better-sqlite3|sqlite3|pg|mysql2?|mongoose|mongodb|ioredis|redis|@redis|@prisma|level|sequelize|typeorm|keyv|quick\.db)\b/;
const FINDS = /\.(h?get|getItem|find(One|Unique|First|ByPk|ById)(OrNull)?)$/i;

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

/** A value that says that a database has no such record; undefined where another stand-in will do. */
function found(name) {
  if (!DATABASE.test(name)) return undefined;
  if (name.startsWith('better-sqlite3')) return /\.all$/.test(name) ? [] : undefined;
  return FINDS.test(name) ? Promise.resolve(null) : undefined;
}

/** Readers of a command line; none was given. */
const ARGUMENTS = /^(yargs(\/\w+)?|yargs-parser|minimist|mri|arg)(\.default)?(\(\))?(\..*)?$/;

/** What such a reader has read; undefined for the rest of its methods. */
function argumentsRead(name, called) {
  if (!ARGUMENTS.test(name)) return undefined;
  const read = called ? /(\.(parse|parseSync|parsed)|^(yargs-parser|minimist|mri|arg)(\.default)?)$/ : /\.argv$/;
  return read.test(name) ? { _: [], $0: 'bot' } : undefined;
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
      if (key === 'prototype') return target.prototype;
      if (key === '__esModule') return undefined;
      const fixed = Reflect.getOwnPropertyDescriptor(target, key);
      if (fixed && !fixed.configurable) return Reflect.get(target, key); // by the host
      if (key === 'length') return 0;
      if (key === 'catch' && thenable) return () => proxy;
      if (key === 'finally' && thenable) {
        return (run) => {
          run?.();
          return proxy;
        };
      }
      if (!members.has(key)) {
        const own = `${name}.${key}`;
        members.set(key, argumentsRead(own, false) ?? stub(world, own));
      }
      return members.get(key);
    },
    set(_target, key, value) {
      members.set(key, value);
      return true;
    },
    apply(_target, _self, args) {
      // A proxy's agent, say: asked for a connection, it makes it.
      args[0]?.[DIAL]?.();
      world.log(name, args);
      act(world, name, args);
      if (name === 'better-sqlite3.prepare().get') return undefined;
      return argumentsRead(name, true) ?? found(name) ?? stub(world, `${name}()`, true);
    },
    construct() {
      return stub(world, name);
    },
    has: () => true,
    // esbuild's helpers copy own names only and make the rest reachable by prototype
    getPrototypeOf: () => (members.get('@proto') ?? proto(proxy)),
  });
  STUBS.add(proxy);
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
