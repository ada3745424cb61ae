import { types } from 'util';

import { authState, socket } from '../channel/javascript/socket.js';

// --- Wrapping: the same exports, two functions of which are held ---

/** The agents of sockets that are held: their requests are let through. */
export const agents = new WeakSet();
const wrappers = new WeakMap();
let isAside = false;

/** A module that skillgen added to this bot's source does the same already. */
export function stepAside() {
  isAside = true;
}

export function isHeld(agent) {
  // The agent of a bot that is held in its source is a proxy.
  return isAside || agents.has(agent) || types.isProxy(agent);
}

/** The exports of Baileys, or of one of its modules, wrapped; once for each. */
export function wrapExports(found) {
  return wrappedOnce(found, () => {
    return new Proxy(found, { get: (_, name) => wrapped(found, name) });
  });
}

function wrapped(found, name) {
  const value = found[name];
  if (name === 'makeWASocket') return wrapMake(value);
  if (name === 'useMultiFileAuthState') return wrapAuthState(value);
  if (name !== 'default') return value;
  if (isExports(value)) return wrapExports(value);
  const { makeWASocket, initAuthCreds } = found;
  const isMake = value === makeWASocket || value?.name === 'makeWASocket';
  return isMake || initAuthCreds ? wrapMake(value) : value;
}

/** Exports within exports; an instance of a class would lose its privacy. */
function isExports(value) {
  if (typeof value !== 'object' || value === null) return false;
  const above = Object.getPrototypeOf(value);
  return above === null || above === Object.prototype;
}

function wrapMake(make) {
  if (typeof make !== 'function') return make;
  return wrappedOnce(make, () => {
    return new Proxy(make, {
      apply: (_, self, all) => makeHeld(make, self, all),
    });
  });
}

function makeHeld(make, self, [config, ...rest]) {
  const plain = (given, ...more) => Reflect.apply(make, self, [given, ...more]);
  if (isHeld(config?.agent)) return plain(config, ...rest);
  let isMade = false;
  const made = (given, ...more) => {
    isMade = true;
    if (given?.agent) agents.add(given.agent);
    return plain(given, ...more);
  };
  try {
    return socket(made, config, ...rest);
  } catch (error) {
    // What Baileys throws is the bot's; what we throw must not be.
    if (isMade) throw error;
    complain(error);
    return plain(config, ...rest);
  }
}

function wrapAuthState(use) {
  if (typeof use !== 'function') return use;
  return wrappedOnce(use, () => {
    const apply = (_, self, [folder, ...rest]) =>
      authState((given) => Reflect.apply(use, self, [given, ...rest]), folder);
    return new Proxy(use, { apply });
  });
}

function wrappedOnce(plain, wrap) {
  if (!wrappers.has(plain)) {
    const wrapper = wrap();
    wrappers.set(plain, wrapper);
    // Wrapped again, it stays what it is.
    wrappers.set(wrapper, wrapper);
  }
  return wrappers.get(plain);
}

export function complain(error) {
  try {
    console.error(`WhatsApp: not guarded: ${error?.stack ?? error}`);
  } catch {
    // A log line is not worth a bot.
  }
}
