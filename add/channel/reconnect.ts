// Added by skillgen 0.0.0 (sha256 of the rest: 0000000000000000)
//
// When this bot may dial WhatsApp, and when it must not. Attempts that
// repeat too fast get a number blocked, then banned. So every attempt passes
// a gate that keeps count in a file: the count survives restarts, whatever
// loop or supervisor there is around it.
//
//   turn()     the gate: waits, counts, hands out the attempt's number
//   observe()  the eye: sees how the attempt ends, and decides what is next
//   dial()     runs the connect function until the link can come up
//   stop()     ends all of it
//
// All waiting is in turn(). State is per instance.
import { createHash, randomUUID } from 'crypto';
import * as fs from 'fs';
import { basename, dirname, join } from 'path';

type Kind = 'auth' | 'restart' | 'blocked' | 'replaced' | 'transient';

// skillgen: policy begins (rendered from skill/policy.py; do not edit)
const DELAY_MS = 5_000;
const DELAY_CAP_MS = 300_000;
const HOLD_MS = 300_000;
const HOLD_CAP_MS = 3_600_000;
const EXPIRY_CAP_MS = 2_592_000_000;
const FACTOR = 2;
const JITTER = 0.2;
const RESET_MS = 300_000;
const BUDGET = 20;
const BUDGET_MS = 3_600_000;
const RESTARTS = 3;
const SETTLE_MS = 2_000;
const UNFLUSHED_MS = 15_000;
const UNWRITABLE_MS = 60_000;
const CORRUPT_LEVEL = 3;
const AHEAD_MS = 3_600_000;
const DOWN_MS = 86_400_000;
const DOWN_DELAY_MS = 3_600_000;
const PROBE_MS = 86_400_000;
const LATE_MS = 25_000;
const UPTIME_MS = 30_000;
const RECHECK_MS = 60_000;
const VERSION = 1;
const DEADLINES_MS = [60_000, 120_000, 180_000];
const KINDS: Record<string, Kind> = {
  400: 'blocked',
  401: 'auth',
  402: 'blocked',
  403: 'auth',
  405: 'blocked',
  406: 'auth',
  409: 'blocked',
  411: 'auth',
  418: 'blocked',
  429: 'blocked',
  440: 'replaced',
  501: 'blocked',
  515: 'restart',
  logout: 'auth',
  qr: 'auth',
  unlinked: 'auth',
  unpaired: 'auth',
};
const MEANINGS: Record<string, string> = {
  400: 'refused',
  401: 'logged out: this device was removed',
  402: 'temporarily banned',
  403: 'account locked',
  405: 'client outdated',
  406: 'account banned',
  408: 'timed out',
  409: 'client refused',
  411: 'not a multi-device account',
  418: 'client unknown',
  428: 'connection closed',
  429: 'too many requests',
  440: 'another client took this session',
  500: 'server error or bad session',
  501: 'refused',
  503: 'service unavailable',
  515: 'restart required',
  budget: 'the attempts of this hour are used up',
  closed: 'closed without a code',
  corrupt: 'the memory file is damaged',
  deadline: 'no answer in time',
  dial: 'the connect function failed',
  logout: 'logged out by the bot itself',
  qr: 'a QR code was asked for: this link is gone',
  started: 'an attempt was made just now',
  superseded: 'a new connection was asked for',
  unlinked: 'not linked yet',
  unpaired: 'pairing was not completed',
  unwritable: 'the memory file cannot be written',
};
const ADVICE: Record<string, string> = {
  401: 'Link the bot again with its WhatsApp setup.',
  402: 'Leave the number alone until then.',
  403: 'Look at WhatsApp on the phone first, then link the bot again.',
  405: 'Update @whiskeysockets/baileys.',
  406: 'Look at WhatsApp on the phone first, then link the bot again.',
  411: 'Update WhatsApp on the phone, then link the bot again.',
  440: 'Stop the other client.',
  logout: 'Link the bot again with its WhatsApp setup.',
  qr: 'Link the bot again with its WhatsApp setup.',
  unlinked: 'Link the bot with its WhatsApp setup.',
  unpaired: 'Start the bot again for a new code.',
};
// skillgen: policy ends

export interface ReconnectOptions {
  /** The folder with creds.json, as given to useMultiFileAuthState. */
  authDir: string | (() => string);
  /** Always called with one string. */
  logger: {
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  };
  /** false: this process cannot pair, so a QR code ends it. */
  pairing?: boolean;
}

