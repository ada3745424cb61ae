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
const KINDS: Partial<Record<Kind, string[]>> = {
  auth: ['401', '403', '406', '411', 'logout', 'qr', 'unlinked', 'unpaired'],
  restart: ['515'],
  blocked: ['400', '402', '405', '409', '418', '429', '501'],
  replaced: ['440'],
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
  /** Always called with one string. It may lack a level. */
  logger: {
    info?(message: string): unknown;
    warn?(message: string): unknown;
    error?(message: string): unknown;
    log?(message: string): unknown;
  };
  /** false: this process cannot pair, so a QR code ends it. */
  pairing?: boolean;
  /**
   * The loop around the gate is the host's own: when no attempt may follow,
   * its next call waits for ever. An error would end it, or make it spin.
   */
  ownLoop?: boolean;
}

type Level = keyof ReconnectOptions['logger'];

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

export class Reconnect {
  private readonly options: ReconnectOptions;
  private readonly folder: () => string;
  private readonly token = randomUUID().slice(0, 8);
  private memory = fresh();
  private file = '';
  private unwritableSince = NEVER;
  private state: 'idle' | 'running' | 'open' = 'idle';
  private attempt = 0;
  private startedAt = 0;
  private sock: Socket | undefined;
  private linked = false;
  private asked = false;
  private detail = '';
  private final: string | undefined;
  private halted = false;
  private waiting: Waiting;
  private connect: (() => Promise<unknown>) | undefined;
  private hooks: DialHooks = {};
  private dialing = false;
  private runs = 0;
  private dialed: Array<() => void> = [];
  private saves = 0;
  private rival = 0;
  private told = '';
  private toldDown = false;
  private waitTimer: Timer;
  private stateTimer: Timer;
  private lateTimer: Timer;
  private reading = performance.now();
  private base = Date.now() - this.reading;

  constructor(options: ReconnectOptions) {
    const { authDir } = options;
    this.options = options;
    this.folder = typeof authDir === 'string' ? () => authDir : authDir;
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
    if (this.halted) this.final = undefined;
    this.halted = false;
    if (this.busy()) this.fail('superseded');
    return new Promise<number>((resolve) => {
      this.waiting = resolve;
      this.told = '';
      this.proceed();
    });
  }

  /** The eye: false means an event that the host must ignore. */
  observe(update: Update, attempt: number, sock?: unknown): boolean {
    if (this.state === 'idle' || attempt !== this.attempt) {
      this.discard(update, sock);
      return false;
    }
    this.sock ??= (sock ?? undefined) as Socket | undefined;
    if (update.connection === 'close') {
      const error = update.lastDisconnect?.error;
      if (this.terminal) this.rest();
      else this.finish(codeOf(error), error);
      return true;
    }
    if (this.terminal) return false;
    if (update.qr) this.asks();
    if (update.connection === 'open') this.opened();
    return true;
  }

