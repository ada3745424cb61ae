// Added by skillgen 0.0.0 (sha256 of the rest: 0000000000000000)
//
// What this bot relies on; the module beside it says why.
import { EventEmitter } from 'events';
import * as fs from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Reconnect } from './index.js';

const MINUTE = 60_000;

let root = '';
let dials = 0;
let reconnect;
let ev = new EventEmitter();
const stopped = vi.fn();
const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };

/** A new process: the module knows only what is on disk. */
function boot() {
  const authDir = join(root, 'auth');
  reconnect = new Reconnect({ authDir, logger });
}

/** What the channel does: it makes a socket, and reconnects when it closes. */
function connect() {
  dials += 1;
  ev = new EventEmitter();
  const sock = reconnect.socket(() => ({ ev }), {});
  sock.ev.on('connection.update', ({ connection }) => {
    const again = connection === 'close' && !reconnect.terminal;
    if (again) reconnect.dial(connect);
  });
}

function dial() {
  reconnect.dial(connect, { stopped });
  return vi.advanceTimersByTimeAsync(0);
}

function see(connection, statusCode = 0) {
  const lastDisconnect = { error: { output: { statusCode } } };
  ev.emit('connection.update', { connection, lastDisconnect });
}

describe('whatsapp reconnect', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
    });
    vi.clearAllMocks();
    dials = 0;
    root = fs.mkdtempSync(join(tmpdir(), 'reconnect-'));
    fs.mkdirSync(join(root, 'auth'));
    const creds = { me: { id: '1:1@s.whatsapp.net' }, account: {} };
    const file = join(root, 'auth', 'creds.json');
    fs.writeFileSync(file, JSON.stringify(creds));
    boot();
  });

  afterEach(() => {
    reconnect.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
    fs.rmSync(root, { recursive: true });
  });

  it('connects at once, and waits longer after each failure', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    await dial();
    expect(dials).toBe(1);
    see('close', 408);
    await vi.advanceTimersByTimeAsync(4_900);
    expect(dials).toBe(1);
    await vi.advanceTimersByTimeAsync(300);
    expect(dials).toBe(2);
    see('close', 408);
    await vi.advanceTimersByTimeAsync(9_700);
    expect(dials).toBe(2);
    await vi.advanceTimersByTimeAsync(500);
    expect(dials).toBe(3);
  });

  it('makes no attempt after a logout, not even in a new process', async () => {
    await dial();
    see('close', 401);
    expect(reconnect.terminal).toBe(true);
    expect(logger.error).toHaveBeenCalledTimes(1);
    boot();
    await dial();
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(dials).toBe(1);
    expect(stopped).toHaveBeenCalledTimes(1);
  });

  it('remembers its wait when the process is restarted', async () => {
    await dial();
    see('close', 440);
    reconnect.stop();
    boot();
    await dial();
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
    expect(dials).toBe(1);
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
    expect(dials).toBeGreaterThan(1);
  });

  it('goes on when an attempt is never answered', async () => {
    await dial();
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(dials).toBe(2);
  });

  it('stops when told to', async () => {
    await dial();
    see('open');
    reconnect.stop();
    see('close', 428);
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(dials).toBe(1);
  });
});