/** What is read of Baileys' connection.update event. */
export interface Update {
  connection?: string | null | undefined;
  lastDisconnect?: { error?: unknown; date?: unknown } | null | undefined;
  qr?: string | null | undefined;
}

export interface DialHooks {
  /** No attempt will be made any more, and no event will say so. */
  stopped?: (reason: Error) => void;
  /** The link is not up in time: the host should not wait for it. */
  late?: () => void;
}

/** No attempt is allowed: the verdict is final, or stop() was called. */
export class ReconnectStopped extends Error {
  override readonly name = 'ReconnectStopped';
}

/** The file. Times are milliseconds since 1970, 0 for never. */
interface Memory {
  version: number;
  /** When the attempts of the last hour began, by their ids. */
  attempts: Record<string, number>;
  /** Attempts since the link was last up for long. */
  level: number;
  /** Refusals (blocked, replaced) since then. */
  blocked: number;
  /** 515 in a row, deadlines in a row. */
  restarts: number;
  hits: number;
  /** How the last attempt ended, and what follows from it. */
  kind: Kind;
  code: string;
  wait: number;
  notBefore: number;
  downSince: number;
  restartAt: number;
  /** The one retry of a 401 right after pairing is spent. */
  retried: boolean;
  /** The bot was stopped by hand: the next start tries at once. */
  free: boolean;
  identity: string;
  verdict: { code: string; at: number } | null;
  /** Baileys' version when WhatsApp called it outdated. */
  client: string;
  pid: number;
  /** When `skillgen reset` was last run. */
  cleared: number;
}

interface Socket {
  end?: (error: Error) => unknown;
  ev?: { emit?: (event: string, update: Update) => unknown };
}

interface Failure {
  code?: unknown;
  message?: unknown;
  data?: { expire?: unknown };
  output?: { statusCode?: unknown };
}

interface Credentials {
  noiseKey?: { public?: unknown };
  registrationId?: unknown;
  registered?: unknown;
  me?: { id?: unknown } | null;
}

interface Waiting {
  resolve: (attempt: number) => void;
  reject: (reason: Error) => void;
  told: boolean;
}

interface End {
  now: number;
  /** What the delay is counted from: its start; once open, its end. */
  from: number;
  opened: boolean;
  expiry: number;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

export class Reconnect {
  private readonly options: ReconnectOptions;
  private readonly token = randomUUID().slice(0, 8);
  private memory = fresh();
  private loaded = false;
  private text: string | undefined;
  private unwritable = false;
  private state: 'idle' | 'running' | 'open' | 'ending' = 'idle';
  private attempt = 0;
  private startedAt = 0;
  private linked = false;
  private asked = false;
  private halted = false;
  private dialing = false;
  private runs = 0;
  private saves = 0;
  private rival = 0;
  private blindUntil = 0;
  private toldDown = false;
  private detail = '';
  private final: string | undefined;
  private parting: Error | undefined;
  private sock: Socket | undefined;
  private waiting: Waiting | undefined;
  private connect: (() => Promise<unknown>) | undefined;
  private hooks: DialHooks = {};
  private dialed: Array<() => void> = [];
  private waitTimer: Timer;
  private stateTimer: Timer;
  private lateTimer: Timer;
  private reading = performance.now();
  private base = Date.now() - this.reading;

  constructor(options: ReconnectOptions) {
    this.options = options;
  }

  /** True once no further attempt will be made. */
  get terminal(): boolean {
    return this.final !== undefined;
  }

  /** The gate: resolves with the attempt's number when it may start. */
  turn(): Promise<number> {
    this.dialing = false;
    // One wait only. A second caller is left pending for ever: a rejection
    // would make loops that retry on errors spin.
    if (this.waiting) return new Promise<number>(() => undefined);
    if (this.halted) this.revive();
    if (this.busy()) this.fail('superseded');
    return new Promise<number>((resolve, reject) => {
      this.waiting = { resolve, reject, told: false };
      this.proceed();
    });
  }

