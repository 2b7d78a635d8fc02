import { GatewayError } from '../protocol/errors.js'
import type { Clock, Timer } from '../protocol/ports.js'
import { prime } from './prime.js'

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /**
   * Moves time on by `ms`, firing what falls due in order of time, then of arming. Between two timers waiting promise jobs
   * get their turn. Advances asked for at once happen one after the other. An error of a timer rejects it.
   */
  advance(ms: number): Promise<void>
  /**
   * Fires timers, also those armed on the way, until none is left or the next one lies more than `maxMs` (default: one hour)
   * after the start; time stops at the last one fired. Resolves to true where none is left.
   */
  runUntilIdle(maxMs?: number): Promise<boolean>
  /** Timers that are armed. */
  readonly pending: number
}

interface Armed {
  readonly dueMs: number
  readonly fn: () => void
  cancelled: boolean
}

const HOUR_MS = 3_600_000
// A timer that arms itself again at the same instant would otherwise never let a test end.
const MOST_AT_ONCE = 100_000
const ROUNDS = 4

/** One turn of the event loop runs every promise job that waits; some turns more are for what needs the loop itself. */
async function settle(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await new Promise<void>(resolve => void (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve, 0)))
}

function duration(ms: number, what: string): number {
  if (!(ms >= 0)) throw new GatewayError('invalid_request', `${what} takes milliseconds, 0 or more.`)
  return ms
}

class StandingClock implements VirtualClock {
  #nowMs: number
  // In firing order.
  readonly #armed: Armed[] = []
  #line: Promise<unknown> = Promise.resolve()
  #primed: Promise<void> | undefined

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  get pending(): number {
    return this.#armed.length
  }

  now(): number {
    return this.#nowMs
  }

  after(ms: number, fn: () => void): Timer {
    const timer: Armed = { dueMs: this.#nowMs + (ms > 0 ? ms : 0), fn, cancelled: false }
    let at = this.#armed.length
    while (at > 0 && (this.#armed[at - 1]?.dueMs ?? 0) > timer.dueMs) at--
    this.#armed.splice(at, 0, timer)
    return {
      cancel: () => {
        if (timer.cancelled) return
        timer.cancelled = true
        const found = this.#armed.indexOf(timer)
        if (found >= 0) this.#armed.splice(found, 1)
      },
    }
  }

  advance(ms: number): Promise<void> {
    return this.#inLine(async () => {
      const endMs = this.#nowMs + duration(ms, 'advance()')
      await this.#fireUntil(endMs)
      this.#nowMs = Math.max(this.#nowMs, endMs)
    })
  }

  runUntilIdle(maxMs = HOUR_MS): Promise<boolean> {
    return this.#inLine(async () => {
      await this.#fireUntil(this.#nowMs + duration(maxMs, 'runUntilIdle()'))
      return this.#armed.length === 0
    })
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#line.then(work)
    this.#line = mine.catch(() => undefined)
    return mine
  }

  async #fireUntil(endMs: number): Promise<void> {
    await (this.#primed ??= prime())
    await settle()
    for (let atOnce = 0; ; atOnce++) {
      const next = this.#armed[0]
      if (next === undefined || next.dueMs > endMs) return
      this.#armed.shift()
      next.cancelled = true
      if (next.dueMs > this.#nowMs) {
        this.#nowMs = next.dueMs
        atOnce = 0
      }
      if (atOnce >= MOST_AT_ONCE) throw new GatewayError('invalid_request', `More than ${MOST_AT_ONCE} timers fired at one instant. Look for a timer that arms itself again with 0 ms.`)
      next.fn()
      await settle()
    }
  }
}

/**
 * A clock for tests: time moves only by `advance` and `runUntilIdle`.
 * @param startMs epoch milliseconds it starts at. Default: 2026-01-01T00:00:00Z.
 *
 * @example
 * const clock = virtualClock()
 * clock.after(1000, () => console.log('a second later'))
 * await clock.advance(1000)
 */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  if (!Number.isFinite(startMs)) throw new GatewayError('invalid_config', 'virtualClock() starts at epoch milliseconds.')
  return new StandingClock(startMs)
}