  /**
   * Runs `connect` until a call resolves: its socket exists then, and the
   * promise settles, as when none will come. It never rejects.
   * Without `connect`: as the last time.
   */
  dial(connect = this.connect, hooks?: DialHooks): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.dialed.push(resolve);
    });
    if (this.waiting || this.dialing || !connect) return ready;
    const first = this.halted || !this.connect;
    this.connect = connect;
    if (hooks || first) this.hooks = { ...hooks };
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
    // Whoever restarts a bot by hand expects it to try at once.
    const up = this.state === 'open';
    if (up || this.waiting) this.remember({ free: true });
    this.halted = true;
    this.dialing = false;
    this.runs += 1;
    this.rest();
    clearTimeout(this.lateTimer);
    this.settle(new ReconnectStopped('stopped by the host'));
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
    return this.state !== 'idle' && !this.terminal;
  }

  /** Written ahead: a crash right after it has been counted already. */
  private grant(): number {
    const now = this.now();
    const { memory } = this;
    this.attempt += 1;
    this.state = 'running';
    this.startedAt = now;
    this.asked = false;
    this.final = undefined;
    // Days switched off are no outage.
    const pause = now - Math.max(0, ...Object.values(memory.attempts));
    if (pause > 2 * DOWN_DELAY_MS) memory.downSince = 0;
    memory.downSince ||= now;
    memory.attempts = Object.fromEntries(recent(memory, now));
    memory.attempts[`${this.token}-${this.attempt}`] = now;
    memory.level += 1;
    memory.kind = 'transient';
    memory.code = 'started';
    memory.wait = delay(memory, now);
    memory.notBefore = now + memory.wait;
    memory.free = false;
    memory.pid = process.pid;
    if (memory.verdict) memory.verdict.at = now;
    this.write();
    this.arm();
    return this.attempt;
  }

  /** An HTTP refusal makes Baileys emit no close, ever. */
  private arm(): void {
    const { hits } = this.memory;
    const wait = DEADLINES_MS[hits] ?? Math.max(...DEADLINES_MS);
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
    this.remember({ hits: 0, downSince: 0, verdict: null });
    // An open proves nothing: only one that lasts resets the level.
    this.stateTimer = this.after(RESET_MS, () => this.remember(SETTLED));
    (this.stateTimer as { unref?: () => void } | undefined)?.unref?.();
  }

  /** A QR code: pairing, or the end of a bot that cannot pair. */
  private asks(): void {
    this.asked = true;
    clearTimeout(this.stateTimer);
    if (!this.linked && this.options.pairing !== false) return;
    this.conclude(this.linked ? 'qr' : UNLINKED);
    // After the host's own QR branch, which runs right now.
    const ended = () => this.hangUp('no QR code will be scanned here');
    void Promise.resolve().then(ended);
  }

  /** The one outcome of an attempt. */
  private finish(code: string, error: unknown): void {
    const vague = code === 'dial' || code === 'closed' || !MEANINGS[code];
    this.detail = vague ? detailOf(error) : '';
    const verdict = this.verdictOn(code, error);
    const opened = this.state === 'open';
    this.rest();
    if (verdict !== undefined) return this.conclude(verdict);
    this.merge();
    const now = this.now();
    const { memory } = this;
    memory.code = code;
    memory.hits = code === 'deadline' ? memory.hits + 1 : 0;
    if (code === '401') memory.retried = true;
    if (code === '405') memory.client = clientVersion();
    plan(memory, now, opened ? now : this.startedAt, error);
    this.write();
  }

  /** Why nothing may follow this outcome, if so. */
  private verdictOn(code: string, error: unknown): string | undefined {
    const { restartAt, retried, verdict } = this.memory;
    const message = String(dig(error, 'message'));
    if (code === '401') {
      if (message === 'Intentional Logout') return 'logout';
      // Right after pairing the credentials may not have been saved.
      const unflushed = this.now() - restartAt < UNFLUSHED_MS;
      return unflushed && !retried ? undefined : code;
    }
    const over = message.includes('QR refs attempts ended');
    const pairing = !this.linked && (this.asked || over);
    if (code === '408' && pairing) return 'unpaired';
    if (kindOf(code) === 'auth') return code;
    // A probe that brought no open changes nothing.
    return kindOf(code) === 'restart' ? undefined : verdict?.code;
  }

  /** No further attempt: said once, and remembered where it can be. */
  private conclude(code: string): void {
    this.merge();
    this.final = code;
    const { memory } = this;
    const passing = code === 'logout' || code === 'unpaired';
    const stays = this.linked || this.options.pairing === false;
    if (stays && !passing) memory.verdict ??= { code, at: this.now() };
    this.write();
    // No open will come: after the host's own handler, nobody waits on.
    clearTimeout(this.lateTimer);
    this.lateTimer = this.after(0, () => this.late());
    const kept = memory.verdict ? this.kept() : '';
    const line = `${this.reason(code)}. No further attempt.`;
    this.say('error', line, ADVICE[code], kept);
  }

  private fail(code: string, error?: unknown): void {
    const { sock } = this;
    this.finish(code, error);
    end(sock, new HungUp(this.reason(code)));
  }

  /** Ends the attempt and its timer; the socket is left alone. */
  private rest(): void {
    clearTimeout(this.stateTimer);
    this.state = 'idle';
    this.sock = undefined;
  }

  /** Ends the current socket; the host hears of it once, and from us. */
  private hangUp(why: string): void {
    const { sock } = this;
    const error = new HungUp(why);
    const lastDisconnect = { error, date: new Date() };
    const event = { connection: 'close', lastDisconnect };
    try {
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
    if (own || this.sock) end(sock as Socket, new HungUp('an old attempt'));
    // The host's variable now holds the dead one: dial anew.
    if (own && this.sock && this.connect && this.busy()) {
      this.fail('superseded');
      void this.run();
    }
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
      this.release();
    } catch (error) {
      // Superseded calls fail unheard.
      if (run === this.runs) void this.retry(error, run);
    }
  }

  private async retry(error: unknown, run: number): Promise<void> {
    try {
      if (error instanceof ReconnectStopped) throw error;
      // A connect function that fails before its gate passes it here.
      if (this.dialing) await this.turn();
      await tick();
    } catch (reason) {
      this.dialing = false;
      if (!this.terminal) return;
      const { stopped, ...hooks } = this.hooks;
      this.hooks = hooks;
      stopped?.(reason as Error);
      return;
    }
    if (run !== this.runs) return;
    const made = this.sock || this.state === 'open';
    if (made && this.busy()) return this.keep(error);
    if (this.busy()) this.fail('dial', error);
    if (!this.terminal) void this.run();
  }

  /** Once there is a socket, the attempt ends as that does. */
  private keep(error: unknown): void {
    const line = `the connect function failed${detailOf(error)}`;
    this.say('warn', `${line}; its connection is kept.`);
    this.release();
  }

  /** Whoever awaits dial() goes on. */
  private release(): void {
    for (const resolve of this.dialed.splice(0)) resolve();
  }

  private late(): void {
    const { late, ...hooks } = this.hooks;
    this.hooks = hooks;
    late?.();
    if (this.terminal) this.release();
  }

  // --- Waiting ---

  /** Grants the waiting turn, refuses it, or waits on. */
  private proceed(): void {
    if (!this.waiting) return;
    clearTimeout(this.waitTimer);
    this.recall();
    const refusal = this.refusal();
    if (refusal !== undefined) {
      if (!this.terminal) this.conclude(refusal);
      if (this.options.ownLoop && this.attempt > 0 && !this.connect) {
        this.waiting = undefined;
        return;
      }
      return this.settle(new ReconnectStopped(this.reason(refusal)));
    }
    const [until, code] = this.bound();
    const left = until - this.now();
    if (left > 0) {
      // Another process may make it a longer one, for another reason.
      const news = left > SETTLE_MS && code !== this.told;
      if (news) this.announce(code, left);
      // A reset of the memory file is noticed on the way.
      const nap = Math.min(left, RECHECK_MS);
      this.waitTimer = this.after(nap, () => this.proceed());
      return;
    }
    this.settle(this.grant());
  }

  private settle(turn: number | ReconnectStopped): void {
    const { waiting } = this;
    this.waiting = undefined;
    clearTimeout(this.waitTimer);
    const refused = turn instanceof ReconnectStopped;
    waiting?.(refused ? Promise.reject(turn) : turn);
  }

  /** The verdict that forbids an attempt now. */
  private refusal(): string | undefined {
    const { verdict, kind } = this.memory;
    if (!verdict) return this.final;
    const due = this.now() - verdict.at >= PROBE_MS;
    const probe = due && verdict.code !== UNLINKED;
    return probe || kind === 'restart' ? undefined : verdict.code;
  }

  /** Until when the next attempt has to wait, and for what. */
  private bound(): [until: number, code: string] {
    const { memory } = this;
    const { code, kind } = memory;
    const free = memory.free && kind === 'transient';
    const settling = kind === 'restart' && this.saves > 0;
    const saved = settling ? memory.restartAt : NEVER;
    const blind = this.attempt === 0 ? this.unwritableSince : NEVER;
    const stamps = recent(memory, this.now()).map(([, at]) => at);
    const blocking = stamps.sort((a, b) => b - a)[BUDGET - 1] ?? NEVER;
    const bounds: Array<[until: number, code: string]> = [
      [free ? NEVER : memory.notBefore, code],
      [saved + SETTLE_MS, code],
      [blind + UNWRITABLE_MS, 'unwritable'],
      [blocking + BUDGET_MS, 'budget'],
    ];
    return bounds.reduce((a, b) => (b[0] > a[0] ? b : a));
  }

  private announce(code: string, left: number): void {
    this.told = code;
    const now = this.now();
    const nth = recent(this.memory, now).length + 1;
    const end = new Date(Date.now() + left).toString();
    const at = end.slice(left < DOWN_MS ? 16 : 4, 24);
    const wait = `attempt ${nth} of this hour in ${Math.ceil(left / 1000)} s`;
    const line = `${this.reason(code)}; ${wait}, at ${at}.`;
    const down = isDown(this.memory, now) && !this.toldDown;
    this.toldDown ||= down;
    if (down) this.say('error', line, this.kept(), DOWN_ADVICE);
    else this.say('warn', line, this.kept(), ADVICE[code]);
  }

  private reason(code: string): string {
    const meaning = MEANINGS[code] ?? 'unknown code';
    const rival = code === '440' && alive(this.rival);
    const who = rival ? `, here: process ${this.rival}` : '';
    const detail = code === this.memory.code ? this.detail : '';
    return `${code} (${meaning}${who}${detail})`;
  }

  private kept(): string {
    return `Kept in ${this.file || 'no file'}; skillgen reset clears it.`;
  }

  private say(level: Level, ...parts: unknown[]) {
    const line = `WhatsApp: ${parts.filter(Boolean).join(' ')}`;
    // A logger that lacks a level, or throws, must not end the attempts.
    try {
      const { logger } = this.options;
      const levels: Level[] = [level, 'warn', 'info', 'error', 'log'];
      const has = levels.find((each) => logger[each]);
      const said = has ? logger[has]?.(line) : console[level](line);
      Promise.resolve(said).catch(() => undefined);
    } catch {
      console[level](line);
    }
  }

  // --- Memory ---

  /** Reads what this and other processes know, and who the bot is. */
  private recall(): void {
    const first = !this.file;
    this.merge();
    const { memory } = this;
    const known = memory.identity;
    const identity = this.identify();
    this.linked = identity !== UNLINKED;
    // Gone is not changed, unless this bot pairs in its own process.
    const gone = !this.linked && this.options.pairing === false;
    const changed = identity !== known && known !== '' && !gone;
    const back = this.linked && memory.verdict?.code === UNLINKED;
    if (changed || back) {
      // What was held against the old link is gone. Blocks are for the
      // number: they outlast it.
      this.final = undefined;
      const settled = memory.kind === 'blocked' ? { level: 0 } : SETTLED;
      Object.assign(memory, settled, { verdict: null, retried: false });
    }
    if (!gone || known === '') memory.identity = identity;
    // A trial: without a memory nothing holds across restarts.
    if (first) this.write();
  }

  /** Who the bot is, without saying it: the number is no one's business. */
  private identify(): string {
    try {
      const file = join(this.folder(), 'creds.json');
      const creds: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
      const me = dig(creds, 'me', 'id');
      if (!me && !dig(creds, 'registered')) return UNLINKED;
      const key = dig(creds, 'noiseKey', 'public');
      const self = [key, dig(creds, 'registrationId'), me];
      const hash = createHash('sha256').update(JSON.stringify(self));
      return hash.digest('hex').slice(0, 16);
    } catch (error) {
      // Half-written, perhaps: then it is still what it was.
      return (!isAbsent(error) && this.memory.identity) || UNLINKED;
    }
  }

  private remember(change: Partial<Memory>): void {
    this.merge();
    Object.assign(this.memory, change);
    this.write();
  }

  /** Takes in what the file holds; ours is newer, except for a reset. */
  private merge(): void {
    const first = !this.file;
    const stored = this.read();
    if (!stored) return;
    if (stored.pid !== process.pid) this.rival = stored.pid;
    if (first) this.memory = stored;
    const { memory } = this;
    memory.attempts = { ...stored.attempts, ...memory.attempts };
    if (stored.cleared <= memory.cleared) return;
    this.final = undefined;
    const { cleared } = stored;
    Object.assign(memory, SETTLED, { verdict: null, cleared });
  }

  private read(): Memory | undefined {
    const now = this.now();
    try {
      const folder = this.folder();
      // Beside it: a re-link wipes it, and any file in it may mean a link.
      const name = `${basename(folder)}-reconnect.json`;
      this.file = join(dirname(folder), name);
      const text: unknown = fs.readFileSync(this.file, 'utf8');
      // No text at all comes from a test's mock of fs.
      if (typeof text !== 'string') return undefined;
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
    if (!this.file) return;
    const now = this.now();
    try {
      const part = `${this.file}.${process.pid}.tmp`;
      const memory = moved(this.memory, Date.now() - now);
      const text = `${JSON.stringify(memory, undefined, 2)}\n`;
      fs.writeFileSync(part, text, { mode: 0o600 });
      fs.renameSync(part, this.file);
      this.unwritableSince = NEVER;
    } catch (error) {
      // No folder, no memory: nothing is linked yet.
      if (isAbsent(error) || this.unwritableSince > NEVER) return;
      this.unwritableSince = now;
      const line = `cannot write ${this.file} (${String(dig(error, 'code'))})`;
      this.say('error', `${line}: a restart forgets the limits`);
    }
  }

  // --- Time ---

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
}

