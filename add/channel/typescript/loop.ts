import { type Attempt, type Bounds, type Level, type Request } from './gate.js';
import { Gate, end, firstLine } from './gate.js';
import { HOLDS, LATE_MS, SETTLE_MS, UPTIME_MS } from './policy.js';
import { UNLINKED, beside, dig, identityIn } from './memory.js';
import { identityOf, now } from './memory.js';
import { type Events, HeldSocket } from './socket.js';

// --- Loop: what a channel with one account asks of its gate ---

const SAVED_MS = 100;

type Log = (message: string) => unknown;
/** Always called with one string. It may lack a level. */
export type Logger = Partial<Record<Level | 'log', Log>>;

export interface ReconnectOptions {
  /** The folder with creds.json, as given to useMultiFileAuthState. */
  authDir: string | (() => string);
  logger: Logger;
  /** false: this process cannot pair, so a QR code ends it. */
  pairing?: boolean;
}

export interface DialHooks {
  /** No attempt will be made any more, and no event will say so. */
  stopped?: (reason: Error) => void;
  /** The link is not up in time: the host should not wait for it. */
  late?: () => void;
}

export class Reconnect extends Gate {
  private readonly folder: () => string;
  private readonly logger: Logger;
  private connect: (() => unknown) | undefined;
  private hooks: DialHooks = {};
  /** They settle what dial() has returned. */
  private ready: (() => void)[] = [];
  private lateTimer: ReturnType<typeof setTimeout> | undefined;
  /** The attempt that dial() has waited for, until a socket takes it. */
  private offered: Attempt | undefined;
  /** Those of the newest socket. */
  private creds: unknown;
  private newest: LoopSocket | undefined;
  private isStopped = false;

  constructor(options: ReconnectOptions) {
    super();
    const { authDir, logger, pairing } = options;
    this.folder = typeof authDir === 'string' ? () => authDir : authDir;
    this.logger = logger;
    this.pairing = pairing;
  }

  /** True once no further attempt will be made. */
  get terminal(): boolean {
    return this.final !== undefined;
  }

  /** As `make(config)`, but the socket waits for its turn to connect. */
  socket<C, S>(make: (config: C) => S, config: C): S {
    this.creds = dig(config, 'auth', 'creds');
    return this.take().make(make, config);
  }

  /** Of a socket that was made elsewhere, in the connect function of dial(). */
  watch<S>(sock: S): S {
    this.take().watch(sock);
    return sock;
  }

