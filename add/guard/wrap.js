import { types } from 'util';

import { authState, socket } from '../channel/javascript/accounts.js';
import { heldAgent } from '../channel/javascript/socket.js';

// --- Wrapping: the same exports, two functions of which are held ---

/** The agents of sockets that are held: their requests are let through. */
export const agents = new WeakSet();
const wrappers = new WeakMap();
const turns = new Set();
/** Loops of the bot's own that watch a socket made elsewhere. */
const loops = new Set();
const met = new WeakSet();

/**
 * A module that skillgen added to the bot's source has a gate of its own: the
 * socket that is made in a turn of that gate is neither held nor counted here.
 */
export function meet(found) {
  const gate = found?.Reconnect?.prototype;
  if (!gate || met.has(gate)) return;
  met.add(gate);
  const { turn, watch } = gate;
  if (typeof watch === 'function')
    gate.watch = function watched(...all) {
      loops.add(this);
      return Reflect.apply(watch, this, all);
    };
  // Modules of earlier versions.
  if (typeof turn === 'function')
    gate.turn = async function granted(...all) {
      const number = await Reflect.apply(turn, this, all);
      turns.add(this);
      return number;
    };
}

/** Uses up a turn that a gate of the bot's own has granted, if there is one. */
function takeTurn() {
  // It is used up when watch() is given the socket.
  for (const { offered } of loops) {
    if (offered?.state === 'running') return true;
  }
  for (const gate of turns) {
    turns.delete(gate);
    // One that ended before a socket was made is for nobody else.
    if (gate.attempt?.state !== 'over') return true;
  }
  return false;
}

export function isHeld(agent) {
  // The agent of a bot that is held in its source is a proxy.
  return agents.has(agent) || types.isProxy(agent);
}

/** The exports of Baileys, or of one of its modules, wrapped; once for each. */
export function wrapExports(found) {
  return wrappedOnce(found, () => {
    return new Proxy(found, {
      get: (_, name) => wrapped(found, name),
      // A fork may export the function itself, with all the rest on it.
      apply: (_, self, all) => makeHeld(found, self, all),
    });
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
  return typeof make === 'function' ? wrapExports(make) : make;
}

function makeHeld(make, self, [config, ...rest]) {
  const plain = (given, ...more) => Reflect.apply(make, self, [given, ...more]);
  if (isHeld(config?.agent)) return plain(config, ...rest);
  if (takeTurn()) return plain(letThrough(config), ...rest);
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

/** For the gate of destinations, too. */
function letThrough(config) {
  const own = typeof config?.agent === 'object' ? config.agent : undefined;
  const agent = heldAgent(own, { ask: (_, dial) => dial() });
  agents.add(agent);
  return { ...config, agent };
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
