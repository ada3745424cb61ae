import * as Module from 'module';

import { Gate } from '../channel/javascript/gate.js';
import { UNLINKED, inOwnFolder } from '../channel/javascript/memory.js';
import { heldAgent } from '../channel/javascript/socket.js';
import { isHeld } from './wrap.js';

// --- Destination: connections of a Baileys without exports, as in a bundle ---

const WHATSAPP = /(^|\.)whatsapp\.(com|net)$/;

/** One for the process: nothing tells its accounts apart. */
class DestinationGate extends Gate {
  place() {
    return inOwnFolder('destination');
  }

  identify() {
    return UNLINKED;
  }

  introduce() {
    const why = 'Baileys is part of a bundle';
    const line = `${why}: only the number of its attempts is limited, whatever ended them.`;
    this.say('info', line);
  }
}

let gate;

function theGate() {
  if (gate) return gate;
  gate = new DestinationGate();
  gate.introduce();
  return gate;
}

const LIBRARY = /^(?:node:)?(https?)$/;
const heldLibraries = new Set();

/** Holds the WebSocket upgrades to WhatsApp that no other gate holds. */
export function holdDestination(name) {
  const library = LIBRARY.exec(name)?.[1];
  if (library === undefined || heldLibraries.has(library)) return;
  heldLibraries.add(library);
  const found = require(library);
  const apply = (request, self, all) =>
    Reflect.apply(request, self, heldOptions(all));
  found.request = new Proxy(found.request, { apply });
  Module.syncBuiltinESMExports();
}

function heldOptions(all) {
  try {
    const at = all.findIndex((given) => isOptions(given));
    const options = all[at];
    if (!options?.headers || !isUpgrade(options.headers)) return all;
    const { agent } = options;
    if (!WHATSAPP.test(hostOf(options, all[0])) || isHeld(agent)) return all;
    const own = typeof agent === 'object' && agent ? agent : undefined;
    const held = [...all];
    held[at] = { ...options, agent: heldAgent(own, { ask }) };
    return held;
  } catch {
    return all;
  }
}

function isOptions(given) {
  return typeof given === 'object' && given !== null && !(given instanceof URL);
}

function isUpgrade(headers) {
  const found = Object.entries(headers).find(([name]) =>
    /^upgrade$/i.test(name),
  );
  return /^websocket$/i.test(String(found?.[1]));
}

function hostOf(options, address) {
  const named = options.hostname ?? options.host;
  return named === undefined ? new URL(address).hostname : String(named);
}

/** WhatsApp's upgrade counts as open: what it says after that is encrypted. */
function ask(request, dial) {
  const gate = theGate();
  request.once('close', () => gate.proceed());
  gate.enter({
    key: request,
    isAlive: () => !request.destroyed,
    grant: (attempt) => {
      watch(request, attempt);
      dial();
    },
    refuse: () => request.destroy(new Error('held')),
  });
}

function watch(request, attempt) {
  const gate = theGate();
  const closed = (error) => {
    gate.see(attempt, { connection: 'close', lastDisconnect: { error } });
  };
  let isAnswered = false;
  request.once('upgrade', (_, stream) => {
    isAnswered = true;
    gate.see(attempt, { connection: 'open' });
    stream.once('close', () => closed());
  });
  // Baileys says nothing about an HTTP refusal; the deadline ends it.
  request.once('response', () => {
    isAnswered = true;
  });
  request.once('close', () => {
    if (!isAnswered) closed();
  });
  attempt.sock = {
    end: (error) => {
      closed(error);
      request.destroy(error);
      if (request.listenerCount('error') > 0) request.emit('error', error);
    },
  };
}
