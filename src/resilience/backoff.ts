import type { Random } from '../protocol/ports.js'

/** How a call is retried. */
export interface RetrySettings {
  /** Tries per candidate, the first included. */
  readonly attempts: number
  /** Tries per call: a hard cap; inside it one is kept for each candidate not yet asked. */
  readonly maxAttempts: number
  readonly baseMs: number
  readonly maxMs: number
  /** The longest wait an upstream may ask for; beyond it the next candidate is asked at once. */
  readonly retryAfterCapMs: number
}

/**
 * The wait before try `n + 1` of a candidate: full jitter on an exponential, on top of what the upstream asked for, so that
 * a thousand clients told "2 s" do not come back in the same instant. `undefined` where the upstream asks for too much.
 */
export function backoffMs(n: number, retryAfterMs: number | undefined, settings: RetrySettings, random: Random): number | undefined {
  if (retryAfterMs !== undefined && retryAfterMs > settings.retryAfterCapMs) return undefined
  const ceiling = Math.min(settings.maxMs, settings.baseMs * 2 ** Math.min(n - 1, 30))
  return Math.max(0, retryAfterMs ?? 0) + random() * ceiling
}
