'use strict';
/** What starts a process again. The fields of its rules are those of skill/storm/supervisor.py. */

/** Signals that systemd takes for a clean end (systemd.service(5), SuccessExitStatus=). */
const CLEAN = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];

class Supervisor {
  constructor(rules) {
    this.rules = rules;
    this.window = null; // systemd's ratelimit: a window from its first start, not a sliding one
    this.backoff = 0;
    this.restarts = 0;
    this.firstAt = null;
  }

  /** Whether a start is allowed at all: systemd's start limit. */
  allows(now) {
    this.firstAt ??= now;
    const { limit_interval_s: interval, limit_burst: burst } = this.rules;
    if (this.rules.kind !== 'systemd' || !interval || !burst) return true;
    if (!this.window || now - this.window.from >= interval * 1000) {
      this.window = { from: now, count: 1 };
      return true;
    }
    this.window.count += 1;
    return this.window.count <= burst;
  }

  /** Milliseconds until the next start, or null for none. */
  next(now, startedAt, code, signal) {
    return this[this.rules.kind](now - startedAt, code, signal, now);
  }

  none() {
    return null;
  }

  systemd(_ran, code, signal) {
    const { restart, restart_s: pause, prevent_codes: prevent, force_codes: force } = this.rules;
    if (!signal && force.includes(code)) return pause * 1000;
    const clean = signal ? CLEAN.includes(signal) : code === 0;
    if (!signal && prevent.includes(code)) return null;
    if (restart === 'no') return null;
    if (restart === 'on-failure' && clean) return null;
    if (restart === 'on-success' && !clean) return null;
    if (['on-abnormal', 'on-abort', 'on-watchdog'].includes(restart) && !signal) return null;
    return pause * 1000;
  }

  launchd(ran, code, signal) {
    const { restart, restart_s: pause } = this.rules;
    const clean = !signal && code === 0;
    if (restart === 'no' || (restart === 'on-failure' && clean)) return null;
    if (restart === 'on-success' && !clean) return null;
    return Math.max(pause * 1000 - ran, 0);
  }

  /** moby's restartmanager: 100 ms, doubled up to 60 s, back to 100 ms after 10 s of life. */
  compose(ran, code, signal) {
    const { restart, max_restarts: most } = this.rules;
    const clean = !signal && code === 0;
    if (restart === 'no' || (restart === 'on-failure' && clean)) return null;
    this.restarts += 1;
    if (most && this.restarts > most) return null;
    this.backoff = ran >= 10_000 || !this.backoff ? 100 : Math.min(this.backoff * 2, 60_000);
    return this.backoff;
  }

  /** pm2's God.handleExit: early exits count only while the app is younger than they may last. */
  pm2(ran, code, signal, now) {
    const { restart, restart_s: pause, prevent_codes: stop, backoff_s: first } = this.rules;
    const { max_restarts: most, min_uptime_s: least } = this.rules;
    if (restart === 'no' || (!signal && stop.includes(code))) return null;
    const young = now - this.firstAt < least * most * 1000;
    if (young && ran < least * 1000) this.restarts += 1;
    if (this.restarts >= most) return null;
    if (!first) return pause * 1000;
    // pm2's worker takes the delay back every 30 s from an app that has lived as long.
    if (ran >= 30_000) this.backoff = 0;
    this.backoff = this.backoff ? Math.floor(Math.min(15_000, this.backoff * 1.5)) : first * 1000;
    return this.backoff;
  }

  /** supervisord: an end within startsecs is a failed start, tried startretries times. */
  supervisord(ran, code, signal) {
    const { restart, prevent_codes: expected, max_restarts: retries, min_uptime_s: least } = this.rules;
    if (ran < least * 1000) {
      this.restarts += 1;
      return this.restarts > retries ? null : this.restarts * 1000;
    }
    this.restarts = 0;
    if (restart === 'no') return null;
    if (restart === 'on-failure' && !signal && expected.includes(code)) return null;
    return 0;
  }

  /** A loop of a shell script around the program. */
  shell(_ran, code, signal) {
    const { restart, restart_s: pause, backoff_s: most } = this.rules;
    if (restart === 'on-failure' && !signal && code === 0) return null;
    this.backoff = this.backoff && most ? Math.min(this.backoff * 2, most * 1000) : pause * 1000;
    return this.backoff;
  }
}

module.exports = { Supervisor };