const NEVER = -Infinity;
const UNLINKED = 'unlinked';
const DOWN_ADVICE = 'No link for a day: look at the phone and the network.';

/** What a long open, a reset or a new link puts back. */
const SETTLED = {
  /** Attempts since the link was last up for long; refusals among them. */
  level: 0,
  blocked: 0,
  /** 515 in a row, deadlines in a row. */
  restarts: 0,
  hits: 0,
  /** How the last attempt ended, and what follows from it. */
  kind: 'transient' as Kind,
  code: 'started',
  wait: 0,
  notBefore: 0,
};

/** The file, before anything is known. Times: ms since 1970, 0 is never. */
function fresh() {
  return {
    version: VERSION,
    /** When the attempts of the last hour began, by their ids. */
    attempts: {} as Record<string, number>,
    ...SETTLED,
    downSince: 0,
    restartAt: 0,
    /** The one retry of a 401 right after pairing is spent. */
    retried: false,
    /** The bot was stopped by hand: the next start tries at once. */
    free: false,
    identity: '',
    verdict: null as { code: string; at: number } | null,
    /** Baileys' version when WhatsApp called it outdated. */
    client: '',
    pid: 0,
    /** When `skillgen reset` was last run. */
    cleared: 0,
  };
}

type Memory = ReturnType<typeof fresh>;

