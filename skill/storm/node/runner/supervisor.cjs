'use strict';
/**
 * Starts a process again, or not, by the rules of skill/storm/supervisor.py: what its rules() gives.
 * The Python engine plays the same ones (python/runner/world.py). Times are milliseconds here.
 */
class Supervisor {
  constructor(rules) {
    this.rules = rules;
    this.window = null; // systemd's ratelimit: a window from its first start, not a sliding one
    this.pause = 0;
    this.counted = 0;
    this.firstAt = null;
  }

  /** Whether a start is allowed at all: the start limit. */
  allows(now) {
    this.firstAt ??= now;
    const limit = this.rules.start_limit;
    if (!limit) return true;
    if (!this.window || now - this.window.from >= limit.interval_s * 1000) {
      this.window = { from: now, count: 0 };
    }
    this.window.count += 1;
    return this.window.count <= limit.burst;
  }

  /** Milliseconds until the next start, or null for none. */
  next(now, startedAt, code, signal) {
    const { limit } = this.rules;
    const ran = now - startedAt;
    const counts = limit !== null && this.counts(limit, ran, now);
    const retried = counts && limit.retry_step_s !== null;
    if (!retried && !this.restartsAfter(code, signal)) return null;
    if (counts) this.counted += 1;
    else if (limit?.retry_step_s) this.counted = 0;
    if (limit && this.counted >= limit.ends) return null;
    return retried ? this.counted * limit.retry_step_s * 1000 : this.wait(ran);
  }

  counts(limit, ran, now) {
    if (limit.new_s !== null && now - this.firstAt >= limit.new_s * 1000) return false;
    return limit.life_s === null || ran < limit.life_s * 1000;
  }

  restartsAfter(code, signal) {
    const { rules } = this;
    const killed = Boolean(signal) && rules.signal_status === null;
    const status = signal ? rules.signal_status : code;
    if (!killed && rules.prevent_codes.includes(status)) return false;
    if (!killed && rules.force_codes.includes(status)) return true;
    const good = killed ? rules.success_signals.includes(signal) : rules.success_codes.includes(status);
    return rules.restarts_after.includes(good ? 'success' : killed ? 'signal' : 'failure');
  }

  wait(ran) {
    const { pause_s: pause, pause_since: since, growth } = this.rules;
    if (!growth) return Math.max(pause * 1000 - (since === 'start' ? ran : 0), 0);
    if (growth.rested_s !== null && ran >= growth.rested_s * 1000) this.pause = 0;
    const longer = Math.floor(Math.min(this.pause * growth.factor, growth.longest_s * 1000));
    this.pause = this.pause ? longer : growth.first_s * 1000;
    return this.pause;
  }
}

module.exports = { Supervisor };
