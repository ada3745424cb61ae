import * as http from 'http';
import * as https from 'https';

import { type Attempt, type Connection, type Gate } from './gate.js';
import { type GiveCode, end } from './gate.js';
import { dig, now } from './memory.js';
import { DELAY_MS, grown } from './policy.js';

// --- Sockets: each one's connection is held until its turn has come ---

interface Socket {
  end?: (error: Error) => unknown;
  ev?: Partial<Events>;
  requestPairingCode?: (...all: unknown[]) => unknown;
}

export interface Events {
  on: (event: string, heard: (update: unknown) => void) => unknown;
  emit: (event: string, ...rest: unknown[]) => boolean;
}

export class HeldSocket implements Connection {
  protected gate: Gate | undefined;
  protected attempt: Attempt | undefined;
  protected sock: Socket | undefined;
  protected isAsked = false;
  private codes: GiveCode[] = [];
  private isReady = false;

  make<C, S>(make: (config: C) => S, config: C): S {
    const agent = heldAgent(dig(config, 'agent'), this);
    const sock = make({ ...config, agent });
    this.watch(sock);
    return sock;
  }

  /** Baileys wants a connection. */
  ask(request: http.ClientRequest, dial: () => void): void {
    const { gate } = this;
    const granted = this.isAsked ? undefined : this.attempt;
    this.isAsked = true;
    if (granted?.state === 'running') dial();
    if (granted || !gate) return;
    this.codes.push(...(gate.codes.shift() ?? []));
    request.once('close', () => gate.proceed());
    gate.replayAt = now() + grown(DELAY_MS, gate.replays + 1);
    gate.enter({
      key: this.key(gate),
      isAlive: () => !request.destroyed && !this.isStale(),
      grant: (attempt) => {
        attempt.sock = this;
        this.attempt = attempt;
        gate.replays = 0;
        dial();
      },
      refuse: (code) => {
        gate.replays += 1;
        end(this, Number(code) || 401, 'as before');
      },
    });
  }

  /** Listens first: it learns of a close before the host's handler runs. */
  watch(made: unknown): void {
    const sock = made as Socket;
    this.sock = sock;
    if (!this.gate || !isObject(sock)) return;
    sock.ev?.on?.('connection.update', (update) => this.see(update));
    const ask = sock.requestPairingCode?.bind(sock);
    if (!ask || !this.isAsked) return;
    // Before the server is ready to pair, asking spoils the credentials.
    sock.requestPairingCode = async (...all) => {
      if (this.isReady) return ask(...all);
      const ready = await new Promise<Socket>((give) => {
        this.codes.push(give as GiveCode);
      });
      return ready.requestPairingCode?.(...all);
    };
  }

  end(error: Error): unknown {
    return this.sock?.end?.(error);
  }

  /** Of its request: the newest with this key stands for the others. */
  protected key(gate: Gate): unknown {
    return gate;
  }

  protected isStale(): boolean {
    return false;
  }

  protected see(update: unknown): void {
    const { attempt, gate, sock } = this;
    const isOver = dig(update, 'connection') === 'close';
    if (dig(update, 'qr')) this.isReady = true;
    if (this.isReady) for (const give of this.codes.splice(0)) give(sock);
    if (isOver && this.codes.length > 0) gate?.codes.push(this.codes);
    if (attempt) gate?.see(attempt, update);
  }
}

type Dials = Record<'addRequest', (...all: unknown[]) => void>;

function heldAgent(agent: unknown, held: HeldSocket): https.Agent {
  const own = isObject(agent) ? (agent as https.Agent) : undefined;
  const addRequest = (request: http.ClientRequest, ...rest: unknown[]) => {
    // WhatsApp is wss:, tests use ws: too.
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

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
