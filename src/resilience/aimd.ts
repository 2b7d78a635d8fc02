import type { AttemptEnd, Clock, Deployment, Gate, GateCall, Permit, Refusal } from '../protocol/ports.js'
import { UNUSED } from './gates.js'
import { TimedListeners } from './listeners.js'

const START = 10
const MOST = 200
const CUT = 0.9
const CUT_EVERY_MS = 1_000
/** How long a place that was refused stays empty: that costs a concurrency limit nothing, and lets a rate recover. */
const HOLD_MS = 2_000
/** Where a lone answer is one too many, calls are spaced: the first gap, what a refusal and a success make of it, and its bounds. */
const GAP_MS = 1_000
const WIDER = 1.5
const CLOSER = 0.98
const LEAST_GAP_MS = 100
const MOST_GAP_MS = 8_000
/** Share of the limit in use above which a success says that more would fit. */
const BUSY = 0.8
/** Rounds of successes before a step that was refused last time is tried again. */
const CAREFUL = 8

/** The answers open on one deployment, and how many the provider seems to bear; no limit while it has not complained. */
export interface AimdState {
  readonly inFlight: number
  readonly limit?: number
  /** Milliseconds between two calls, where it bears less than one at a time. */
  readonly gapMs?: number
}

/**
 * Finds out a concurrency limit that nobody told us: none until the first `rate_limited`, then 10; less by a tenth, and by
 * one at least, at each further one, at most once a second. While it is in use it grows by one with each success up to the
 * place that was refused last, waits there for eight rounds of successes, and goes on when an answer came from beyond.
 * At 200 it lets go. Where a lone answer is one too many, calls are spaced: half as far again apart with each refusal, a fiftieth closer
 * with each success.
 */
export class Aimd implements Gate {
  readonly #clock: Clock
  readonly #listeners: TimedListeners
  #limit = Infinity
  #inFlight = 0
  #cutMs = -Infinity
  /** As many as were too many last. */
  #ceiling = Infinity
  /** A place that was refused is not taken again at once. */
  #cap = Infinity
  #capUntilMs = 0
  /** Between the beginnings of two calls; 0 where a limit of open answers says enough. */
  #gapMs = 0
  #beganMs = -Infinity

  constructor(deps: { readonly clock: Clock }) {
    this.#clock = deps.clock
    this.#listeners = new TimedListeners(deps.clock)
  }

  tryEnter(_deployment: Deployment, _call: GateCall): Permit | Refusal {
    if (this.#inFlight + 1 > this.#limit) return { refused: 'queue_full', reason: `${this.#inFlight} answers are open, all that the provider bears at once (rate_limited)` }
    if (this.#inFlight >= this.#cap) {
      const refusal = this.#capped()
      if (refusal !== undefined) return refusal
    }
    if (this.#gapMs > 0) {
      const refusal = this.#spaced()
      if (refusal !== undefined) return refusal
    }
    return new Entry(this, ++this.#inFlight)
  }

  onFree(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  state(): AimdState {
    return { inFlight: this.#inFlight, ...(this.#limit < Infinity && { limit: Math.floor(this.#limit) }), ...(this.#gapMs > 0 && { gapMs: Math.round(this.#gapMs) }) }
  }

  /** Of its permits alone. */
  leave(end: AttemptEnd, place: number): void {
    if (end.outcome === 'success') this.#grow(place)
    else if (end.outcome === 'failure' && end.fault?.code === 'rate_limited') this.#cut(place)
    this.#inFlight--
    // Another gate refused: the next call need not wait for one that was never sent.
    if (end === UNUSED) this.#beganMs = -Infinity
    if (end !== UNUSED) this.#listeners.wake()
  }

  #capped(): Refusal | undefined {
    const retryAtMs = this.#capUntilMs
    if (this.#clock.now() >= retryAtMs) {
      this.#cap = Infinity
      return undefined
    }
    this.#listeners.at(retryAtMs)
    return { refused: 'rate_limited', retryAtMs, reason: `the provider refused more than ${this.#cap} at once (rate_limited) a moment ago` }
  }

  #spaced(): Refusal | undefined {
    const nowMs = this.#clock.now()
    const retryAtMs = this.#beganMs + this.#gapMs
    if (nowMs >= retryAtMs) {
      this.#beganMs = nowMs
      return undefined
    }
    this.#listeners.at(retryAtMs)
    return { refused: 'rate_limited', retryAtMs, reason: `the provider refuses more than a call in ${Math.round(this.#gapMs)} ms (rate_limited)` }
  }

  #grow(place: number): void {
    if (this.#gapMs > 0) {
      this.#gapMs *= CLOSER
      if (this.#gapMs < LEAST_GAP_MS) this.#gapMs = 0
      return
    }
    const limit = this.#limit
    if (limit === Infinity || this.#inFlight < Math.floor(BUSY * limit)) return
    const held = this.#clock.now() < this.#capUntilMs
    if (place > this.#ceiling && !held) this.#ceiling = Infinity
    if (limit + 1 < this.#ceiling) this.#limit++
    else if (!held) this.#limit += 1 / (CAREFUL * limit)
    if (this.#limit >= MOST) this.#limit = Infinity
  }

  #cut(place: number): void {
    const nowMs = this.#clock.now()
    const soon = nowMs - this.#cutMs < CUT_EVERY_MS
    if (!soon) this.#cutMs = nowMs
    if (this.#limit < 2) {
      if (!soon) this.#gapMs = this.#gapMs === 0 ? GAP_MS : Math.min(this.#gapMs * WIDER, MOST_GAP_MS)
      this.#beganMs = nowMs
      return
    }
    // The retry of a lone call is not in its own way.
    this.#cap = Math.max(1, this.#inFlight - 1)
    this.#capUntilMs = nowMs + HOLD_MS
    if (soon) return
    this.#ceiling = place
    this.#limit = this.#limit === Infinity ? START : Math.max(1, Math.min(this.#limit * CUT, this.#limit - 1))
  }
}

class Entry implements Permit {
  #aimd: Aimd | undefined
  /** How many were open with this one when it began. */
  readonly #place: number

  constructor(aimd: Aimd, place: number) {
    this.#aimd = aimd
    this.#place = place
  }

  release(end: AttemptEnd): void {
    const aimd = this.#aimd
    this.#aimd = undefined
    aimd?.leave(end, this.#place)
  }
}