  /** Waits, then runs `connect`, until a call resolves or none may follow. */
  dial(connect = this.connect, hooks?: DialHooks): Promise<void> {
    // It never rejects: hosts do not wait for it in a try.
    const ready = new Promise<void>((resolve) => {
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
  stop(): void {
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
  exitIfAlone(otherConnected?: () => boolean): void {
    if (!otherConnected) return process.exit(0);
    const decide = () => {
      if (!otherConnected()) process.exit(0);
      else this.say('info', 'stopped; the other channels go on');
    };
    // Other channels may still be starting.
    setTimeout(decide, Math.max(0, UPTIME_MS - process.uptime() * 1000));
  }

  override enter(request: Request): void {
    if (this.isStopped) this.final = undefined;
    this.isStopped = false;
    this.giveUp('superseded');
    super.enter(request);
  }

  protected place(): string {
    return beside(this.folder());
  }

  /** Where nobody can pair, credentials that are gone are no other ones. */
  protected identify(): string {
    const found = identityIn(this.folder());
    return found === UNLINKED && this.pairing === false ? '' : found;
  }

  /** A logger that lacks a level, or throws, must not end the attempts. */
  protected override say(level: Level, line: string): void {
    const levels = [level, 'warn', 'info', 'error', 'log'] as const;
    const log = async () => {
      const found = levels.find((each) => this.logger[each]);
      if (found) await this.logger[found]?.(`WhatsApp: ${line}`);
      else super.say(level, line);
    };
    log().catch(() => super.say(level, line));
  }

  protected override bounds(verdict: string | undefined): Bounds {
    const { code, restartAt } = this.memory;
    const isPaired = code === '515' && now() < restartAt + SETTLE_MS;
    // What pairing gave must be in the folder before it is read again.
    const saved = isPaired ? [UNLINKED, identityIn(this.folder())] : [];
    const isUnsaved = isPaired && !saved.includes(identityOf(this.creds));
    const saving = isUnsaved ? now() + SAVED_MS : 0;
    return { ...super.bounds(verdict), saving };
  }

  protected override expired(attempt: Attempt): void {
    if (this.connect) this.redial('deadline');
    // Where the loop is the host's own, a close that it sees makes it go on.
    else super.expired(attempt);
  }

  protected override verdictOn(attempt: Attempt, code: string) {
    const isNew = attempt.state === 'pairing' && code === '408';
    return isNew ? 'unpaired' : super.verdictOn(attempt, code);
  }

  protected override opened(attempt: Attempt): void {
    super.opened(attempt);
    clearTimeout(this.lateTimer);
    this.settle();
  }

  protected override stopFor(code: string): void {
    super.stopFor(code);
    // No open will come: after the host's own handler, nobody waits on.
    clearTimeout(this.lateTimer);
    this.lateTimer = setTimeout(() => this.late(), 0);
  }

  private again(): void {
    const refuse = (why: string) => {
      const error = new Error(this.reason(why));
      if (this.terminal) this.hooks.stopped?.(error);
    };
    this.enter({
      key: this,
      grant: (attempt) => void this.run(attempt),
      refuse,
    });
  }

  private async run(attempt: Attempt): Promise<void> {
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
  private async ask(): Promise<void> {
    try {
      await this.connect?.();
    } catch (error) {
      const why = `the connect function failed: ${firstLine(error)}`;
      this.say('warn', why);
    }
    this.settle();
  }

  private take(): LoopSocket {
    const { offered } = this;
    this.offered = undefined;
    this.newest = new LoopSocket(this, offered);
    return this.newest;
  }

  private settle(): void {
    for (const resolve of this.ready.splice(0)) resolve();
  }

  /** Lets go of the attempt: its end is no event for the host. */
  private giveUp(code: string, error?: unknown): void {
    const { attempt } = this;
    if (attempt.state === 'over') return;
    this.finish(attempt, code, error);
    (attempt.sock as LoopSocket | undefined)?.mute();
    end(attempt.sock, 408, this.reason(code));
  }

  private redial(code: string, error?: unknown): void {
    if (this.terminal) return;
    this.giveUp(code, error);
    if (this.requests.size === 0) this.again();
  }

  private late(): void {
    this.hooks.late?.();
    if (this.terminal) this.settle();
  }
}

/** How they emit, where mute() has changed it. */
const muted = new WeakMap<object, Events['emit']>();

class LoopSocket extends HeldSocket {
  /** attempt: one whose turn has come already. */
  constructor(gate: Gate, attempt?: Attempt) {
    super();
    this.gate = gate;
    this.attempt = attempt;
    if (attempt) attempt.sock = this;
  }

  override watch(made: unknown): void {
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
  mute(): void {
    const { ev } = this.sock ?? {};
    const emit = ev?.emit?.bind(ev);
    if (!ev?.emit || !emit || muted.has(ev)) return;
    muted.set(ev, ev.emit);
    const isKept = (event: string) => event !== 'connection.update';
    ev.emit = (event, ...rest) => isKept(event) && emit(event, ...rest);
  }

  protected override see(update: unknown): void {
    const isNews = dig(update, 'connection') !== 'connecting';
    // A test's mock, or an old Bun, has connected without asking.
    if (isNews && !this.isAsked) this.attempt ??= this.gate?.count();
    super.see(update);
  }
}