  /** The eye: false means an event that the host must ignore. */
  observe(update: Update, attempt: number, sock?: unknown): boolean {
    const live = this.state !== 'idle' && !this.halted;
    if (!live || attempt !== this.attempt) {
      this.discard(update, sock);
      return false;
    }
    this.sock ??= (sock ?? undefined) as Socket | undefined;
    if (update.connection === 'close') {
      this.closed(update.lastDisconnect?.error);
      return true;
    }
    if (this.state === 'ending') return false;
    if (update.qr) this.asks();
    if (update.connection === 'open') this.opened();
    return true;
  }

  /**
   * Runs `connect` until a call resolves: its socket exists then, and the
   * promise settles. It never rejects. Without `connect`: as the last time.
   */
  dial(connect = this.connect, hooks?: DialHooks): Promise<void> {
    if (this.halted) this.revive();
    const ready = new Promise<void>((resolve) => {
      this.dialed.push(resolve);
    });
    if (this.waiting || this.dialing || !connect) return ready;
    const first = this.connect === undefined;
    this.connect = connect;
    if (hooks) this.hooks = { ...hooks };
    if (first) this.lateTimer = this.after(LATE_MS, () => this.late());
    void this.run();
    return ready;
  }

  /** Wraps a creds.update handler: a restart waits until it has settled. */
  saving<A extends unknown[]>(handler: (...args: A) => unknown) {
    return async (...args: A): Promise<void> => {
      this.saves += 1;
      try {
        await handler(...args);
      } finally {
        this.saves -= 1;
        if (this.saves === 0) this.proceed();
      }
    };
  }

  /** For disconnect, teardown and signals: no attempt until asked again. */
  stop(): void {
    if (this.halted) return;
    // Whoever restarts a bot by hand expects it to try at once.
    if (this.state === 'open' || this.waiting) this.release();
    this.halted = true;
    this.runs += 1;
    this.rest();
    clearTimeout(this.lateTimer);
    this.reject('stopped by the host');
  }

  /** Ends the process, with success, unless another channel is connected. */
  exitIfAlone(otherConnected?: () => boolean): void {
    if (!otherConnected) return process.exit(0);
    const decide = () => {
      if (!otherConnected()) process.exit(0);
      else this.say('info', 'stopped; the other channels go on');
    };
    // Other channels may still be starting.
    const early = UPTIME_MS - process.uptime() * 1000;
    if (early > 0) this.after(early, decide);
    else decide();
  }

  // --- Attempts ---

  private busy(): boolean {
    return this.state === 'running' || this.state === 'open';
  }

  /** Grants the waiting turn, refuses it, or waits on. */
  private proceed(): void {
    const waiting = this.waiting;
    if (!waiting) return;
    clearTimeout(this.waitTimer);
    this.recall();
    const refusal = this.refusal();
    if (refusal !== undefined) {
      if (this.final === undefined) this.conclude(refusal);
      this.reject(this.reason(refusal));
      return;
    }
    const bound = this.bound();
    const left = bound.until - this.now();
    if (left > 0) {
      const telling = !waiting.told && left > SETTLE_MS;
      if (telling) this.announce(bound.code, left);
      waiting.told ||= telling;
      // A reset of the memory file is noticed on the way.
      const nap = Math.min(left, RECHECK_MS);
      this.waitTimer = this.after(nap, () => this.proceed());
      return;
    }
    this.waiting = undefined;
    waiting.resolve(this.grant());
  }

  /** Written ahead: a crash right after it has been counted already. */
  private grant(): number {
    this.attempt += 1;
    this.state = 'running';
    this.asked = false;
    this.final = undefined;
    this.remember((memory, now) => {
      this.startedAt = now;
      const pause = now - Math.max(0, ...Object.values(memory.attempts));
      const since = pause > 2 * DOWN_DELAY_MS ? 0 : memory.downSince;
      memory.downSince = since || now;
      memory.attempts[`${this.token}-${this.attempt}`] = now;
      memory.level += 1;
      memory.kind = 'transient';
      memory.code = 'started';
      memory.wait = delay(memory, now);
      memory.notBefore = now + memory.wait;
      memory.free = false;
      memory.pid = process.pid;
      if (memory.verdict) memory.verdict.at = now;
    });
    this.arm();
    return this.attempt;
  }

  /** An HTTP refusal makes Baileys emit no close, ever. */
  private arm(): void {
    const last = DEADLINES_MS.length - 1;
    const limit = DEADLINES_MS[Math.min(this.memory.hits, last)];
    const wait = limit ?? DELAY_CAP_MS;
    this.stateTimer = this.after(wait, () => this.expired());
  }

