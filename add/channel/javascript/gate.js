import { randomUUID } from 'crypto';

import { AUTH, BUDGET, BUDGET_MS } from './policy.js';
import { DEADLINES_MS, EXPIRY_CAP_MS, HOLDS, MEANINGS } from './policy.js';
import { FRESH, PROBE_MS, RECHECK_MS, RESET_MS, SETTLED } from './policy.js';
import { SETTLE_MS, UNFLUSHED_MS, UNWRITABLE_MS, begin } from './policy.js';
import { ended, isDown, recent } from './policy.js';
import { UNLINKED, dig, isAbsent, now, read, tidy, write } from './memory.js';

// --- Gate: one for each account; every attempt passes it ---

export class Gate {
  memory = { ...FRESH };
  attempt = { number: 0, identity: '', state: 'over' };
  requests = new Map();
  /** Why this process makes no further attempt. */
  final;
  pairing;
  /** Until when a loop that reconnects does not get the verdict again. */
  replayAt = 0;
  replays = 0;
  /** Calls for a pairing code, by sockets that have ended. */
  codes = [];
  timer;
  file = '';
  announced = '';
  detail = '';
  unwritableAt = 0;

  enter(request) {
    this.requests.delete(request.key);
    this.requests.set(request.key, request);
    this.proceed();
  }

  /** Grants a turn to somebody who is still there, refuses it, or waits. */
  proceed() {
    clearTimeout(this.timer);
    for (const [key, { isAlive }] of this.requests) {
      if (isAlive?.() === false) this.requests.delete(key);
    }
    const request = [...this.requests.values()].pop();
    if (!request) return;
    this.recall();
    const verdict = this.verdict();
    const bounds = Object.entries(this.bounds(verdict));
    const [code, until] = bounds.reduce((a, b) => (b[1] > a[1] ? b : a));
    const left = until - now();
    if (left > 0) {
      if (!verdict && left > SETTLE_MS) this.announce(code, left);
      // A reset, and what other processes do, is seen on the way.
      const nap = Math.min(left, RECHECK_MS);
      this.timer = setTimeout(() => this.proceed(), nap);
      return;
    }
    this.requests.delete(request.key);
    if (verdict) this.stopFor(verdict);
    if (verdict) request.refuse(verdict);
    else this.grant(request);
    this.proceed();
  }

  grant(request) {
    request.grant(this.begin());
  }

  /** For an attempt that has begun without asking. */
  count() {
    this.recall();
    return this.begin();
  }

  begin() {
    begin(this.memory, randomUUID().slice(0, 8), now());
    this.final = undefined;
    this.announced = '';
    this.save();
    const { hits, identity } = this.memory;
    const number = this.attempt.number + 1;
    const attempt = { number, identity, state: 'running' };
    // An HTTP refusal makes Baileys emit no close, ever.
    const wait = DEADLINES_MS[hits] ?? Math.max(...DEADLINES_MS);
    attempt.timer = setTimeout(() => this.expired(attempt), wait);
    this.attempt = attempt;
    return attempt;
  }

  expired(attempt) {
    this.finish(attempt, 'deadline');
    end(attempt.sock, 408, 'no answer from WhatsApp in time');
  }

  /** Sees Baileys' connection.update events; late ones change nothing. */
  see(attempt, update) {
    if (attempt.state === 'over') return;
    const connection = dig(update, 'connection');
    if (dig(update, 'qr')) this.asked(attempt);
    if (connection === 'open') this.opened(attempt);
    if (connection !== 'close') return;
    const error = dig(update, 'lastDisconnect', 'error');
    const code = dig(error, 'output', 'statusCode') ?? 'closed';
    const isOwn = dig(error, 'message') === 'Intentional Logout';
    this.finish(attempt, isOwn ? 'logout' : String(code), error);
  }

  opened(attempt) {
    clearTimeout(attempt.timer);
    attempt.state = 'open';
    this.remember({ downSince: 0, hits: 0, verdict: null });
    // An open proves nothing: only one that lasts resets the level.
    attempt.timer = setTimeout(() => this.remember(SETTLED), RESET_MS);
    attempt.timer.unref?.();
  }

  /** A QR code: somebody pairs, or the link is gone. */
  asked(attempt) {
    clearTimeout(attempt.timer);
    attempt.state = 'pairing';
    this.recall();
    const isGone = this.memory.identity !== UNLINKED;
    if (!isGone && this.pairing !== false) return;
    this.stopFor(isGone ? 'qr' : UNLINKED);
    // After the host's own QR branch, which runs right now.
    queueMicrotask(() => end(attempt.sock, 408, 'no code is scanned here'));
  }

  drop(attempt) {
    attempt.state = 'over';
    clearTimeout(attempt.timer);
  }

