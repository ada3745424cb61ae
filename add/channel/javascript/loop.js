import { Gate, end, firstLine } from './gate.js';
import { HOLDS, LATE_MS, SETTLE_MS, UPTIME_MS } from './policy.js';
import { UNLINKED, beside, dig, identityIn } from './memory.js';
import { identityOf, now } from './memory.js';
import { HeldSocket } from './socket.js';

// --- Loop: what a channel with one account asks of its gate ---

const SAVED_MS = 100;

export class Reconnect extends Gate {
  folder;
  logger;
  connect;
  hooks = {};
  /** They settle what dial() has returned. */
  ready = [];
  lateTimer;
  /** The attempt that dial() has waited for, until a socket takes it. */
  offered;
  /** Those of the newest socket. */
  creds;
  newest;
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

  /**
   * As `make(config)`, but the socket waits for its turn to connect.
   * @type {<C, S>(make: (config: C) => S, config: C) => S}
   */
  socket(make, config) {
    this.creds = dig(config, 'auth', 'creds');
    return this.take().make(make, config);
  }

  /**
   * Of a socket that was made elsewhere, in the connect function of dial().
   * @type {<S>(sock: S) => S}
   */
  watch(sock) {
    this.take().watch(sock);
    return sock;
  }

  /** Waits, then runs `connect`, until a call resolves or none may follow. */
  dial(connect = this.connect, hooks) {
    // It never rejects: hosts do not wait for it in a try.
    const ready = new Promise((resolve) => {
      this.ready.push(resolve);
    });
    const isOnTheWay = this.offered?.state === 'running';
    if (this.requests.size > 0 || isOnTheWay || !connect) return ready;
    const isFirst = this.isStopped || !this.connect;
    this.connect = connect;
    if (hooks || isFirst) this.hooks = hooks ?? {};
    if (isFirst) this.lateTimer = setTimeout(() => this.late(), LATE_MS);
    if (this.attempt.state === 'over') this.again();
    else void this.ask();
    return ready;
  }

  /** For disconnect, teardown and signals: no attempt until asked again. */
  stop() {
    const isUp = this.attempt.state === 'open' || this.requests.size > 0;
    if (isUp) this.recall();
    // Whoever restarts a bot by hand expects it to try at once.
    const isHeld = HOLDS.includes(this.memory.code);
    if (isUp && !isHeld) this.remember({ notBefore: 0 });
    this.isStopped = true;
    this.newest?.mute();
    this.drop(this.attempt);
    clearTimeout(this.lateTimer);
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

  enter(request) {
    if (this.isStopped) this.final = undefined;
    this.isStopped = false;
    this.giveUp('superseded');
    super.enter(request);
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
    const { code, restartAt } = this.memory;
    const isPaired = code === '515' && now() < restartAt + SETTLE_MS;
    // What pairing gave must be in the folder before it is read again.
    const saved = isPaired ? [UNLINKED, identityIn(this.folder())] : [];
    const isUnsaved = isPaired && !saved.includes(identityOf(this.creds));
    const saving = isUnsaved ? now() + SAVED_MS : 0;
    return { ...super.bounds(verdict), saving };
  }

  expired(attempt) {
    if (this.connect) this.redial('deadline');
    // Where the loop is the host's own, a close that it sees makes it go on.
    else super.expired(attempt);
  }

  verdictOn(attempt, code) {
    const isNew = attempt.state === 'pairing' && code === '408';
    return isNew ? 'unpaired' : super.verdictOn(attempt, code);
  }

  opened(attempt) {
    super.opened(attempt);
    clearTimeout(this.lateTimer);
    this.settle();
  }

  stopFor(code) {
    super.stopFor(code);
    // No open will come: after the host's own handler, nobody waits on.
    clearTimeout(this.lateTimer);
    this.lateTimer = setTimeout(() => this.late(), 0);
  }

  again() {
    const refuse = (why) => {
      const error = new Error(this.reason(why));
      if (this.terminal) this.hooks.stopped?.(error);
    };
    this.enter({
      key: this,
      grant: (attempt) => void this.run(attempt),
      refuse,
    });
  }

  async run(attempt) {
    this.offered = attempt;
    try {
      await this.connect?.();
      const isTaken = this.offered !== attempt;
      // The host had a reason not to connect.
      if (!isTaken) this.drop(attempt);
      if (this.attempt !== attempt || this.isStopped) return;
      // It was over before the host had begun to listen.
      if (isTaken && attempt.state === 'over') this.redial('closed');
      this.settle();
    } catch (error) {
      if (this.attempt !== attempt || this.isStopped) return;
      const isMade = attempt.sock && attempt.state !== 'over';
      if (!isMade) return this.redial('dial', error);
      // The attempt ends as its socket does.
      const why = `the connect function failed: ${firstLine(error)}`;
      this.say('warn', `${why}; its connection is kept.`);
      this.settle();
    } finally {
      if (this.offered === attempt) this.offered = undefined;
    }
  }

  /** There is a link, or will be: the host's own guards decide. */
  async ask() {
    try {
      await this.connect?.();
    } catch (error) {
      const why = `the connect function failed: ${firstLine(error)}`;
      this.say('warn', why);
    }
    this.settle();
  }

  take() {
    const { offered } = this;
    this.offered = undefined;
    this.newest = new LoopSocket(this, offered);
    return this.newest;
  }

  settle() {
    for (const resolve of this.ready.splice(0)) resolve();
  }

  /** Lets go of the attempt: its end is no event for the host. */
  giveUp(code, error) {
    const { attempt } = this;
    if (attempt.state === 'over') return;
    this.finish(attempt, code, error);
    attempt.sock?.mute();
    end(attempt.sock, 408, this.reason(code));
  }

  redial(code, error) {
    if (this.terminal) return;
    this.giveUp(code, error);
    if (this.requests.size === 0) this.again();
  }

  late() {
    this.hooks.late?.();
    if (this.terminal) this.settle();
  }
}

/** How they emit, where mute() has changed it. */
const muted = new WeakMap();

class LoopSocket extends HeldSocket {
  /** attempt: one whose turn has come already. */
  constructor(gate, attempt) {
    super();
    this.gate = gate;
    this.attempt = attempt;
    if (attempt) attempt.sock = this;
  }

  watch(made) {
    super.watch(made);
    const { ev } = this.sock ?? {};
    // A test's mock may have one for all of its sockets.
    const emit = ev && muted.get(ev);
    if (emit) ev.emit = emit;
    if (ev) muted.delete(ev);
    // stop() was called while the host was about to make it.
    if (this.attempt?.state !== 'over') return;
    this.mute();
    end(this, 428, 'stopped');
  }

  /** The host hears no more of it. */
  mute() {
    const { ev } = this.sock ?? {};
    const emit = ev?.emit?.bind(ev);
    if (!ev?.emit || !emit || muted.has(ev)) return;
    muted.set(ev, ev.emit);
    const isKept = (event) => event !== 'connection.update';
    ev.emit = (event, ...rest) => isKept(event) && emit(event, ...rest);
  }

  see(update) {
    const isNews = dig(update, 'connection') !== 'connecting';
    // A test's mock, or an old Bun, has connected without asking.
    if (isNews && !this.isAsked) this.attempt ??= this.gate?.count();
    super.see(update);
  }
}
