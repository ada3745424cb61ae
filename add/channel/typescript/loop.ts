import { type Attempt, type Logger, type Socket } from './gate.js';
import { type Update, Gate, end } from './gate.js';
import { LATE_MS, UPTIME_MS } from './policy.js';
import { UNLINKED, beside, dig, identityIn } from './memory.js';

// --- Loop: what a channel with one account asks of its gate ---

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

/** No attempt is allowed: the verdict is final, or stop() was called. */
export class ReconnectStopped extends Error {
  override readonly name = 'ReconnectStopped';
}

export class Reconnect extends Gate {
  private readonly options: ReconnectOptions;
  private connect: (() => Promise<unknown>) | undefined;
  private hooks: DialHooks = {};
  private ready: (() => void)[] = [];
  private lateTimer: ReturnType<typeof setTimeout> | undefined;
  private runs = 0;
  private isStopped = false;
  private isWaiting = false;
  private isDialing = false;

  constructor(options: ReconnectOptions) {
    super();
    this.options = options;
    this.logger = options.logger;
    this.pairing = options.pairing;
  }

  /** True once no further attempt will be made. */
  get terminal(): boolean {
    return this.final !== undefined;
  }

  /**
   * Resolves with the attempt's number when it may start; rejects with
   * ReconnectStopped. Only one call waits at a time: a second one would not
   * be answered, as a rejection makes loops that retry on errors spin.
   */
  turn(): Promise<number> {
    this.isDialing = false;
    if (this.isWaiting) return new Promise<number>(() => undefined);
    if (this.isStopped) this.final = undefined;
    this.isStopped = false;
    if (this.isLive() && !this.terminal) this.giveUp('superseded');
    this.isWaiting = true;
    return new Promise<number>((resolve, reject) => {
      this.enter({
        key: this,
        isAlive: () => true,
        grant: ({ number }) => {
          this.isWaiting = false;
          resolve(number);
        },
        refuse: (code) => {
          this.isWaiting = false;
          reject(new ReconnectStopped(this.reason(code)));
        },
      });
    });
  }

  /** Sees every event of the connection; false: the host must ignore it. */
  observe(update: Update, number: number, sock?: unknown): boolean {
    const { attempt } = this;
    if (!this.isLive() || attempt.number !== number) {
      this.discard(update, sock as Socket | undefined);
      return false;
    }
    attempt.sock ??= sock as Socket | undefined;
    if (update.connection === 'open') clearTimeout(this.lateTimer);
    if (this.terminal && update.connection !== 'close') return false;
    this.see(attempt, update);
    return true;
  }

