import * as http from 'http';
import * as https from 'https';
import { resolve } from 'path';

import { type Attempt, type Bounds, type Socket } from './gate.js';
import { Gate, end } from './gate.js';
import { UNLINKED, beside, dig, hash, identityIn } from './memory.js';
import { identityOf, inOwnFolder, now, read } from './memory.js';
import { DELAY_MS, SPACING_MS, grown } from './policy.js';

// --- Sockets: the dial itself is held until its turn has come ---

/** Makes a socket as `make(config)` does, whose dial waits for its turn. */
export function socket<C, S>(make: (config: C) => S, config: C): S {
  const creds = dig(config, 'auth', 'creds');
  if (!isObject(creds)) return make(config);
  const held = new HeldSocket(creds);
  const agent = heldAgent(dig(config, 'agent'), held);
  const sock = make({ ...config, agent });
  held.watch(sock as Socket);
  return sock;
}

type GiveCode = (ready: Socket) => void;
type Use<S> = (folder: string) => Promise<S>;

/** Loads credentials with `use`, and remembers which folder they are from. */
export async function authState<S>(use: Use<S>, folder: string): Promise<S> {
  const found = await use(folder);
  const creds = dig(found, 'state', 'creds');
  if (isObject(creds)) folders.set(creds, folder);
  return found;
}

const folders = new WeakMap<object, string>();
const gates = new Map<string, AccountGate>();
let dialled: { by?: Gate; at: number } = { at: 0 };

class AccountGate extends Gate {
  /** Those of the socket that asked last. */
  creds: object = {};
  replays = 0;
  replayAt = 0;
  /** Calls for a pairing code, by sockets that have ended. */
  readonly codes: GiveCode[][] = [];

  protected place(): string {
    const folder = folders.get(this.creds);
    // Where a rewritten channel keeps it; else not among folders of accounts.
    const known = folder === undefined ? '' : beside(folder);
    return known && read(known) ? known : inOwnFolder(nameOf(this.creds));
  }

  protected identify(): string {
    return identityOf(this.creds);
  }

  protected override bounds(verdict: string | undefined): Bounds {
    // A loop that redials a dead session spins slowly, on nothing.
    if (verdict) return { [verdict]: this.replayAt };
    const at = dialled.by === this ? 0 : dialled.at;
    return { ...super.bounds(verdict), 'another account': at + SPACING_MS };
  }

  /** Unfinished pairings are paced; no verdict on one is for the others. */
  protected override verdictOn(attempt: Attempt, code: string) {
    const isNew = attempt.identity === UNLINKED;
    return isNew ? undefined : super.verdictOn(attempt, code);
  }

  /** A number that was just paired goes on from what was seen so far. */
  inherit({ memory }: AccountGate): void {
    this.recall();
    const { attempts, identity, verdict } = this.memory;
    const all = { ...attempts, ...memory.attempts };
    this.remember({ ...memory, attempts: all, identity, verdict });
  }
}

/** Before it is paired, each start may make new keys: those share a gate. */
function nameOf(creds: object): string {
  const folder = folders.get(creds);
  if (folder !== undefined) return hash(resolve(folder));
  const number = /^\d+/.exec(String(dig(creds, 'me', 'id')))?.[0];
  return number && dig(creds, 'account') ? hash(number) : UNLINKED;
}

function gateOf(creds: object): AccountGate {
  const name = nameOf(creds);
  const gate = gates.get(name) ?? new AccountGate();
  gates.set(name, gate);
  gate.creds = creds;
  return gate;
}

class HeldSocket {
  private readonly creds: object;
  private sock: Socket | undefined;
  private gate: AccountGate | undefined;
  private attempt: Attempt | undefined;
  private codes: GiveCode[] = [];
  private isReady = false;

  constructor(creds: object) {
    this.creds = creds;
  }

  /** Baileys wants a connection. */
  ask(request: http.ClientRequest, dial: () => void): void {
    const { creds } = this;
    const gate = gateOf(creds);
    this.gate = gate;
    if (this.sock) this.watch(this.sock);
    this.codes.push(...(gate.codes.shift() ?? []));
    request.once('close', () => gate.proceed());
    gate.replayAt = now() + grown(DELAY_MS, gate.replays + 1);
    gate.enter({
      key: nameOf(creds) === UNLINKED ? dig(creds, 'noiseKey') : gate,
      isAlive: () => !request.destroyed && !this.isStale(),
      grant: (attempt) => {
        attempt.sock = { end: (error) => this.sock?.end?.(error) };
        this.attempt = attempt;
        gate.replays = 0;
        dialled = { by: gate, at: now() };
        dial();
      },
      refuse: (code) => {
        gate.replays += 1;
        end(this.sock, Number(code) || 401, 'as before');
      },
    });
  }

  /** The first to listen, to sockets that ask only: a test's mock does not. */
  watch(sock: Socket): void {
    this.sock = sock;
    if (!this.gate || !isObject(sock)) return;
    sock.ev?.on?.('connection.update', (update) => this.see(sock, update));
    const ask = sock.requestPairingCode?.bind(sock);
    if (!ask) return;
    // Before the server is ready to pair, asking spoils the credentials.
    sock.requestPairingCode = async (...all) => {
      if (this.isReady) return ask(...all);
      const ready = await new Promise<Socket>((give) => {
        this.codes.push(give);
      });
      return ready.requestPairingCode?.(...all);
    };
  }

  private see(sock: Socket, update: unknown): void {
    const { attempt, gate } = this;
    const isOver = dig(update, 'connection') === 'close';
    if (dig(update, 'qr')) this.isReady = true;
    if (this.isReady) for (const give of this.codes.splice(0)) give(sock);
    if (isOver && this.codes.length > 0) gate?.codes.push(this.codes);
    if (!gate || !attempt) return;
    gate.see(attempt, update);
    const named = isOver ? gateOf(this.creds) : gate;
    if (named !== gate) named.inherit(gate);
  }

  /** While it was held, somebody has linked the bot anew elsewhere. */
  private isStale(): boolean {
    const folder = folders.get(this.creds);
    const there = folder === undefined ? '' : identityIn(folder);
    const isSame = ['', UNLINKED, identityOf(this.creds)].includes(there);
    if (!isSame) end(this.sock, 428, 'linked anew while it waited');
    return !isSame;
  }
}

type Dials = Record<'addRequest', (...all: unknown[]) => void>;

function heldAgent(agent: unknown, held: HeldSocket): https.Agent {
  const own = isObject(agent) ? (agent as https.Agent) : undefined;
  const addRequest = (request: http.ClientRequest, ...rest: unknown[]) => {
    // WhatsApp is wss:, tests dial ws: too.
    const library = request.protocol === 'http:' ? http : https;
    const inner = (own ?? library.globalAgent) as unknown as Dials;
    held.ask(request, () => inner.addRequest(request, ...rest));
  };
  return new Proxy(own ?? https.globalAgent, {
    get(target, name) {
      if (name === 'addRequest') return addRequest;
      if (name === 'protocol' && !own) return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
