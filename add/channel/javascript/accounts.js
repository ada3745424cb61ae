import * as http from 'http';
import { resolve } from 'path';

import { Gate, end } from './gate.js';
import { UNLINKED, beside, dig, hash, identityIn } from './memory.js';
import { identityOf, inOwnFolder, now, read } from './memory.js';
import { SPACING_MS } from './policy.js';
import { HeldSocket, isObject } from './socket.js';

// --- Accounts: each has a gate, found by the credentials of a socket ---

/**
 * As `make(config)`, but the socket waits for its turn to connect.
 * @type {<C, S>(make: (config: C) => S, config: C) => S}
 */
export function socket(make, config) {
  const creds = dig(config, 'auth', 'creds');
  if (!isObject(creds)) return make(config);
  return new AccountSocket(creds).make(make, config);
}

/**
 * Loads credentials with `use`, and remembers which folder they are from.
 * @type {<S>(use: (folder: string) => Promise<S>, folder: string) => Promise<S>}
 */
export async function authState(use, folder) {
  const found = await use(folder);
  const creds = dig(found, 'state', 'creds');
  if (isObject(creds)) folders.set(creds, folder);
  return found;
}

const folders = new WeakMap();
const gates = new Map();
let dialled = { at: 0 };

class AccountGate extends Gate {
  /** Those of the socket that asked last. */
  creds = {};

  place() {
    const folder = folders.get(this.creds);
    // Where a rewritten channel keeps it; else not among folders of accounts.
    const known = folder === undefined ? '' : beside(folder);
    return known && read(known) ? known : inOwnFolder(nameOf(this.creds));
  }

  identify() {
    return identityOf(this.creds);
  }

  grant(request) {
    dialled = { by: this, at: now() };
    super.grant(request);
  }

  bounds(verdict) {
    if (verdict) return super.bounds(verdict);
    const at = dialled.by === this ? 0 : dialled.at;
    return { ...super.bounds(verdict), 'another account': at + SPACING_MS };
  }

  /** Unfinished pairings are paced; no verdict on one is for the others. */
  verdictOn(attempt, code) {
    const isNew = attempt.identity === UNLINKED;
    return isNew ? undefined : super.verdictOn(attempt, code);
  }

  /** A number that was just paired goes on from what was seen so far. */
  inherit({ memory }) {
    this.recall();
    const { attempts, identity, verdict } = this.memory;
    const all = { ...attempts, ...memory.attempts };
    this.remember({ ...memory, attempts: all, identity, verdict });
  }
}

/** Before it is paired, each start may make new keys: those share a gate. */
function nameOf(creds) {
  const folder = folders.get(creds);
  if (folder !== undefined) return hash(resolve(folder));
  const number = /^\d+/.exec(String(dig(creds, 'me', 'id')))?.[0];
  return number && dig(creds, 'account') ? hash(number) : UNLINKED;
}

function gateOf(creds) {
  const name = nameOf(creds);
  const gate = gates.get(name) ?? new AccountGate();
  gates.set(name, gate);
  gate.creds = creds;
  return gate;
}

class AccountSocket extends HeldSocket {
  creds;

  constructor(creds) {
    super();
    this.creds = creds;
  }

  ask(request, dial) {
    this.gate = gateOf(this.creds);
    if (this.sock) this.watch(this.sock);
    super.ask(request, dial);
  }

  key(gate) {
    const isNew = nameOf(this.creds) === UNLINKED;
    return isNew ? dig(this.creds, 'noiseKey') : gate;
  }

  see(update) {
    super.see(update);
    const { gate } = this;
    if (dig(update, 'connection') !== 'close' || !gate) return;
    const named = gateOf(this.creds);
    if (named !== gate) named.inherit(gate);
  }

  /** While it was held, somebody has linked the bot anew elsewhere. */
  isStale() {
    const folder = folders.get(this.creds);
    const there = folder === undefined ? '' : identityIn(folder);
    const isSame = ['', UNLINKED, identityOf(this.creds)].includes(there);
    if (!isSame) end(this, 428, 'linked anew while it waited');
    return !isSame;
  }
}
