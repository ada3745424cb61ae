'use strict';
/**
 * Virtual time, process starts and the supervisor.
 *
 * A World is one scenario of one host: a clock in milliseconds, an agenda, and a slot for each
 * process that its supervisor keeps up (one, or two that share the files). World.proc is the
 * process whose code runs right now. A process start is one call of the compiled bundle with its own
 * timers, Date, process, fetch ... handed in as parameters, so module state is fresh and a
 * start costs some 0.1 ms (a vm context costs 1 to 2 ms; an unpatched host is started
 * 17,280 times a day). Microtasks and process.nextTick are the real ones.
 */
const { Supervisor } = require('./supervisor.cjs');

const realSetImmediate = setImmediate;
const realNextTick = process.nextTick;

/** Thrown by process.exit(): unwinds the host's stack; never a host error. */
const EXIT = Object.freeze(
  Object.assign(new Error('process.exit (virtual process ended)'), { code: 'SKILLGEN_EXIT' }),
);
/** 2026-03-01T00:00:00Z, the wall clock at virtual second 0. */
const EPOCH_MS = Date.UTC(2026, 2, 1);
/** Node runs a timer above this after 1 ms (nodejs.org/api/timers.html). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Steps at one virtual instant above which the host spins without end. */
const MOST_STEPS_AT_ONCE = 200_000;
/** How long a supervisor waits for a process that it ends (systemd: TimeoutStopSec=90s; docker: 10 s). */
const STOP_TIMEOUT_MS = 10_000;
/** How often the processor time is looked at, in steps of the agenda. */
const LOOK_EVERY = 512;
/** Log lines that are kept: the first and the last of a scenario. */
const LOG_HEAD = 40;
const LOG_TAIL = 40;
const SOCKET_MEMBERS =
  'ev|end|user|ws|logout|authState|signalRepository|sendMessage|sendPresenceUpdate|' +
  'presenceSubscribe|groupMetadata|groupFetchAllParticipating|readMessages|' +
  'requestPairingCode|updateMediaMessage|profilePictureUrl|onWhatsApp|relayMessage';
const UNDEFINED_SOCKET = new RegExp(
  `Cannot read properties of (?:undefined|null) \\(reading '(?:${SOCKET_MEMBERS})'\\)`,
);

/** A binary heap of agenda entries by (at, order). */
class Agenda {
  items = [];

  push(entry) {
    const items = this.items;
    let at = items.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, items[parent])) break;
      items[at] = items[parent];
      at = parent;
    }
    items[at] = entry;
  }

  pop() {
    const items = this.items;
    const top = items[0];
    const last = items.pop();
    if (items.length && last) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && before(items[child + 1], items[child])) child += 1;
        if (!before(items[child], last)) break;
        items[at] = items[child];
        at = child;
      }
      items[at] = last;
    }
    return top;
  }

  /** Drops what a dead process left behind. */
  compact() {
    const left = this.items.filter((entry) => entry.run && !entry.proc?.dead);
    this.items = left.sort((a, b) => (before(a, b) ? -1 : 1)); // sorted is a heap
  }
}

