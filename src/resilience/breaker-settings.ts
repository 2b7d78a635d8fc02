import { CODES, GatewayError, type Code } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { above0 } from './checks.js'

/** When a deployment is no longer called, and when it is asked again. */
export interface BreakerOptions {
  /** Failures in a row that open the circuit. Default: 3. */
  readonly failures?: number
  /** Share of failures in the window that opens it, above 0 and at most 1. Default: 0.5. */
  readonly failureRate?: number
  /** Ends in the window below which the share says nothing. Default: 5. */
  readonly minSamples?: number
  /** The sliding window. Default: 60,000. */
  readonly windowMs?: number
  /** From opening to the next probe. Default: 15,000. */
  readonly probeIntervalMs?: number
}
export type BreakerPhase = 'closed' | 'open' | 'half_open' | 'ramp' | 'isolated'
export const PHASES: readonly BreakerPhase[] = ['closed', 'open', 'half_open', 'ramp', 'isolated']

/** A breaker as `health()` shows it. Times are epoch milliseconds on the clock of the gateway. */
export interface BreakerState {
  /** `ramp`: a probe succeeded, and 1, 2, 4, 8 tries may start at once until it is closed. */
  readonly state: BreakerPhase
  /** In words; absent while closed. */
  readonly why?: string
  readonly sinceMs: number
  /** While open. */
  readonly nextProbeMs?: number
}
/** What `JSON.stringify` keeps of a breaker. The counts of a closed one are not kept. */
export interface BreakerSnapshot extends BreakerState {
  /** Of the fault that opened it. */
  readonly code?: Code
  /** Tries that may start at once on the ramp. */
  readonly limit?: number
}

const KNOWN = new Set(['failures', 'failureRate', 'minSamples', 'windowMs', 'probeIntervalMs'])

/** The settings with their defaults. Throws `invalid_config`. */
export function breakerSettings(options: BreakerOptions): Required<BreakerOptions> {
  refuseUnknownKeys(options, KNOWN, 'breaker')
  return {
    failures: above0(options.failures, 3, 'breaker.failures', 'whole'),
    failureRate: above0(options.failureRate, 0.5, 'breaker.failureRate', 'share'),
    minSamples: above0(options.minSamples, 5, 'breaker.minSamples', 'whole'),
    windowMs: above0(options.windowMs, 60_000, 'breaker.windowMs'),
    probeIntervalMs: above0(options.probeIntervalMs, 15_000, 'breaker.probeIntervalMs'),
  }
}

const isTime = (value: unknown): boolean => value === undefined || (typeof value === 'number' && Number.isFinite(value))

/** A snapshot from outside, checked. Throws `invalid_config`. */
export function checkedSnapshot(value: unknown): BreakerSnapshot {
  const snapshot = (isObject(value) ? value : {}) as Partial<BreakerSnapshot>
  const { state, why, sinceMs, nextProbeMs, code, limit } = snapshot
  const sound =
    state !== undefined &&
    PHASES.includes(state) &&
    typeof sinceMs === 'number' &&
    isTime(sinceMs) &&
    isTime(nextProbeMs) &&
    (why === undefined || typeof why === 'string') &&
    (code === undefined || CODES.includes(code)) &&
    (limit === undefined || [1, 2, 4, 8].includes(limit))
  if (!sound) throw new GatewayError('invalid_config', 'This is no state of a breaker. Give what toJSON() of a breaker gave, or leave it out.')
  return snapshot as BreakerSnapshot
}
