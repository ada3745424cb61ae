const PERIOD_MS = (12 * 60 + 25) * 60_000

/** The next high water after `now`, counted from a known one. */
export function nextHighWater(known: Date, now: Date): Date {
  const periods = Math.floor((now.getTime() - known.getTime()) / PERIOD_MS) + 1
  return new Date(known.getTime() + periods * PERIOD_MS)
}