  /**
   * Runs `connect` until a call resolves: its socket exists then, and the
   * promise settles, as when none will come. It never rejects.
   * Without `connect`: as the last time.
   */
  dial(connect = this.connect, hooks?: DialHooks): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.ready.push(resolve);
    });
    if (this.isWaiting || this.isDialing || !connect) return ready;
    const isFirst = this.isStopped || !this.connect;
    this.connect = connect;
    if (hooks || isFirst) this.hooks = { ...hooks };
    if (isFirst) this.lateTimer = setTimeout(() => this.late(), LATE_MS);
    void this.run();
    return ready;
  }

  /** Wraps a creds.update handler: a restart waits until it has settled. */
  saving<A extends unknown[]>(handler: (...args: A) => unknown) {
    return async (...args: A): Promise<void> => {
      this.saves += 1;
      try {
        await handler(...args);
      } finally {
        this.saves -= 1;
        if (this.saves === 0) this.proceed();
      }
    };
  }

  /** For disconnect, teardown and signals: no attempt until asked again. */
  stop(): void {
    const isUp = this.attempt.state === 'open';
    if (isUp || this.isWaiting) this.free();
    this.isStopped = true;
    this.isDialing = false;
    this.runs += 1;
    this.drop(this.attempt);
    clearTimeout(this.lateTimer);
    for (const request of this.leave()) request.refuse('stopped');
  }

  /** Ends the process, with success, unless another channel is connected. */
  exitIfAlone(otherConnected?: () => boolean): void {
    if (!otherConnected) return process.exit(0);
    const decide = () => {
      if (!otherConnected()) process.exit(0);
      else this.say('info', 'stopped; the other channels go on');
    };
    // Other channels may still be starting.
    const early = UPTIME_MS - process.uptime() * 1000;
    if (early > 0) setTimeout(decide, early);
    else decide();
  }

  protected place(): string {
    return beside(this.folder());
  }

  protected identify(): string {
    return identityIn(this.folder());
  }

  private folder(): string {
    const { authDir } = this.options;
    return typeof authDir === 'string' ? authDir : authDir();
  }

  protected override replayAt(): number {
    return 0;
  }

  protected override expired(attempt: Attempt): void {
    // Where the loop is the host's own, a close makes it go on.
    if (!this.connect) return super.expired(attempt);
    this.giveUp('deadline');
    void this.run();
  }

  protected override asked(attempt: Attempt): void {
    super.asked(attempt);
    if (!this.terminal) return;
    // After the host's own QR branch, which runs right now.
    const ended = () => end(attempt.sock, 408, 'no code is scanned here');
    void Promise.resolve().then(ended);
  }

  protected override verdictOn(from: Attempt, code: string, error: unknown) {
    const over = String(dig(error, 'message')).includes('QR refs attempts');
    const isPairing = from.state === 'pairing' || over;
    const isNew = this.memory.identity === UNLINKED;
    if (code === '408' && isNew && isPairing) return 'unpaired';
    return super.verdictOn(from, code, error);
  }

  protected override stopFor(code: string): void {
    super.stopFor(code);
    // No open will come: after the host's own handler, nobody waits on.
    clearTimeout(this.lateTimer);
    this.lateTimer = setTimeout(() => this.late(), 0);
  }

  private isLive(): boolean {
    return this.attempt.state !== 'over';
  }

  private async run(): Promise<void> {
    this.runs += 1;
    const run = this.runs;
    this.isDialing = true;
    let failed: unknown;
    try {
      await this.connect?.();
      if (run !== this.runs) return;
      this.isDialing = false;
      for (const resolve of this.ready.splice(0)) resolve();
      return;
    } catch (error) {
      failed = error;
    }
    try {
      if (run !== this.runs) return;
      if (failed instanceof ReconnectStopped) throw failed;
      // A connect function that fails before its turn waits for it here.
      if (this.isDialing) await this.turn();
      // Time for a socket to say that it exists, as Baileys does in a tick.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      if (run !== this.runs) return;
      const { sock, state } = this.attempt;
      const isMade = state === 'open' || (sock && state !== 'over');
      if (isMade) return this.keep(failed);
      if (this.isLive()) this.giveUp('dial', failed);
      if (!this.terminal) void this.run();
    } catch (reason) {
      this.isDialing = false;
      if (!this.terminal) return;
      const { stopped, ...hooks } = this.hooks;
      this.hooks = hooks;
      stopped?.(reason as Error);
    }
  }

  /** Once there is a socket, the attempt ends as that does. */
  private keep(error: unknown): void {
    const why = String(dig(error, 'message') ?? error).split('\n')[0];
    const line = `the connect function failed: ${why}; its connection is kept.`;
    this.say('warn', line);
    for (const resolve of this.ready.splice(0)) resolve();
  }

  private giveUp(code: string, error?: unknown): void {
    const { sock } = this.attempt;
    this.finish(this.attempt, code, error);
    end(sock, 408, this.reason(code));
  }

  /** An event of an old attempt: its socket must not stay behind. */
  private discard(update: Update, sock: Socket | undefined): void {
    const current = this.isLive() ? this.attempt.sock : undefined;
    if (!sock || sock === current) return;
    // Baileys says 'connecting' right after creation, so the socket is its
    // own. Later the host's variable may hold a newer one.
    const isOwn = update.connection === 'connecting';
    if (isOwn || current) end(sock, 408, 'an old attempt');
    // The host's variable now holds the dead one: dial anew.
    if (isOwn && current && this.connect && !this.terminal) {
      this.giveUp('superseded');
      void this.run();
    }
  }

  private late(): void {
    const { late, ...hooks } = this.hooks;
    this.hooks = hooks;
    late?.();
    if (!this.terminal) return;
    for (const resolve of this.ready.splice(0)) resolve();
  }
}