  private expired(): void {
    if (this.connect) {
      this.fail('deadline');
      void this.run();
      return;
    }
    // The loop is the host's own: a close makes it go on.
    if (this.sock) this.hangUp('no answer from WhatsApp in time');
    if (this.state === 'running') this.arm();
  }

  private opened(): void {
    if (this.state === 'open') return;
    clearTimeout(this.lateTimer);
    clearTimeout(this.stateTimer);
    this.state = 'open';
    this.remember((memory) => {
      memory.hits = 0;
      memory.downSince = 0;
      memory.verdict = null;
    });
    // An open proves nothing: only one that lasts resets the level.
    this.stateTimer = this.after(RESET_MS, () => this.remember(settle));
    unref(this.stateTimer);
  }

  /** A QR code: pairing, or the end of a bot that cannot pair. */
  private asks(): void {
    this.asked = true;
    clearTimeout(this.stateTimer);
    if (!this.linked && this.options.pairing !== false) return;
    this.conclude(this.linked ? 'qr' : 'unlinked');
    this.state = 'ending';
    // After the host's own QR branch, which runs right now.
    const ended = () => this.hangUp('no QR code will be scanned here');
    void Promise.resolve().then(ended);
  }

  private closed(error: unknown): void {
    const known = error !== undefined && error === this.parting;
    const code = known ? 'deadline' : codeOf(error);
    if (this.state === 'ending') this.rest();
    else this.finish(code, error);
  }

  private fail(code: string, error?: unknown): void {
    const sock = this.sock;
    this.finish(code, error);
    end(sock, new Error(this.reason(code)));
  }

  /** The one outcome of an attempt. */
  private finish(code: string, error: unknown): void {
    const opened = this.state === 'open';
    const vague = code === 'dial' || code === 'closed';
    this.detail = vague || !MEANINGS[code] ? detailOf(error) : '';
    const verdict = this.verdictOn(code, error);
    this.rest();
    if (verdict !== undefined) return this.conclude(verdict);
    this.remember((memory, now) => {
      memory.hits = code === 'deadline' ? memory.hits + 1 : 0;
      memory.code = code;
      memory.level = Math.max(memory.level, 1);
      if (code === '401') memory.retried = true;
      if (code === '405') memory.client = clientVersion();
      const from = opened ? now : this.startedAt;
      plan(memory, { now, from, opened, expiry: expiryOf(error) });
    });
  }

  /** Why nothing may follow this outcome, if so. */
  private verdictOn(code: string, error: unknown): string | undefined {
    const { restartAt, retried, verdict } = this.memory;
    const message = String((error as Failure | undefined)?.message);
    if (code === '401') {
      if (message === 'Intentional Logout') return 'logout';
      const fresh = this.now() - restartAt < UNFLUSHED_MS;
      return fresh && !retried ? undefined : code;
    }
    const over = message.includes('QR refs attempts ended');
    const pairing = !this.linked && (this.asked || over);
    if (code === '408' && pairing) return 'unpaired';
    if (KINDS[code] === 'auth') return code;
    // A probe that brought no open changes nothing.
    return KINDS[code] === 'restart' ? undefined : verdict?.code;
  }

  /** No further attempt: said once, and remembered where it can be. */
  private conclude(code: string): void {
    this.final = code;
    clearTimeout(this.lateTimer);
    // No open will come: after the host's own handler, nobody waits on.
    this.lateTimer = this.after(0, () => this.late());
    const passing = code === 'logout' || code === 'unpaired';
    const stays = this.linked || this.options.pairing === false;
    const keep = stays && !passing;
    if (keep && !this.memory.verdict) {
      this.remember((memory, now) => {
        memory.verdict = { code, at: now };
      });
    }
    const line = `${this.reason(code)}. No further attempt.`;
    const kept = `Kept in ${this.where()}; skillgen reset clears it.`;
    const tail = this.memory.verdict ? ` ${kept}` : '';
    this.say('error', `${line} ${ADVICE[code] ?? ''}${tail}`);
  }

  /** Ends the attempt and its timer; the socket is left alone. */
  private rest(): void {
    clearTimeout(this.stateTimer);
    this.state = 'idle';
    this.sock = undefined;
    this.parting = undefined;
  }