type Waiting = ((turn: number | Promise<number>) => void) | undefined;

type Timer = ReturnType<typeof setTimeout> | undefined;

type Shape = Record<string, unknown> | null | undefined;

interface Socket {
  end?: (error: Error) => unknown;
  ev?: { emit?: (event: string, update: Update) => unknown };
}

/** What the host's close branch is shown: a time-out, as Boom has it. */
class HungUp extends Error {
  readonly isBoom = true;
  readonly output = { statusCode: 408, payload: {}, headers: {} };
}

/** Throws if the text is no memory. */
function parse(text: string, shift: number, now: number): Memory {
  const raw: unknown = JSON.parse(text);
  const memory = fresh();
  if (dig(raw, 'version') !== VERSION) throw new SyntaxError('no memory');
  for (const [key, value] of Object.entries(memory)) {
    const found = dig(raw, key);
    const alike = typeof found === typeof value && found !== null;
    if (alike) Object.assign(memory, { [key]: found });
  }
  const { code, client } = memory;
  const updated = code === '405' && client !== clientVersion();
  if (updated) Object.assign(memory, SETTLED);
  return moved(memory, -shift, now);
}

/** The same memory on another clock. One set back makes no wait longer. */
function moved(memory: Memory, by: number, now = Infinity): Memory {
  const move = (at: number) => at && Math.min(Math.ceil(at + by), now);
  const { attempts, notBefore, verdict } = memory;
  const stamps = Object.entries(attempts);
  const believed = stamps.filter(([, at]) => at + by <= now + AHEAD_MS);
  const moving = believed.map(([id, at]) => [id, move(at)] as const);
  const latest = now + memory.wait;
  return {
    ...memory,
    attempts: Object.fromEntries(moving),
    notBefore: notBefore && Math.min(Math.ceil(notBefore + by), latest),
    downSince: move(memory.downSince),
    restartAt: move(memory.restartAt),
    verdict: verdict && { code: verdict.code, at: move(verdict.at) },
  };
}

