'use strict';
/** Auto-stubs: modules and objects that survive being read, called, constructed and awaited. */

/** What a request of the fake Baileys does when it is let through. */
const DIAL = Symbol('dial');

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
        return thenable ? (resolve) => void resolve?.(stub(world, name)) : undefined;
      }
      if (key === 'toString' || key === 'toJSON' || key === 'valueOf') return () => '';
      if (key === 'prototype') return target.prototype;
      if (key === '__esModule') return undefined;
      if (key === 'length') return 0;
      if (key === 'catch' && thenable) return () => proxy;
      if (key === 'finally' && thenable) {
        return (run) => {
          run?.();
          return proxy;
        };
      }
      if (!members.has(key)) members.set(key, stub(world, `${name}.${key}`));
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
      return stub(world, `${name}()`, true);
    },
    construct() {
      return stub(world, name);
    },
    has: () => true,
    // esbuild's __toESM copies own names only and makes the rest reachable by prototype
    getPrototypeOf: () => (members.get('@proto') ?? proto(proxy)),
  });
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

module.exports = { DIAL, stub };