  private revive(): void {
    this.halted = false;
    this.final = undefined;
    this.dialing = false;
    this.connect = undefined;
    this.hooks = {};
  }

  private release(): void {
    this.remember((memory) => {
      memory.free = true;
    });
  }

  private reject(why: string): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    clearTimeout(this.waitTimer);
    waiting?.reject(new ReconnectStopped(why));
  }

  // --- The loop around the host's connect function ---

  private async run(): Promise<void> {
    this.runs += 1;
    const run = this.runs;
    this.dialing = true;
    try {
      await this.connect?.();
      if (run !== this.runs) return;
      this.dialing = false;
      for (const resolve of this.dialed.splice(0)) resolve();
    } catch (error) {
      // Superseded calls fail unheard.
      if (run === this.runs) void this.retry(error);
    }
  }

  private async retry(error: unknown): Promise<void> {
    try {
      if (error instanceof ReconnectStopped) throw error;
      // A connect function that fails before its gate passes it here.
      if (this.dialing) await this.turn();
    } catch (reason) {
      this.dialing = false;
      if (this.final !== undefined) this.tell(reason as Error);
      return;
    }
    if (this.busy()) this.fail('dial', error);
    if (this.final === undefined) void this.run();
  }

  private tell(reason: Error): void {
    const { stopped } = this.hooks;
    delete this.hooks.stopped;
    stopped?.(reason);
  }

  private late(): void {
    const { late } = this.hooks;
    delete this.hooks.late;
    late?.();
  }

  // --- Sockets ---

  /** Ends the current socket; the host hears of it once, and from us. */
  private hangUp(why: string): void {
    const sock = this.sock;
    const output = { statusCode: 408 };
    const error = Object.assign(new Error(why), { output });
    const lastDisconnect = { error, date: new Date() };
    this.parting = error;
    try {
      const event = { connection: 'close', lastDisconnect };
      // Baileys' own end() waits for the server, which may never answer.
      sock?.ev?.emit?.('connection.update', event);
    } finally {
      end(sock, error);
    }
  }

  /** An event of an old attempt: its socket must not stay behind. */
  private discard(update: Update, sock: unknown): void {
    if (!sock || sock === this.sock) return;
    // Baileys says 'connecting' right after creation, so the socket is its
    // own. Later the host's variable may hold a newer one.
    const own = update.connection === 'connecting';
    if (own || (this.sock && !this.halted)) {
      end(sock as Socket, new Error('an old attempt'));
    }
    // The host's variable now holds the dead one: dial anew.
    if (own && this.sock && this.connect && this.busy()) {
      this.fail('superseded');
      void this.run();
    }
  }

  // --- Memory ---

  private folder(): string {
    const { authDir } = this.options;
    return typeof authDir === 'function' ? authDir() : authDir;
  }

  private file(): string {
    const folder = this.folder();
    // Beside the folder: a re-link wipes it, and some hosts take any file
    // in it for a link.
    return join(dirname(folder), `${basename(folder)}-reconnect.json`);
  }

  private where(): string {
    try {
      return this.file();
    } catch {
      return 'no file';
    }
  }

  /** Reads what this and other processes know, and who the bot is. */
  private recall(): void {
    const first = !this.loaded;
    this.merge();
    const memory = this.memory;
    const known = memory.identity;
    const identity = this.identify(known);
    this.linked = identity !== UNLINKED;
    // Gone is not changed, unless this bot pairs in its own process.
    const gone = !this.linked && this.options.pairing === false;
    const unlinked = memory.verdict?.code === 'unlinked';
    const changed = identity !== known && known !== '' && !gone;
    if (changed || (unlinked && this.linked)) this.relinked();
    if (!gone || known === '') memory.identity = identity;
    if (!first) return;
    // A trial: without a memory nothing holds across restarts.
    this.write();
    if (this.unwritable) this.blindUntil = this.now() + UNWRITABLE_MS;
  }

  /** A new link: what was held against the old one is gone. */
  private relinked(): void {
    const memory = this.memory;
    this.final = undefined;
    memory.verdict = null;
    memory.level = 0;
    memory.restarts = 0;
    memory.retried = false;
    // Blocks are for the number: they outlast the link.
    if (memory.kind !== 'blocked') settle(memory);
  }

