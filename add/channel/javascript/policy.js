// --- Policy: what follows from the end of an attempt ---

// skillgen: policy begins (rendered from skill/policy.py; do not edit)
export const DELAY_MS = [5_000, 300_000];
export const HOLD_MS = [300_000, 3_600_000];
export const DOWN_MS = [86_400_000, 3_600_000];
export const FACTOR = 2;
export const JITTER = [2, 0.5];
export const RESET_MS = 300_000;
export const BUDGET = 20;
export const BUDGET_MS = 3_600_000;
export const RESTARTS = 3;
export const SETTLE_MS = 2_000;
export const UNFLUSHED_MS = 15_000;
export const UNWRITABLE_MS = 60_000;
export const CORRUPT_LEVEL = 3;
export const EXPIRY_CAP_MS = 2_592_000_000;
export const PROBE_MS = 86_400_000;
export const LATE_MS = 25_000;
export const UPTIME_MS = 30_000;
export const RECHECK_MS = 60_000;
export const SPACING_MS = 1_000;
export const DEADLINES_MS = [60_000, 120_000, 180_000];
export const VERSION = 1;
export const AUTH = ['401', '403', '406', '411'];
export const HOLDS = ['400', '402', '405', '409', '418', '429', '440', '501'];
export const MEANINGS = {
  401: 'logged out: link the bot again',
  402: 'blocked for a time: leave the number alone until then',
  403: 'account locked: look at WhatsApp on the phone first',
  405: 'client outdated: update the WhatsApp library',
  406: 'account blocked: look at WhatsApp on the phone first',
  411: 'not a multi-device account: update WhatsApp on the phone',
  440: 'another client took this session: stop the other client',
  logout: 'logged out by the bot itself: link the bot again',
  qr: 'a QR code was asked for, so this link is gone: link the bot again',
  unlinked: 'not linked yet: link the bot with its WhatsApp setup',
  unpaired: 'pairing was not completed: start the bot again for a new code',
};
// skillgen: policy ends

/** Attempts since a long open or new link; holds, 515s, deadlines in a row. */
export const SETTLED = { level: 0, blocked: 0, restarts: 0, hits: 0 };

/** What is remembered of one account. Times: ms since 1970; 0 is never. */
export const FRESH = {
  version: VERSION,
  /** When the attempts of the last hour began, by their ids. */
  attempts: {},
  ...SETTLED,
  notBefore: 0,
  /** How the last one ended, and with which credentials. */
  code: 'started',
  identity: '',
  downSince: 0,
  restartAt: 0,
  verdict: null,
  pid: 0,
};

/** Counted ahead: a crash right after it changes nothing. */
export function begin(memory, id, at) {
  // Days switched off are no outage.
  const last = Math.max(0, ...Object.values(memory.attempts));
  if (at - last > 2 * DOWN_MS[1]) memory.downSince = 0;
  memory.downSince ||= at;
  memory.attempts = { ...Object.fromEntries(recent(memory, at)), [id]: at };
  memory.level += 1;
  memory.code = 'started';
  memory.pid = process.pid;
  memory.notBefore = at + delay(memory, at);
  if (memory.verdict) memory.verdict.at = at;
}

/** After one that never opened, the delay counts from its start. */
export function ended(memory, code, at, wasUp = false) {
  const { code: other, notBefore } = memory;
  const isRestart = code === '515';
  memory.code = code;
  memory.level = Math.max(memory.level, 1);
  memory.hits = code === 'deadline' ? memory.hits + 1 : 0;
  memory.restarts = isRestart ? memory.restarts + 1 : 0;
  if (isRestart) memory.restartAt = at;
  // The one retry of a 401 right after pairing is spent.
  if (code === '401') memory.restartAt = 0;
  if (isRestart && memory.restarts <= RESTARTS) {
    // No failure: the level is what it was before the attempt.
    memory.level -= 1;
    memory.notBefore = 0;
  } else if (HOLDS.includes(code)) {
    memory.blocked += 1;
    memory.notBefore = at + delay(memory, at);
  } else {
    const due = wasUp ? at + delay(memory, at) : notBefore;
    memory.notBefore = Math.max(at + DELAY_MS[0], due);
  }
  // A hold that another process was given meanwhile is for this one, too.
  const isHeld = HOLDS.includes(other) && notBefore >= memory.notBefore;
  if (isHeld) Object.assign(memory, { code: other, notBefore });
}

/** The attempts of the last hour. */
export function recent(memory, now) {
  const all = Object.entries(memory.attempts);
  return all.filter(([, at]) => at > now - BUDGET_MS);
}

export function isDown({ downSince }, now) {
  return downSince > 0 && now - downSince > DOWN_MS[0];
}

/** Bots that were dropped together must not come back together. */
export function delay(memory, now, chance = Math.random()) {
  const { blocked, code, level } = memory;
  const isHold = HOLDS.includes(code);
  let wait = isHold ? grown(HOLD_MS, blocked) : grown(DELAY_MS, level);
  if (!isHold && isDown(memory, now)) wait = DOWN_MS[1];
  const jitter = JITTER[wait > DELAY_MS[0] ? 1 : 0];
  return Math.round(wait * (1 + jitter * chance));
}

export function grown(steps, level) {
  return Math.min(steps[1], steps[0] * FACTOR ** (Math.max(level, 1) - 1));
}
