import { randomUUID } from 'crypto';

import { AUTH, BLOCKED, BUDGET, BUDGET_MS, DEADLINES_MS } from './policy.js';
import { DELAY_MS, EXPIRY_CAP_MS, MEANINGS, PROBE_MS } from './policy.js';
import { RECHECK_MS, RESET_MS, SETTLE_MS, SPACING_MS } from './policy.js';
import {
  type Memory,
  FRESH,
  SETTLED,
  UNFLUSHED_MS,
  UNWRITABLE_MS,
} from './policy.js';
import { begin, ended, grown, isDown, kindOf, recent } from './policy.js';
import { UNLINKED, dig, isAbsent, merge, now, read } from './memory.js';
import { tidy, write } from './memory.js';

// --- Gate: one for each account; every attempt passes it ---

/** What is read of Baileys' connection.update event. */
export interface Update {
  connection?: string | null | undefined;
  lastDisconnect?: { error?: unknown; date?: unknown } | null | undefined;
  qr?: string | null | undefined;
}

export interface Socket {
  end?: (error: Error) => unknown;
  ev?: { on?: (event: string, heard: (update: Update) => void) => unknown };
  requestPairingCode?: (...all: unknown[]) => unknown;
}

/** Wants to dial. A newer one with the same key takes its place. */
export interface Request {
  key: unknown;
  isAlive(): boolean;
  grant(attempt: Attempt): void;
  refuse(code: string): void;
}

export interface Attempt {
  number: number;
  state: 'running' | 'pairing' | 'open' | 'over';
  sock?: Socket | undefined;
  timer?: ReturnType<typeof setTimeout>;
}

type Level = 'info' | 'warn' | 'error' | 'log';
/** Always called with one string. It may lack a level. */
export type Logger = Partial<Record<Level, (message: string) => unknown>>;

