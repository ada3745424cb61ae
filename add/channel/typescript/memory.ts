import { createHash, randomUUID } from 'crypto';
import * as fs from 'fs';
import { homedir } from 'os';
import { basename, dirname, join, relative, resolve } from 'path';

import { type Memory, BUDGET_MS, CORRUPT_LEVEL, DELAY_MS } from './policy.js';
import { EXPIRY_CAP_MS, FRESH, RECHECK_MS, VERSION } from './policy.js';
import { delay, grown } from './policy.js';

// --- Memory: a file for each account, shared by all its processes ---

export const UNLINKED = 'unlinked';
const offset = Date.now() - performance.now();

/** Near Date.now(), but a clock that is set changes no wait. */
export function now(): number {
  return performance.now() + offset;
}

/** undefined: there is no file. A damaged one makes the first wait longer. */
export function read(file: string): Memory | undefined {
  try {
    const status = fs.lstatSync(file);
    // A pipe would never answer, and nobody needs a link here.
    const isSound = status.isFile() && status.size <= 65_536;
    return parse(isSound ? fs.readFileSync(file, 'utf8') : '');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    const level = CORRUPT_LEVEL;
    const notBefore = now() + grown(DELAY_MS, level);
    return { ...FRESH, code: 'corrupt', level, notBefore };
  }
}

/** No time but notBefore is ahead, as after a clock that was set back. */
function parse(text: string): Memory {
  const at = now();
  const clean = (key: string, value: unknown) => {
    const isOdd = typeof value === 'string' && !/^[\w-]{0,40}$/.test(value);
    if (isOdd || value === null) return undefined;
    if (typeof value !== 'number' || key === 'notBefore') return value;
    return value > at + BUDGET_MS ? undefined : Math.min(value, at);
  };
  const stored = JSON.parse(text, clean) as Partial<Memory> | undefined;
  const memory = { ...FRESH, version: 0, ...stored };
  for (const [key, value] of Object.entries(FRESH)) {
    const isSound = typeof dig(memory, key) === typeof value;
    if (!isSound || memory.version !== VERSION) throw new SyntaxError(key);
  }
  const most = memory.code === '402' ? EXPIRY_CAP_MS : delay(memory, at, 1);
  memory.notBefore = Math.min(memory.notBefore, at + most);
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
      const made = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (made) fs.writeFileSync(join(folder, '.gitignore'), '*\n');
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

/** What lies at a path in a value of any shape. */
export function dig(value: unknown, ...path: string[]): unknown {
  return path.reduce((found, key) => Object(found)[key], value);
}
