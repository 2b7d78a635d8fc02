import type { AttemptEnd, Clock, Deployment, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'
import { UNUSED } from './gates.js'
import { TimedListeners } from './listeners.js'

const START = 10
const MOST = 200
const CUT = 0.9
const CUT_EVERY_MS = 1_000
/** Share of the limit in use above which a success says that more would fit. */
const BUSY = 0.8
/** Rounds of successes to one step further where the last step was refused. */
const CAREFUL = 8

/** The answers open on one deployment, and how many the provider seems to bear; no limit while it has not complained. */
export interface AimdState {
  readonly inFlight: number
  readonly limit?: number
}

/**
 * Finds out a concurrency limit that nobody told us: none until the first `rate_limited`, then 10; less by a tenth at each
 * further one, at most once a second. While it is in use it grows: with each success up to where a refusal came last, a
 * fraction of one for each round of successes at that place, and with each success again beyond it. At 200 it lets go.
 */
export class Aimd implements Gate {
  readonly #clock: Clock
  readonly #listeners: TimedListeners
  #limit = Infinity
  #inFlight = 0
  #cutMs = -Infinity
  /** As many as were too many last. */
  #ceiling = Infinity
  /** A place that was refused is not taken again before the next cut may come. */
  #cap = Infinity

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#listeners = new TimedListeners(deps.clock)
  }

  tryEnter(_deployment: Deployment, _call: GateCall): Permit | Refusal {
    if (this.#inFlight + 1 > this.#limit || (this.#inFlight >= this.#cap && this.#capped())) {
      return { refused: 'queue_full', reason: `${this.#inFlight} answers are open, all that the provider bears at once (rate_limited)` }
    }
    this.#inFlight++
    return new Entry(this)
  }

  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  state(): AimdState {
    return { inFlight: this.#inFlight, ...(this.#limit < Infinity && { limit: Math.floor(this.#limit) }) }
  }

  /** Of its permits alone. */
  leave(end: AttemptEnd): void {
    if (end.outcome === 'success') this.#grow()
    else if (end.outcome === 'failure' && end.fault?.code === 'rate_limited') this.#cut()
    this.#inFlight--
    if (end !== UNUSED) this.#listeners.wake()
  }

  #capped(): boolean {
    const untilMs = this.#cutMs + CUT_EVERY_MS
    if (this.#clock.now() < untilMs) {
      this.#listeners.at(untilMs)
      return true
    }
    this.#cap = Infinity
    return false
  }

  #grow(): void {
    const limit = this.#limit
    if (limit === Infinity || this.#inFlight < Math.floor(BUSY * limit)) return
    if (limit >= this.#ceiling + 1) this.#ceiling = Infinity
    this.#limit += limit + 1 < this.#ceiling ? 1 : 1 / (CAREFUL * limit)
    if (this.#limit >= MOST) this.#limit = Infinity
  }

  #cut(): void {
    const nowMs = this.#clock.now()
    this.#cap = Math.max(1, this.#inFlight - 1)
    if (nowMs - this.#cutMs < CUT_EVERY_MS) return
    this.#cutMs = nowMs
    this.#ceiling = this.#inFlight
    this.#limit = this.#limit === Infinity ? START : Math.max(1, this.#limit * CUT)
  }
}

class Entry implements Permit {
  #aimd: Aimd | undefined

  constructor(aimd: Aimd) {
    this.#aimd = aimd
  }

  release(end: AttemptEnd): void {
    const aimd = this.#aimd
    this.#aimd = undefined
    aimd?.leave(end)
  }
}