  private identify(known: string): string {
    try {
      const file = join(this.folder(), 'creds.json');
      return identityOf(fs.readFileSync(file, 'utf8'));
    } catch (error) {
      // Half-written, perhaps: then it is still what it was.
      return isAbsent(error) ? UNLINKED : known || UNLINKED;
    }
  }

  /** The verdict that forbids an attempt now. */
  private refusal(): string | undefined {
    const { verdict, kind } = this.memory;
    if (!verdict) return this.final;
    const due = this.now() - verdict.at >= PROBE_MS;
    const probe = due && verdict.code !== 'unlinked';
    return probe || kind === 'restart' ? undefined : verdict.code;
  }

  /** Until when the next attempt has to wait, and for what. */
  private bound(): { until: number; code: string } {
    const memory = this.memory;
    const free = memory.free && memory.kind === 'transient';
    const bound = { until: free ? 0 : memory.notBefore, code: memory.code };
    const stronger = (until: number, code: string) => {
      if (until > bound.until) Object.assign(bound, { until, code });
    };
    const settling = memory.kind === 'restart' && this.saves > 0;
    stronger(settling ? memory.restartAt + SETTLE_MS : 0, memory.code);
    stronger(this.blindUntil, 'unwritable');
    const stamps = recent(memory, this.now());
    const blocking = stamps[stamps.length - BUDGET];
    if (blocking) stronger(blocking + BUDGET_MS, 'budget');
    return bound;
  }

  private remember(change: (memory: Memory, now: number) => void): void {
    this.merge();
    change(this.memory, this.now());
    this.write();
  }

  /** Takes in what the file holds; ours is newer, except for a reset. */
  private merge(): void {
    const stored = this.read();
    const first = !this.loaded;
    this.loaded = true;
    if (!stored) return;
    if (stored.pid !== process.pid) this.rival = stored.pid;
    if (first) {
      this.memory = stored;
      return;
    }
    const memory = this.memory;
    memory.attempts = { ...stored.attempts, ...memory.attempts };
    if (stored.cleared <= memory.cleared) return;
    memory.cleared = stored.cleared;
    memory.verdict = null;
    this.final = undefined;
    settle(memory);
  }

  private read(): Memory | undefined {
    const now = this.now();
    try {
      const text: unknown = fs.readFileSync(this.file(), 'utf8');
      // No text at all comes from a test's mock of fs; ours is known.
      const news = typeof text === 'string' && text !== this.text;
      if (!news) return undefined;
      return parse(text, Date.now() - now, now);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      const memory = fresh();
      memory.code = 'corrupt';
      memory.level = CORRUPT_LEVEL;
      memory.wait = delay(memory, now);
      memory.notBefore = now + memory.wait;
      return memory;
    }
  }

  private write(): void {
    try {
      const file = this.file();
      const part = `${file}.${process.pid}.tmp`;
      const now = this.now();
      prune(this.memory, now);
      const memory = moved(this.memory, Date.now() - now);
      const text = `${JSON.stringify(memory, undefined, 2)}\n`;
      fs.writeFileSync(part, text, { mode: 0o600 });
      fs.renameSync(part, file);
      this.text = text;
      this.unwritable = false;
    } catch (error) {
      // No folder, no memory: nothing is linked yet.
      if (isAbsent(error) || this.unwritable) return;
      this.unwritable = true;
      const why = (error as Failure).code;
      const line = `cannot write ${this.where()} (${String(why)})`;
      this.say('error', `${line}: a restart forgets the limits`);
    }
  }

  // --- Time and words ---

  /** Monotonic, near Date.now(): a clock that is set changes no wait. */
  private now(): number {
    const reading = performance.now();
    this.base += Math.max(0, this.reading - reading);
    this.reading = reading;
    return this.base + reading;
  }

  private after(wait: number, run: () => void): Timer {
    const due = this.now() + wait;
    const ring = () => {
      // A timer that rang says that its time is over.
      this.base += Math.max(0, due - this.now());
      run();
    };
    return setTimeout(ring, wait);
  }