  /** The one outcome of an attempt. */
  finish(attempt, code, error) {
    const verdict = this.verdictOn(attempt, code);
    const wasUp = attempt.state === 'open';
    this.drop(attempt);
    if (this.final !== undefined) return;
    this.recall();
    const { memory } = this;
    // Of a link that the next attempt no longer has.
    const isPast = ![attempt.identity, UNLINKED].includes(memory.identity);
    if (verdict && !isPast) return this.stopFor(verdict);
    ended(memory, verdict ? 'closed' : code, now(), wasUp);
    // 402 says when it ends, in seconds.
    const expiry = Number(dig(error, 'data', 'expire') ?? 0) * 1000 || 0;
    const until = now() + Math.min(expiry, EXPIRY_CAP_MS);
    memory.notBefore = Math.max(memory.notBefore, until);
    this.detail = firstLine(error);
    this.save();
    this.proceed();
  }

  /** Why nothing may follow this end, if so. */
  verdictOn(_, code) {
    // Right after pairing, the credentials may not have been saved yet.
    const isUnsaved = now() - this.memory.restartAt < UNFLUSHED_MS;
    if (code === '401' && isUnsaved) return undefined;
    if (code === 'logout' || AUTH.includes(code)) return code;
    // A probe that brought no open changes nothing.
    return code === '515' ? undefined : this.memory.verdict?.code;
  }

  /** No further attempt: logged once, remembered while the link is. */
  stopFor(code) {
    if (this.final !== undefined) return;
    this.final = code;
    const { identity } = this.memory;
    const isNew = identity === UNLINKED && this.pairing !== false;
    const isKept = !isNew && code !== 'logout';
    if (isKept) this.memory.verdict ??= { code, at: now() };
    this.save();
    const line = `${this.reason(code)}. No further attempt.`;
    const kept = ` Kept in ${this.file}; no reset is needed.`;
    this.say('error', isKept ? line + kept : line);
    this.proceed();
  }

  /** What forbids an attempt now; once a day it is looked at again. */
  verdict() {
    const { code, verdict } = this.memory;
    if (!verdict) return this.final;
    const isFresh = now() - verdict.at < PROBE_MS && code !== '515';
    return isFresh || verdict.code === UNLINKED ? verdict.code : undefined;
  }

  bounds(verdict) {
    const { attempts, code, notBefore } = this.memory;
    // A loop that retries a dead session goes round slowly and sends nothing.
    if (verdict) return { [verdict]: this.replayAt };
    const stamps = Object.values(attempts).sort((a, b) => b - a);
    const blindAt = this.attempt.number > 0 ? 0 : this.unwritableAt;
    return {
      [code]: notBefore,
      unwritable: blindAt + UNWRITABLE_MS,
      budget: (stamps[BUDGET - 1] ?? 0) + BUDGET_MS,
    };
  }

  /** Reads what other processes did, and who the bot is. */
  recall() {
    const isFirst = !this.file;
    this.file ||= this.place();
    const { attempts, verdict } = this.memory;
    // A file that cannot be written knows less than this process.
    const stored = this.unwritableAt > 0 ? undefined : read(this.file);
    if (stored && (isFirst || stored.code !== 'corrupt')) {
      this.memory = stored;
      stored.attempts = { ...stored.attempts, ...attempts };
    }
    const { memory } = this;
    const identity = this.identify() || memory.identity || UNLINKED;
    const isOther = memory.identity !== '' && memory.identity !== identity;
    // A block is for the number: it outlives the link.
    const isBlock = HOLDS.includes(memory.code) && memory.code !== '440';
    const anew = isBlock ? { level: 0 } : { ...SETTLED, notBefore: 0 };
    if (isOther) Object.assign(memory, anew);
    if (memory.identity !== identity) memory.verdict = null;
    memory.identity = identity;
    // It is linked anew, or a reset or another process's open lifted it.
    if (isOther || (verdict && !memory.verdict)) this.final = undefined;
    if (isFirst || isOther) this.save();
  }

  remember(change) {
    this.recall();
    Object.assign(this.memory, change);
    this.save();
  }

  save() {
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

  announce(code, left) {
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

  reason(code) {
    const { code: last, pid } = this.memory;
    const known = MEANINGS[code] ?? (code === last ? this.detail : '');
    const isRival = code === '440' && pid !== process.pid;
    const rival = isRival ? `, last used here by process ${pid}` : '';
    return known ? `${code} (${known}${rival})` : code;
  }

  say(level, line) {
    console[level](`WhatsApp: ${line}`);
  }
}

/** Of an error, for a log: without the password in an address. */
export function firstLine(error) {
  const [line = ''] = String(dig(error, 'message') ?? '').split('\n');
  return line.replace(/\/\/\S*@/, '//').slice(0, 100);
}

/** With an error as Boom has it. The socket may have ended already. */
export function end(sock, code, why) {
  const output = { statusCode: code, payload: {}, headers: {} };
  const error = Object.assign(new Error(why), { isBoom: true, output });
  const ended = async () => sock?.end(error);
  ended().catch(() => undefined);
}