/** The attempts that count against the budget. */
function recent(memory: Memory, now: number): Array<[string, number]> {
  const stamps = Object.entries(memory.attempts);
  return stamps.filter(([, at]) => at > now - BUDGET_MS);
}

/**
 * When the next attempt may start. The delay counts `from` the start of one
 * that never opened: hangs must not add up. Else from its end.
 */
function plan(memory: Memory, now: number, from: number, error: unknown) {
  const kind = kindOf(memory.code);
  const again = kind === 'restart';
  const held = kind === 'blocked' || kind === 'replaced';
  memory.level = Math.max(memory.level, 1);
  memory.restarts = again ? memory.restarts + 1 : 0;
  if (again) memory.restartAt = now;
  if (again && memory.restarts <= RESTARTS) {
    // No failure: the level is what it was before the attempt.
    const level = memory.level - 1;
    Object.assign(memory, { kind, level, wait: 0, notBefore: 0 });
    return;
  }
  memory.kind = held ? kind : 'transient';
  if (held) memory.blocked += 1;
  const hold = grown(HOLD_MS, HOLD_CAP_MS, memory.blocked);
  const least = jittered(Math.max(hold, expiryOf(error)));
  // Written ahead, for an attempt that never opened.
  const soft = from < now ? memory.wait : delay(memory, now);
  const wait = held ? least : soft;
  memory.notBefore = Math.max(now + DELAY_MS, from + wait);
  memory.wait = memory.notBefore - now;
}