  private announce(code: string, left: number): void {
    const memory = this.memory;
    const now = this.now();
    const nth = recent(memory, now).length + 1;
    const end = new Date(Date.now() + left).toString();
    const at = end.slice(left < 12 * BUDGET_MS ? 16 : 4, 24);
    const seconds = Math.ceil(left / 1000);
    const wait = `attempt ${nth} of this hour in ${seconds} s`;
    const hint = `Kept in ${this.where()}; skillgen reset clears it.`;
    const line = `${this.reason(code)}; ${wait}, at ${at}. ${hint}`;
    const down = isDown(memory, now) && !this.toldDown;
    this.toldDown ||= down;
    if (down) this.say('error', `${line} ${DOWN_ADVICE}`);
    else this.say('warn', `${line} ${ADVICE[code] ?? ''}`.trimEnd());
  }

  private reason(code: string): string {
    const meaning = MEANINGS[code] ?? 'unknown code';
    const rival = code === '440' && alive(this.rival);
    const who = rival ? `, here: process ${this.rival}` : '';
    const detail = code === this.memory.code ? this.detail : '';
    return `${code} (${meaning}${who}${detail})`;
  }

  private say(level: 'info' | 'warn' | 'error', line: string): void {
    this.options.logger[level](`WhatsApp: ${line}`);
  }
}

const UNLINKED = 'unlinked';
const DOWN_ADVICE = 'No link for a day: look at the phone and the network.';

function fresh(): Memory {
  return {
    version: VERSION,
    attempts: {},
    level: 0,
    blocked: 0,
    restarts: 0,
    hits: 0,
    kind: 'transient',
    code: 'started',
    wait: 0,
    notBefore: 0,
    downSince: 0,
    restartAt: 0,
    retried: false,
    free: false,
    identity: '',
    verdict: null,
    client: '',
    pid: 0,
    cleared: 0,
  };
}

/** Throws if the text is no memory. */
function parse(text: string, shift: number, now: number): Memory {
  const raw = JSON.parse(text) as Record<string, unknown> | null;
  const memory = fresh();
  if (raw?.['version'] !== VERSION) throw new SyntaxError('no memory');
  for (const [key, value] of Object.entries(memory)) {
    const found = raw[key];
    const alike = typeof found === typeof value && found !== null;
    if (alike) Object.assign(memory, { [key]: found });
  }
  const { code, client } = memory;
  const updated = code === '405' && client !== clientVersion();
  if (updated) settle(memory);
  return sane(moved(memory, -shift), now);
}

/** A clock that was set back makes no wait longer. */
function sane(memory: Memory, now: number): Memory {
  const stamps = Object.entries(memory.attempts);
  const believed = stamps.filter(([, at]) => at <= now + AHEAD_MS);
  const clamped = believed.map(([id, at]) => [id, Math.min(at, now)]);
  memory.attempts = Object.fromEntries(clamped) as Memory['attempts'];
  memory.notBefore = Math.min(memory.notBefore, now + memory.wait);
  memory.downSince = Math.min(memory.downSince, now);
  memory.restartAt = Math.min(memory.restartAt, now);
  const { verdict } = memory;
  if (verdict) verdict.at = Math.min(verdict.at, now);
  return memory;
}

/** The same memory on another clock. */
function moved(memory: Memory, by: number): Memory {
  const move = (at: number) => (at === 0 ? 0 : Math.ceil(at + by));
  const stamps = Object.entries(memory.attempts);
  const attempts = stamps.map(([id, at]) => [id, move(at)]);
  const { verdict } = memory;
  return {
    ...memory,
    attempts: Object.fromEntries(attempts) as Memory['attempts'],
    notBefore: move(memory.notBefore),
    downSince: move(memory.downSince),
    restartAt: move(memory.restartAt),
    verdict: verdict && { code: verdict.code, at: move(verdict.at) },
  };
}

/** The attempts that count against the budget, oldest first. */
function recent(memory: Memory, now: number): number[] {
  const stamps = Object.values(memory.attempts);
  return stamps.filter((at) => at > now - BUDGET_MS).sort((a, b) => a - b);
}

/** Forgets what no rule asks for: all but the last hour and the newest. */
function prune(memory: Memory, now: number): void {
  const stamps = Object.entries(memory.attempts);
  const newest = Math.max(...Object.values(memory.attempts));
  const keep = Math.min(newest, now - BUDGET_MS);
  const kept = stamps.filter(([, at]) => at >= keep);
  memory.attempts = Object.fromEntries(kept);
}

/** After a long open, a reset or a new link: back to the start. */
function settle(memory: Memory): void {
  memory.level = 0;
  memory.blocked = 0;
  memory.restarts = 0;
  memory.hits = 0;
  memory.kind = 'transient';
  memory.code = 'started';
  memory.wait = 0;
  memory.notBefore = 0;
}

