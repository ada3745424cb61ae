import { Gate, end, firstLine } from './gate.js';
import { HOLDS, LATE_MS, SETTLE_MS, UPTIME_MS } from './policy.js';
import { UNLINKED, beside, identityIn } from './memory.js';

// --- Loop: what a channel with one account asks of its gate ---

/** No attempt is allowed: the verdict is final, or stop() was called. */
export class ReconnectStopped extends Error {
  name = 'ReconnectStopped';
}

export class Reconnect extends Gate {
  folder;
  logger;
  connect;
  hooks = {};
  /** They settle what dial() has returned. */
  ready = [];
  lateTimer;
  /** The attempt that dial() has waited for, until turn() takes it. */
  offered;
  /** Handlers of creds.update that run now. */
  saves = 0;
  isStopped = false;

  constructor(options) {
    super();
    const { authDir, logger, pairing } = options;
    this.folder = typeof authDir === 'string' ? () => authDir : authDir;
    this.logger = logger;
    this.pairing = pairing;
  }

  /** True once no further attempt will be made. */
  get terminal() {
    return this.final !== undefined;
  }

  /** An attempt's number once it may start; rejects with ReconnectStopped. */
  turn() {
    // A second call gets no answer: loops that retry on a rejection would spin.
    const { offered } = this;
    this.offered = undefined;
    return new Promise((resolve, reject) => {
      const grant = ({ number }) => resolve(number);
      if (offered?.state === 'running') grant(offered);
      else this.ask(grant, reject);
    });
  }

  /** Sees every event of the connection; false: the host must ignore it. */
  observe(update, number, sock) {
    const { attempt } = this;
    const own = sock;
    if (attempt.state === 'over' || attempt.number !== number) {
      this.discard(update, own);
      return false;
    }
    attempt.sock ??= own;
    if (update.connection === 'open') clearTimeout(this.lateTimer);
    if (this.terminal && update.connection !== 'close') return false;
    this.see(attempt, update);
    return true;
  }

  /** Waits, then runs `connect`, until a call resolves or none may follow. */
  dial(connect = this.connect, hooks) {
    // It never rejects: hosts do not wait for it in a try.
    const ready = new Promise((resolve) => {
      this.ready.push(resolve);
    });
    if (this.requests.size > 0 || !connect) return ready;
    const isFirst = this.isStopped || !this.connect;
    this.connect = connect;
    if (hooks || isFirst) this.hooks = hooks ?? {};
    if (isFirst) this.lateTimer = setTimeout(() => this.late(), LATE_MS);
    this.again();
    return ready;
  }

  /** Wraps a creds.update handler: a restart waits until it has settled. */
  saving(handler) {
    return async (...args) => {
      this.saves += 1;
      try {
        await handler(...args);
      } finally {
        this.saves -= 1;
        this.proceed();
      }
    };
  }

  /** For disconnect, teardown and signals: no attempt until asked again. */
  stop() {
    const isUp = this.attempt.state === 'open' || this.requests.size > 0;
    if (isUp) this.recall();
    // Whoever restarts a bot by hand expects it to try at once.
    const isHeld = HOLDS.includes(this.memory.code);
    if (isUp && !isHeld) this.remember({ notBefore: 0 });
    this.isStopped = true;
    this.drop(this.attempt);
    clearTimeout(this.lateTimer);
    this.requests.get(this)?.refuse('stopped');
    this.requests.clear();
    this.proceed();
  }

  /** Ends the process, with success, unless another channel is connected. */
  exitIfAlone(otherConnected) {
    if (!otherConnected) return process.exit(0);
    const decide = () => {
      if (!otherConnected()) process.exit(0);
      else this.say('info', 'stopped; the other channels go on');
    };
    // Other channels may still be starting.
    setTimeout(decide, Math.max(0, UPTIME_MS - process.uptime() * 1000));
  }

  place() {
    return beside(this.folder());
  }

  /** Where nobody can pair, credentials that are gone are no other ones. */
  identify() {
    const found = identityIn(this.folder());
    return found === UNLINKED && this.pairing === false ? '' : found;
  }

  /** A logger that lacks a level, or throws, must not end the attempts. */
  say(level, line) {
    const levels = [level, 'warn', 'info', 'error', 'log'];
    const log = async () => {
      const found = levels.find((each) => this.logger[each]);
      if (found) await this.logger[found]?.(`WhatsApp: ${line}`);
      else super.say(level, line);
    };
    log().catch(() => super.say(level, line));
  }

  bounds(verdict) {
    const isSaving = this.memory.code === '515' && this.saves > 0;
    const saving = isSaving ? this.memory.restartAt + SETTLE_MS : 0;
    return { ...super.bounds(verdict), saving };
  }

  expired(attempt) {
    if (this.connect) this.redial('deadline');
    // Where the loop is the host's own, a close that it sees makes it go on.
    else end(attempt.sock, 408, 'no answer from WhatsApp in time');
  }

  verdictOn(attempt, code) {
    const isNew = attempt.state === 'pairing' && code === '408';
    return isNew ? 'unpaired' : super.verdictOn(attempt, code);
  }

  stopFor(code) {
    super.stopFor(code);
    // No open will come: after the host's own handler, nobody waits on.
    clearTimeout(this.lateTimer);
    this.lateTimer = setTimeout(() => this.late(), 0);
  }

  ask(grant, stopped) {
    if (this.requests.size > 0) return;
    if (this.isStopped) this.final = undefined;
    this.isStopped = false;
    this.giveUp('superseded');
    const reason = (why) => new ReconnectStopped(this.reason(why));
    const refuse = (why) => stopped?.(reason(why));
    this.enter({ key: this, grant, refuse });
  }

  again() {
    const run = (attempt) => void this.run(attempt);
    this.ask(run, (reason) => {
      if (this.terminal) this.hooks.stopped?.(reason);
    });
  }

  async run(attempt) {
    this.offered = attempt;
    try {
      await this.connect?.();
      // The host had a reason not to dial.
      if (this.offered === attempt) this.drop(attempt);
      if (this.attempt === attempt) this.settle();
    } catch (error) {
      // Time for a socket to say that it exists, as Baileys does in a tick.
      await new Promise((resolve) => process.nextTick(resolve));
      if (this.attempt !== attempt || this.isStopped) return;
      const { sock, state } = attempt;
      const isMade = state === 'open' || (sock && state !== 'over');
      if (!isMade) return this.redial('dial', error);
      // The attempt ends as its socket does.
      const why = `the connect function failed: ${firstLine(error)}`;
      this.say('warn', `${why}; its connection is kept.`);
      this.settle();
    }
  }

  settle() {
    for (const resolve of this.ready.splice(0)) resolve();
  }

  giveUp(code, error) {
    const { attempt } = this;
    if (attempt.state === 'over') return;
    this.finish(attempt, code, error);
    end(attempt.sock, 408, this.reason(code));
  }

  redial(code, error) {
    if (this.terminal) return;
    this.giveUp(code, error);
    this.again();
  }

  /** An event of an old attempt: its socket must not stay behind. */
  discard(update, sock) {
    const { sock: live, state } = this.attempt;
    const current = state === 'over' ? undefined : live;
    if (!sock || sock === current) return;
    // Baileys says 'connecting' right after creation, so the socket is its
    // own. Later the host's variable may hold a newer one.
    const isOwn = update.connection === 'connecting';
    if (isOwn || current) end(sock, 408, 'an old attempt');
    // The host's variable now holds the dead one: dial anew.
    if (isOwn && current && this.connect) this.redial('superseded');
  }

  late() {
    this.hooks.late?.();
    if (this.terminal) this.settle();
  }
}