function delay(memory: Memory, now: number): number {
  const wait = grown(DELAY_MS, DELAY_CAP_MS, memory.level);
  return jittered(isDown(memory, now) ? DOWN_DELAY_MS : wait);
}

function grown(first: number, cap: number, level: number): number {
  return Math.min(cap, first * FACTOR ** (level - 1));
}

function jittered(wait: number): number {
  return Math.round(wait * (1 + JITTER * Math.random()));
}

function isDown(memory: Memory, now: number): boolean {
  return memory.downSince > 0 && now - memory.downSince > DOWN_MS;
}

function kindOf(code: string): Kind {
  const kinds = Object.keys(KINDS) as Kind[];
  return kinds.find((kind) => KINDS[kind]?.includes(code)) ?? 'transient';
}

function codeOf(error: unknown): string {
  if (error instanceof HungUp) return 'deadline';
  return String(dig(error, 'output', 'statusCode') ?? 'closed');
}

/** 402 says when it ends, in seconds. */
function expiryOf(error: unknown): number {
  const seconds = Number(dig(error, 'data', 'expire'));
  return seconds > 0 ? Math.min(seconds * 1000, EXPIRY_CAP_MS) : 0;
}

/** What the error itself says, where the code says little. */
function detailOf(error: unknown): string {
  const message = dig(error, 'message');
  const line = typeof message === 'string' ? message.split('\n')[0] : '';
  return line ? `: ${line.slice(0, 100)}` : '';
}

/** No such file or folder; an odd error comes from a test's mock of fs. */
function isAbsent(error: unknown): boolean {
  if (error instanceof SyntaxError) return false;
  const code = dig(error, 'code');
  return code === undefined || code === 'ENOENT' || code === 'ENOTDIR';
}

/** The installed Baileys, as far as it can be told. */
function clientVersion(): string {
  const file = 'node_modules/@whiskeysockets/baileys/package.json';
  for (let up = process.cwd(); ; up = dirname(up)) {
    try {
      const text = fs.readFileSync(join(up, file), 'utf8');
      return String(dig(JSON.parse(text), 'version'));
    } catch {
      if (up === dirname(up)) return '';
    }
  }
}

function alive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function end(sock: Socket | undefined, error: Error): void {
  const ended = async () => sock?.end?.(error);
  // It may have ended already.
  ended().catch(() => undefined);
}

/** Time for a socket to say that it exists, as Baileys does in a tick. */
function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** What lies at a path in a value of any shape. */
function dig(value: unknown, ...path: string[]): unknown {
  return path.reduce((found, key) => (found as Shape)?.[key], value);
}