function before(a, b) {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** What setTimeout and setInterval return; keeps its process alive while it has a ref. */
class Timer {
  constructor(proc, callback, args, delay, repeat) {
    this.proc = proc;
    this.callback = callback;
    this.args = args;
    this.delay = delay;
    this.repeat = repeat;
    this.active = false;
    this.held = true;
    this.schedule();
  }

  schedule() {
    const { proc } = this;
    if (proc.dead) return;
    if (!this.active && this.held) proc.holds += 1;
    this.active = true;
    const entry = (this.entry = proc.world.at(proc.world.now + this.delay, proc, () => {
      if (!this.active || this.entry !== entry) return;
      if (this.repeat) this.schedule();
      else this.cancel();
      this.callback(...this.args);
    }));
  }

  cancel() {
    if (!this.active) return;
    this.active = false;
    if (this.held) this.proc.holds -= 1;
    this.entry.run = null;
  }

  ref() {
    if (!this.held && this.active) this.proc.holds += 1;
    this.held = true;
    return this;
  }

  unref() {
    if (this.held && this.active) this.proc.holds -= 1;
    this.held = false;
    return this;
  }

  hasRef() {
    return this.held;
  }

  refresh() {
    if (this.active) this.entry.run = null;
    this.schedule();
    return this;
  }

  close() {
    this.cancel();
    return this;
  }

  [Symbol.toPrimitive]() {
    return this.entry ? this.entry.order : 0;
  }

  [Symbol.dispose ?? Symbol.for('dispose')]() {
    this.cancel();
  }
}

/** One start of the host. holds: ref'd timers and open sockets; at 0 its event loop is empty. */
class HostProcess {
  constructor(world, pid, slot) {
    this.world = world;
    this.pid = pid;
    this.slot = slot;
    this.startedAt = world.now;
    this.dead = false;
    this.holds = 0;
    this.exitCode = undefined;
    this.listeners = new Map();
    this.captured = [];
    this.resolved = false;
    this.openSockets = 0;
    this.teardown = null; // the host's own way to stop the channel, where a driver knows it
  }

  /** Runs host code; an exception that leaves it is an uncaught one. */
  guard(run) {
    if (this.dead) return;
    try {
      run();
    } catch (error) {
      this.uncaught(error, 'uncaughtException');
    }
  }

  uncaught(error, kind) {
    if (error === EXIT || this.dead) return;
    this.world.fault(kind, error);
    const own = this.listeners.get(kind);
    if (own && own.length) {
      this.guardListeners(own, [error, kind]);
      return;
    }
    this.die(1);
  }

  guardListeners(listeners, args) {
    for (const listener of [...listeners]) {
      try {
        listener(...args);
      } catch (error) {
        if (error !== EXIT) this.die(7); // Node: an uncaughtException handler that throws
      }
    }
  }

  /** Ends the process: its timers and sockets are dropped. signal: a name, or undefined. */
  die(code, signal) {
    if (this.dead) return;
    const own = this.listeners.get('exit');
    if (own && !signal) {
      for (const listener of [...own]) {
        try {
          listener(code);
        } catch {
          /* Node ends all the same */
        }
      }
    }
    this.dead = true;
    this.world.ended(this, code, signal);
  }

  deliver(signal) {
    const own = this.listeners.get(signal);
    if (own && own.length) this.guardListeners(own, [signal]);
    else this.die(128, signal);
  }

  settled(ok) {
    if (this.dead) return;
    const { world } = this;
    this.resolved = this.resolved || ok;
    world.settled ??= { at: world.now, ok };
    world.noteReady(this);
  }
}

/** A place for one process at a time, and the supervisor that keeps it up. */
class Slot {
  constructor(rules) {
    this.supervisor = new Supervisor(rules);
    this.proc = null;
    this.pending = null; // the start that the supervisor has planned
    this.again = false; // a person has asked for a start after the end of this one
    this.halted = false; // a person has stopped the service
  }

  get live() {
    return Boolean(this.proc && !this.proc.dead);
  }
}

/** One scenario of one host. limit_ms: the processor time that it may take. */
class World {
  constructor({ scenario, supervisor, seed, limit_ms: limit = Infinity }) {
    this.scenario = scenario;
    this.rules = supervisor;
    this.slots = [new Slot(supervisor)];
    this.limit = limit;
    this.now = 0;
    this.shift = 0; // what the wall clock was set by, in ms
    this.order = 0;
    this.agenda = new Agenda();
    this.proc = null;
    this.pid = 4000;
    this.pending = 0;
    this.random = mulberry32(seed);
    this.attempts = [];
    this.runs = [];
    this.opens = [];
    this.saves = 0; // of the credentials, by saveCreds()
    this.starts = [];
    this.exits = [];
    this.sockets = new Set(); // those that are open
    this.denied = null; // files that cannot be written: a RegExp
    this.settled = null;
    this.ready = null;
    this.firstUp = null;
    this.upAtEnd = false;
    this.notRun = '';
    this.more = false; // it goes on, and was cut short: see stormsOn()
    this.faults = new Map();
    this.head = [];
    this.tail = [];
    this.notes = [];
    this.authFolders = new Set();
    this.asked = new Set(); // variables of the environment
    this.unset = new Set(); // those that were asked for, and are not set
    this.standIns = new Set(); // what is not the host's own, and was asked for
    this.help = { rows: '', kind: '' }; // see main.cjs
    this.unanswered = new Set(); // what a database, or a person, might have answered
    this.stored = null; // the credentials that the host's database holds, if it is one
  }

  /** A stand-in was asked for what it answers only where a host does not dial without: see main.cjs. */
  ask(what) {
    if (!this.help.rows) this.unanswered.add(what);
  }

  /** The host has deleted the credentials that its database held. */
  wipe() {
    this.stored = null;
  }

  at(when, proc, run) {
    const entry = { at: when, order: (this.order += 1), proc, run };
    this.agenda.push(entry);
    return entry;
  }

  wall() {
    return EPOCH_MS + this.now + this.shift;
  }

  /** The phase in force now: what WhatsApp and the network do to the latest attempt (or to the next). */
  phase(next = 0) {
    const second = this.now / 1000;
    const nth = this.attempts.length + next;
    for (const phase of this.scenario.phases) {
      if (second < phase.until_s && nth <= (phase.attempts ?? Infinity)) return phase;
    }
    return this.scenario.phases.at(-1);
  }

  get up() {
    return this.slots.some((slot) => slot.live && slot.proc.openSockets > 0);
  }

  noteReady(proc) {
    if (proc.openSockets > 0) {
      this.firstUp ??= this.now;
      if (proc.resolved) this.ready ??= this.now;
    }
  }

  log(level, args) {
    const lines = this.head.length < LOG_HEAD ? this.head : this.tail;
    lines.push([this.now, level, args]);
    if (this.tail.length > LOG_TAIL) this.tail.shift();
    for (const arg of args) {
      const text =
        typeof arg === 'string'
          ? arg
          : arg instanceof Error
            ? arg.message
            : arg && typeof arg === 'object' && ownError(arg);
      if (!text) continue;
      if (UNDEFINED_SOCKET.test(text)) {
        this.fault('undefined-socket', UNDEFINED_SOCKET.exec(text)[0]);
      }
      if (this.readyLog && typeof arg === 'string' && this.readyLog.test(text) && this.proc) {
        this.proc.settled(true);
      }
    }
  }

  note(text) {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  fault(kind, error) {
    const text = typeof error === 'string' ? error : String(error?.message ?? error);
    if (kind !== 'undefined-socket' && UNDEFINED_SOCKET.test(text)) {
      this.fault('undefined-socket', text);
    }
    const key = `${kind}: ${text}`.slice(0, 300);
    const seen = this.faults.get(key);
    if (seen) seen.count += 1;
    else {
      const where = typeof error === 'object' && error?.stack ? String(error.stack) : '';
      this.faults.set(key, { kind, text, count: 1, first_s: this.now / 1000, where });
    }
  }

  /** Lets all microtasks run; real asynchronous file work too, where a host has any. */
  async drain() {
    await new Promise(realSetImmediate);
    while (this.pending > 0) await new Promise(realSetImmediate);
  }

  async run(start) {
    const horizon = this.scenario.horizon_s * 1000;
    const used = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
    const until = used() + this.limit;
    this.start = start;
    this.begin(this.slots[0]);
    for (const act of this.scenario.acts ?? []) this.plan(act, act.at_s * 1000);
    let instant = -1;
    let steps = 0;
    let total = 0;
    for (;;) {
      await this.drain();
      const { proc } = this;
      if (proc && !proc.dead && proc.holds <= 0) {
        const own = proc.listeners.get('beforeExit');
        if (own) proc.guard(() => own.forEach((listener) => listener(proc.exitCode ?? 0)));
        await this.drain();
        if (!proc.dead && proc.holds <= 0) proc.die(Number(proc.exitCode ?? 0));
      }
      let entry = this.agenda.pop();
      while (entry && (!entry.run || (entry.proc && entry.proc.dead))) entry = this.agenda.pop();
      if (!entry || entry.at > horizon) break;
      steps = entry.at === instant ? steps + 1 : 0;
      if (steps > MOST_STEPS_AT_ONCE) {
        this.note(`the host spins at second ${entry.at / 1000}`);
        break;
      }
      total += 1;
      if (total % LOOK_EVERY === 0 && used() > until) {
        const hour = (entry.at / 3_600_000).toFixed(1);
        this.notRun = `cut short at hour ${hour}, after ${Math.round(this.limit / 1000)} s of processor time`;
        break;
      }
      if (this.stormsOn()) {
        this.more = true;
        break;
      }
      instant = this.now = entry.at;
      if (entry.proc) {
        this.proc = entry.proc;
        entry.proc.guard(entry.run);
      } else entry.run();
    }
    this.now = horizon;
    this.upAtEnd = this.up;
    for (const slot of this.slots) if (slot.proc) slot.proc.dead = true;
    await this.drain();
  }

  /** Whether it has shown enough: what a scenario asks to see at most. */
  stormsOn() {
    const { most, most_runs: runs, most_starts: starts } = this.scenario;
    return (
      this.attempts.length > (most ?? Infinity) ||
      this.runs.length > (runs ?? Infinity) ||
      this.starts.length > (starts ?? Infinity)
    );
  }

  begin(slot) {
    slot.pending = null;
    if (slot.live || slot.halted) return;
    if (!slot.supervisor.allows(this.now)) {
      this.note(`start limit hit at second ${this.now / 1000}: the service has failed`);
      return;
    }
    this.starts.push(this.now);
    this.pid += 1;
    const proc = (slot.proc = this.proc = new HostProcess(this, this.pid, slot));
    proc.guard(() => this.start(proc));
  }

  ended(proc, code, signal) {
    this.exits.push([this.now, signal ?? code]);
    for (const seat of this.sockets) if (seat.proc === proc) this.sockets.delete(seat);
    if (this.agenda.items.length > 64) this.agenda.compact();
    const { slot } = proc;
    let wait = slot.supervisor.next(this.now, proc.startedAt, code, signal);
    if (slot.again) wait = 0;
    slot.again = false;
    if (wait !== null) slot.pending = this.at(this.now + wait, null, () => this.begin(slot));
  }

  // --- what a script does to the host: Scenario.acts ---

  plan(act, when) {
    if (act.every_s !== null && when >= act.until_s * 1000) return;
    this.at(when, null, () => {
      if (act.every_s !== null) this.plan(act, when + act.every_s * 1000);
      this.act(act);
    });
  }

  act({ kind, value, by_s: by, unless_up: unlessUp }) {
    const [slot] = this.slots;
    if (unlessUp && this.up) return;
    if (kind === 'start') this.startByHand(slot);
    else if (kind === 'restart') this.restart(slot, value);
    else if (kind === 'stop') this.stop(slot);
    else if (kind === 'clock') this.shift += by * 1000;
    else if (kind === 'second') {
      const second = new Slot(this.rules);
      this.slots.push(second);
      this.begin(second);
    } else this.files(kind, value); // main.cjs knows where they are
  }

  /** `systemctl start` after a person has looked: the start limit is reset. */
  startByHand(slot) {
    slot.halted = false;
    if (slot.live) return;
    if (slot.pending) slot.pending.run = null;
    slot.supervisor.window = null;
    this.begin(slot);
  }

  /** Ends the process by a signal and starts it at once. */
  restart(slot, signal) {
    slot.halted = false;
    if (!slot.live) {
      this.startByHand(slot);
      return;
    }
    slot.supervisor.window = null;
    slot.again = true;
    this.end(slot.proc, signal);
  }

  /** The host's own way to stop the channel where one is known; else the service is stopped. */
  stop(slot) {
    if (!slot.live) return;
    const { proc } = slot;
    if (proc.teardown) {
      this.at(this.now, proc, () => void proc.teardown());
      return;
    }
    slot.halted = true;
    this.end(proc, 'SIGTERM');
  }

  end(proc, signal) {
    if (signal === 'SIGKILL') {
      proc.die(137, signal);
      return;
    }
    this.at(this.now, proc, () => proc.deliver(signal));
    this.at(this.now + STOP_TIMEOUT_MS, proc, () => proc.die(137, 'SIGKILL'));
  }
}

function ownError(object) {
  for (const key of ['err', 'err2', 'error', 'e']) {
    const value = Object.getOwnPropertyDescriptor(object, key)?.value;
    if (value instanceof Error) return value.message;
    if (typeof value === 'string') return value;
  }
  return '';
}

/** A small seeded generator, so that jitter is the same in every run. */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One turn of a process's event loop, at the same instant. */
const turnOf = ({ setImmediate: next }) => new Promise((resolve) => next(resolve));

module.exports = {
  EXIT,
  EPOCH_MS,
  LONGEST_TIMER_MS,
  HostProcess,
  Timer,
  World,
  turnOf,
  realNextTick,
};
