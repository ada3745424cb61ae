import { createHash, randomUUID } from 'crypto';
import * as fs from 'fs';
import { homedir } from 'os';
import { basename, dirname, join, relative, resolve } from 'path';

import { type Memory, FRESH, SETTLED, grown, kindOf } from './policy.js';
import { AHEAD_MS, BUDGET, CORRUPT_LEVEL, DELAY_MS } from './policy.js';
import { RECHECK_MS, VERSION, longest } from './policy.js';

// --- Memory: a file for each account, shared by all its processes ---

export const UNLINKED = 'unlinked';
let offset = Date.now() - performance.now();

/** Near Date.now(), but a clock that is set changes no wait. */
export function now(): number {
  return performance.now() + offset;
}

type Mark = 'cleared' | 'openedAt' | 'restartAt';

/** What was decided last counts, but a hold is for the number: it stays. */
export function merge(mine: Memory, theirs: Memory): Memory {
  const isMine = mine.decidedAt >= theirs.decidedAt;
  const [last, other] = isMine ? [mine, theirs] : [theirs, mine];
  const holds = kindOf(other.code) === 'hold' && other.notBefore > now();
  const decided = holds && kindOf(last.code) !== 'hold' ? other : last;
  const later = (key: Mark) => Math.max(mine[key], theirs[key]);
  const [cleared, openedAt] = [later('cleared'), later('openedAt')];
  const [a, b] = [mine.verdict, theirs.verdict];
  const verdict = (b?.at ?? 0) > (a?.at ?? 0) ? b : a;
  const isOver = verdict && verdict.at < Math.max(cleared, openedAt);
  return {
    ...decided,
    ...(cleared > decided.decidedAt ? SETTLED : {}),
    ...{ cleared, openedAt, restartAt: later('restartAt') },
    pid: theirs.pid,
    attempts: { ...theirs.attempts, ...mine.attempts },
    verdict: isOver ? null : verdict,
  };
}

/** undefined: there is no file. A damaged one makes the first wait longer. */
export function read(file: string): Memory | undefined {
  try {
    const status = fs.lstatSync(file);
    // A pipe would never answer, and nobody needs a link here.
    const isSound = status.isFile() && status.size <= 65_536;
    if (!isSound) throw new SyntaxError(file);
    return parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    const [level, decidedAt] = [CORRUPT_LEVEL, now()];
    const notBefore = decidedAt + grown(DELAY_MS, level);
    return { ...FRESH, code: 'corrupt', level, decidedAt, notBefore };
  }
}

/** A clock that was set back makes no wait longer than its kind. */
function parse(raw: unknown): Memory {
  if (dig(raw, 'version') !== VERSION) throw new SyntaxError('version');
  const found: Record<string, unknown> = { ...FRESH };
  for (const [key, value] of Object.entries(FRESH)) {
    const stored = dig(raw, key);
    const isTime = /At$|Since$|^cleared$/.test(key);
    if (stored === null || typeof stored !== typeof value) continue;
    const isText = typeof stored === 'string';
    if (isText && !/^[\w-]{0,40}$/.test(stored)) continue;
    found[key] = isTime ? Math.min(Number(stored), now()) : stored;
  }
  const memory = found as Memory;
  const at = now();
  const { verdict } = memory;
  const isVerdict = verdict && /^\w+$/.test(verdict.code) && verdict.at > 0;
  if (isVerdict) {
    verdict.at = Math.min(verdict.at, at);
    verdict.identity ??= memory.identity;
  } else memory.verdict = null;
  const stamps = Object.entries(memory.attempts)
    .filter(([, stamp]) => stamp <= at + AHEAD_MS)
    .sort(([, a], [, b]) => a - b)
    .slice(-3 * BUDGET)
    .map(([id, stamp]) => [id, Math.min(stamp, at)]);
  memory.attempts = Object.fromEntries(stamps);
  memory.notBefore = Math.min(memory.notBefore, at + longest(memory, at));
  return memory;
}

/** Whole or not at all, whatever lies there. */
export function write(file: string, memory: Memory): void {
  const part = `${file}.${randomUUID()}.tmp`;
  const text = `${JSON.stringify(memory, undefined, 2)}\n`;
  try {
    fs.writeFileSync(part, text, { flag: 'wx', mode: 0o600 });
    fs.renameSync(part, file);
  } finally {
    fs.rmSync(part, { force: true });
  }
}

/** Removes what a process that was killed in write() left behind. */
export function tidy(file: string): void {
  for (const name of fs.readdirSync(dirname(file))) {
    const part = join(dirname(file), name);
    if (!part.startsWith(`${file}.`) || !part.endsWith('.tmp')) continue;
    const age = Date.now() - fs.lstatSync(part).mtimeMs;
    if (age > RECHECK_MS) fs.rmSync(part, { force: true });
  }
}

/** Beside the credentials: a new link wipes their folder. */
export function beside(folder: string): string {
  const full = resolve(folder);
  // A database address, or a folder around the whole bot.
  const isAround = !relative(full, process.cwd()).startsWith('..');
  if (isAround || folder.includes('://')) return inOwnFolder(hash(folder));
  return join(dirname(full), `${basename(full)}-reconnect.json`);
}

export function inOwnFolder(name: string): string {
  const own = process.env['WHATSAPP_RECONNECT_DIR'] ?? '.whatsapp-reconnect';
  const home = join(homedir(), '.whatsapp-reconnect');
  for (const folder of [resolve(own), home]) {
    try {
      const options = { recursive: true, mode: 0o700 };
      const isNew = fs.mkdirSync(folder, options);
      if (isNew) fs.writeFileSync(join(folder, '.gitignore'), '*\n');
      fs.accessSync(folder, fs.constants.W_OK);
      return join(folder, `${name}-reconnect.json`);
    } catch {
      // The next one, then.
    }
  }
  return '';
}

/** Who the bot is; nobody can read the number from it. */
export function identityOf(creds: unknown): string {
  const me = dig(creds, 'me', 'id');
  // Without an account, pairing has not come to its end.
  if (!me || !dig(creds, 'account')) return UNLINKED;
  const key = dig(creds, 'noiseKey', 'public');
  const stored = (dig(key, 'data') ?? key ?? '') as string;
  const data = Buffer.from(stored, 'base64').toString('base64');
  const written = { type: 'Buffer', data };
  return hash(JSON.stringify([written, dig(creds, 'registrationId'), me]));
}

/** The same of a folder; '' where it cannot be told now. */
export function identityIn(folder: string): string {
  try {
    const text = fs.readFileSync(join(folder, 'creds.json'), 'utf8');
    return identityOf(JSON.parse(text));
  } catch (error) {
    return isAbsent(error) ? UNLINKED : '';
  }
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** No such file; an error without a code comes from a test's mock of fs. */
export function isAbsent(error: unknown): boolean {
  const code = dig(error, 'code') ?? 'ENOENT';
  return !(error instanceof SyntaxError) && /^ENO(ENT|TDIR)$/.test(`${code}`);
}

type Shape = Record<string, unknown> | null | undefined;

/** What lies at a path in a value of any shape. */
export function dig(value: unknown, ...path: string[]): unknown {
  return path.reduce((found, key) => (found as Shape)?.[key], value);
}