export abstract class Gate {
  protected memory: Memory = { ...FRESH };
  protected attempt: Attempt = { number: 0, state: 'over' };
  /** Why this process makes no further attempt. */
  protected final: string | undefined;
  /** Handlers of creds.update that run now. */
  protected saves = 0;
  protected logger: Logger = console;
  /** false: this process cannot pair, so a QR code ends it. */
  protected pairing: boolean | undefined;
  private requests: Request[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private file = '';
  private replays = 0;
  private askedAt = 0;
  private announced = '';
  private detail = '';
  private unwritableAt = 0;

  protected abstract place(): string;
  /** A hash of the credentials, UNLINKED, or '' where it cannot be told. */
  protected abstract identify(): string;

  enter(request: Request): void {
    const others = this.requests.filter(({ key }) => key !== request.key);
    this.requests = [...others, request].slice(-100);
    this.askedAt = now();
    this.proceed();
  }

  /** Whoever restarts a bot by hand expects it to try at once. */
  protected free(): void {
    this.recall();
    const isHeld = kindOf(this.memory.code) === 'hold';
    if (!isHeld) this.remember({ notBefore: 0, decidedAt: now() });
  }

  protected leave(): Request[] {
    clearTimeout(this.timer);
    return this.requests.splice(0);
  }

  /** Grants a turn to somebody who is still there, refuses it, or waits. */
  proceed(): void {
    clearTimeout(this.timer);
    this.requests = this.requests.filter((request) => request.isAlive());
    if (this.requests.length === 0) return;
    this.recall();
    const verdict = this.verdict();
    const [until, code] = this.bound(verdict);
    const left = until - now();
    if (left > 0) {
      if (!verdict && left > SETTLE_MS) this.announce(code, left);
      // A reset, and what other processes do, is seen on the way.
      const nap = Math.min(left, RECHECK_MS);
      this.timer = setTimeout(() => this.proceed(), nap);
      return;
    }
    const request = this.requests.pop();
    if (verdict) this.stopFor(verdict);
    if (verdict) this.replays += 1;
    if (verdict) request?.refuse(verdict);
    else if (request) this.grant(request);
    this.proceed();
  }

  private grant(request: Request): void {
    this.attempt = { number: this.attempt.number + 1, state: 'running' };
    this.final = undefined;
    this.announced = '';
    this.replays = 0;
    begin(this.memory, randomUUID().slice(0, 8), now());
    this.save();
    this.arm(this.attempt);
    request.grant(this.attempt);
  }

  /** An HTTP refusal makes Baileys emit no close, ever. */
  protected arm(attempt: Attempt): void {
    const { hits } = this.memory;
    const wait = DEADLINES_MS[hits] ?? Math.max(...DEADLINES_MS);
    attempt.timer = setTimeout(() => this.expired(attempt), wait);
  }

  protected expired(attempt: Attempt): void {
    this.arm(attempt);
    end(attempt.sock, 408, 'no answer from WhatsApp in time');
  }

  /** Sees how an attempt goes; late events change nothing. */
  see(attempt: Attempt, { connection, lastDisconnect, qr }: Update): void {
    if (attempt.state === 'over') return;
    if (qr) this.asked(attempt);
    if (connection === 'open') this.opened(attempt);
    if (connection !== 'close') return;
    const error = lastDisconnect?.error;
    const code = String(dig(error, 'output', 'statusCode') ?? 'closed');
    const ours = error instanceof Ended ? 'deadline' : code;
    if (this.final === undefined) this.finish(attempt, ours, error);
    else this.drop(attempt);
  }

  private opened(attempt: Attempt): void {
    clearTimeout(attempt.timer);
    attempt.state = 'open';
    const at = { openedAt: now(), decidedAt: now() };
    this.remember({ ...at, downSince: 0, hits: 0, verdict: null });
    // An open proves nothing: only one that lasts resets the level.
    const settle = () => this.remember({ ...SETTLED, decidedAt: now() });
    attempt.timer = setTimeout(settle, RESET_MS);
    attempt.timer.unref?.();
  }

  /** A QR code: somebody pairs, or the link is gone. */
  protected asked(attempt: Attempt): void {
    clearTimeout(attempt.timer);
    attempt.state = 'pairing';
    if (this.memory.identity !== UNLINKED) this.stopFor('qr');
    else if (this.pairing === false) this.stopFor(UNLINKED);
  }

  protected drop(attempt: Attempt): void {
    attempt.state = 'over';
    clearTimeout(attempt.timer);
  }

  /** The one outcome of an attempt. */
  protected finish(attempt: Attempt, code: string, error?: unknown): void {
    const verdict = this.verdictOn(attempt, code, error);
    const wasUp = attempt.state === 'open';
    this.drop(attempt);
    if (verdict) return this.stopFor(verdict);
    this.recall();
    const { memory } = this;
    // A hold that another process was given meanwhile is for this one, too.
    const held = kindOf(memory.code) === 'hold' ? { ...memory } : undefined;
    memory.code = code;
    memory.hits = code === 'deadline' ? memory.hits + 1 : 0;
    // The one retry of a 401 right after pairing is spent.
    if (code === '401') memory.restartAt = 0;
    // 402 says when it ends, in seconds.
    const expiry = (Number(dig(error, 'data', 'expire')) || 0) * 1000;
    ended(memory, now(), wasUp, Math.min(expiry, EXPIRY_CAP_MS));
    if (held && held.notBefore >= memory.notBefore) {
      memory.code = held.code;
      memory.notBefore = held.notBefore;
    }
    const line = String(dig(error, 'message') ?? '').split('\n')[0] ?? '';
    this.detail = line.replace(/\/\/[^\s/@]*@/g, '//');
    this.save();
    this.proceed();
  }

  /** Why nothing may follow this end, if so. */
  protected verdictOn(_from: Attempt, code: string, error: unknown) {
    if (dig(error, 'message') === 'Intentional Logout') return 'logout';
    // Right after pairing, the credentials may not have been saved yet.
    const isUnsaved = now() - this.memory.restartAt < UNFLUSHED_MS;
    if (code === '401' && isUnsaved) return undefined;
    if (AUTH.includes(code)) return code;
    // A probe that brought no open changes nothing.
    return code === '515' ? undefined : this.memory.verdict?.code;
  }

  /** No further attempt: logged once, remembered while the link is. */
  protected stopFor(code: string): void {
    if (this.final !== undefined) return;
    this.recall();
    this.final = code;
    const { identity } = this.memory;
    const isKept = identity !== UNLINKED || this.pairing === false;
    if (isKept && code !== 'logout' && code !== 'unpaired') {
      this.memory.verdict ??= { code, identity, at: now() };
    }
    this.save();
    const kept = this.memory.verdict ? ` Kept in ${this.file}.` : '';
    this.say('error', `${this.reason(code)}. No further attempt.${kept}`);
    this.proceed();
  }

  /** What forbids an attempt now; once a day it is looked at again. */
  private verdict(): string | undefined {
    const { code, verdict } = this.memory;
    if (!verdict) return this.final;
    const isDue = now() - verdict.at >= PROBE_MS || code === '515';
    return isDue && verdict.code !== UNLINKED ? undefined : verdict.code;
  }

  /** A loop that redials a dead session spins slowly, on nothing. */
  protected replayAt(): number {
    return this.askedAt + grown(DELAY_MS, this.replays + 1);
  }

  /** When another account of this process dialled. */
  protected othersAt(): number {
    return 0;
  }

  /** Until when the next attempt has to wait, and for what. */
  private bound(verdict: string | undefined): [until: number, code: string] {
    if (verdict) return [this.replayAt(), verdict];
    const { code, notBefore, restartAt } = this.memory;
    const stamps = recent(this.memory, now()).map(([, at]) => at);
    const oldest = stamps.sort((a, b) => b - a)[BUDGET - 1] ?? 0;
    const isSaving = code === '515' && this.saves > 0;
    const blind = this.attempt.number > 0 ? 0 : this.unwritableAt;
    const bounds: [until: number, code: string][] = [
      [notBefore, code],
      [(isSaving ? restartAt : 0) + SETTLE_MS, code],
      [blind + UNWRITABLE_MS, 'unwritable'],
      [this.othersAt() + SPACING_MS, 'another account'],
      [oldest + BUDGET_MS, 'budget'],
    ];
    return bounds.reduce((a, b) => (b[0] > a[0] ? b : a));
  }

  /** Reads what this and other processes know, and who the bot is. */
  protected recall(): void {
    const isFirst = !this.file;
    this.file ||= this.place();
    const before = this.memory;
    const stored = this.file ? read(this.file) : undefined;
    // What cannot be read now is what it was.
    const isNews = stored && (isFirst || stored.code !== 'corrupt');
    if (isNews) this.memory = isFirst ? stored : merge(before, stored);
    const { memory } = this;
    const identity = this.identify() || memory.identity || UNLINKED;
    const isGone = identity === UNLINKED && this.pairing === false;
    const isSame = !memory.identity || memory.identity === identity;
    const isOther = !isSame && !isGone;
    if (isOther) {
      // Held against the old link. A block is for the number: it stays.
      const isBlock = BLOCKED.includes(memory.code);
      Object.assign(memory, isBlock ? { level: 0 } : SETTLED);
      memory.decidedAt = now();
    }
    if (isOther || (memory.cleared > before.cleared && !isFirst)) {
      this.final = undefined;
    }
    if (!isGone || !memory.identity) memory.identity = identity;
    const isOld = memory.verdict?.identity !== identity && !isGone;
    if (isOld) memory.verdict = null;
    // A trial: without a memory nothing holds across restarts.
    if (isFirst) this.save();
  }

  protected remember(change: Partial<Memory>): void {
    this.recall();
    Object.assign(this.memory, change);
    this.save();
  }

  private save(): void {
    try {
      if (!this.file) return;
      write(this.file, this.memory);
      if (this.attempt.number === 0) tidy(this.file);
      this.unwritableAt = 0;
    } catch (error) {
      // No folder, no memory: nothing is linked yet.
      if (isAbsent(error) || this.unwritableAt > 0) return;
      this.unwritableAt = now();
      const why = `cannot write ${this.file} (${String(dig(error, 'code'))})`;
      this.say('error', `${why}: a restart forgets the limits.`);
    }
  }

  private announce(code: string, left: number): void {
    if (code === this.announced) return;
    this.announced = code;
    const nth = recent(this.memory, now()).length + 1;
    const wait = `attempt ${nth} of this hour in ${Math.ceil(left / 1000)} s`;
    const at = new Date(Date.now() + left).toString().slice(4, 24);
    const kept = `Kept in ${this.file || 'no file'}; skillgen reset clears it.`;
    const line = `${this.reason(code)}; held: ${wait}, at ${at}. ${kept}`;
    if (!isDown(this.memory, now())) this.say('warn', line);
    else this.say('error', `${line} No link for a day: look at the phone.`);
  }

  protected reason(code: string): string {
    const detail = code === this.memory.code ? this.detail : '';
    const known = (MEANINGS[code] ?? detail).slice(0, 100);
    const { pid } = this.memory;
    const isRival = code === '440' && pid !== process.pid;
    const rival = isRival ? `, last dialled here by process ${pid}` : '';
    return known ? `${code} (${known}${rival})` : code;
  }

  protected say(level: Level, line: string): void {
    const text = `WhatsApp: ${line}`;
    // A logger that lacks a level, or throws, must not end the attempts.
    try {
      const { logger } = this;
      const levels: Level[] = [level, 'warn', 'info', 'error', 'log'];
      const found = levels.find((each) => logger[each]);
      const logged = found ? logger[found]?.(text) : console[level](text);
      Promise.resolve(logged).catch(() => undefined);
    } catch {
      console[level](text);
    }
  }
}

/** What a host sees when we end its socket: an error as Boom has it. */
class Ended extends Error {
  readonly isBoom = true;
  readonly output: object;
  constructor(statusCode: number, message: string) {
    super(message);
    this.output = { statusCode, payload: {}, headers: {} };
  }
}

export function end(sock: Socket | undefined, code: number, why: string) {
  const ended = async () => sock?.end?.(new Ended(code, why));
  // It may have ended already.
  ended().catch(() => undefined);
}