function isDown(memory: Memory, now: number): boolean {
  return memory.downSince > 0 && now - memory.downSince > DOWN_MS;
}

function grown(first: number, cap: number, level: number): number {
  const doublings = Math.min(Math.max(level, 1) - 1, 30);
  return Math.min(cap, first * FACTOR ** doublings);
}

function jittered(wait: number): number {
  return Math.round(wait * (1 + JITTER * Math.random()));
}

function delay(memory: Memory, now: number): number {
  const wait = grown(DELAY_MS, DELAY_CAP_MS, memory.level);
  const least = isDown(memory, now) ? DOWN_DELAY_MS : 0;
  return jittered(Math.max(wait, least));
}

/** When the next attempt may start, after one that ended. */
function plan(memory: Memory, end: End): void {
  const known = KINDS[memory.code] ?? 'transient';
  const again = known === 'restart';
  memory.restarts = again ? memory.restarts + 1 : 0;
  if (again) memory.restartAt = end.now;
  if (again && memory.restarts <= RESTARTS) {
    // No failure: the level is what it was before the attempt.
    memory.kind = 'restart';
    memory.level -= 1;
    memory.notBefore = 0;
    memory.wait = 0;
    return;
  }
  const held = known === 'blocked' || known === 'replaced';
  memory.kind = held ? known : 'transient';
  if (held) memory.blocked += 1;
  // Written ahead, for an attempt that never opened: start + delay.
  const ahead = memory.notBefore;
  const soft = end.opened ? end.now + delay(memory, end.now) : ahead;
  const hold = grown(HOLD_MS, HOLD_CAP_MS, memory.blocked);
  const hard = end.from + jittered(Math.max(hold, end.expiry));
  memory.notBefore = Math.max(end.now + DELAY_MS, held ? hard : soft);
  memory.wait = memory.notBefore - end.now;
}

/** 402 says when it ends, in seconds. */
function expiryOf(error: unknown): number {
  const seconds = Number((error as Failure | undefined)?.data?.expire);
  return seconds > 0 ? Math.min(seconds * 1000, EXPIRY_CAP_MS) : 0;
}

/** What the error itself says, where the code says little. */
function detailOf(error: unknown): string {
  const message = (error as Failure | undefined)?.message;
  const line = typeof message === 'string' ? message.split('\n')[0] : '';
  return line ? `: ${line.slice(0, 100)}` : '';
}

function codeOf(error: unknown): string {
  const code = (error as Failure | undefined)?.output?.statusCode;
  return code === undefined || code === null ? 'closed' : String(code);
}

/** No such file or folder; an odd error comes from a test's mock of fs. */
function isAbsent(error: unknown): boolean {
  if (error instanceof SyntaxError) return false;
  const code = (error as Failure | undefined)?.code;
  return code === undefined || code === 'ENOENT' || code === 'ENOTDIR';
}

/** Who the bot is, without saying it: the number is no one's business. */
function identityOf(text: string): string {
  const creds = JSON.parse(text) as Credentials;
  const { noiseKey, registrationId, registered, me } = creds;
  if (!registered && !me?.id) return UNLINKED;
  const self = [noiseKey?.public, registrationId, me?.id];
  const hash = createHash('sha256').update(JSON.stringify(self));
  return hash.digest('hex').slice(0, 16);
}

/** The installed Baileys, as far as it can be told. */
function clientVersion(): string {
  const name = 'node_modules/@whiskeysockets/baileys/package.json';
  let folder = process.cwd();
  while (folder !== dirname(folder)) {
    const version = versionIn(join(folder, name));
    if (version) return version;
    folder = dirname(folder);
  }
  return '';
}

function versionIn(file: string): string {
  try {
    const found = JSON.parse(fs.readFileSync(file, 'utf8')) as unknown;
    return String((found as { version?: unknown }).version);
  } catch {
    return '';
  }
}

function alive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as Failure).code === 'EPERM';
  }
}

function end(sock: Socket | undefined, error: Error): void {
  try {
    const ended = sock?.end?.(error);
    Promise.resolve(ended).catch(() => undefined);
  } catch {
    // It has ended already.
  }
}

function unref(timer: Timer): void {
  (timer as { unref?: () => void } | undefined)?.unref?.();
}
