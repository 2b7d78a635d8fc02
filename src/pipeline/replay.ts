import type { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Clock, Timer } from '../protocol/ports.js'
import type { Reader } from '../resilience/attempt.js'
import type { Cancel } from '../resilience/cancel.js'
import type { Batch } from '../state/cache-answer.js'
import type { Reading } from './source.js'

/** An answer that is known already, told as if it came: at once, or with the pauses of the recorded one. Single use. */
export class Replay implements Reading {
  readonly #batches: readonly Batch[]
  readonly #recorded: boolean
  readonly #clock: Clock
  readonly #off: (() => void) | undefined
  #at = 0
  #startMs: number | undefined
  #timer: Timer | undefined
  #done: Reader | undefined
  #fault: GatewayError | undefined

  constructor(batches: readonly Batch[], pace: 'full' | 'recorded', clock: Clock, cancel: Cancel) {
    this.#batches = batches
    this.#recorded = pace === 'recorded'
    this.#clock = clock
    // At full speed nobody ever waits here.
    this.#off = this.#recorded ? cancel.onCancel(reason => this.end(reason)) : undefined
  }

  /** Tells all that is due in one list, nothing after the finish. */
  read(done: Reader): void {
    const next = this.#batches[this.#at]
    if (this.#fault !== undefined || next === undefined) return done(undefined, this.#fault)
    const waitMs = this.#recorded ? (this.#startMs ??= this.#clock.now()) + next.atMs - this.#clock.now() : 0
    if (waitMs <= 0) return done(this.#due())
    this.#done = done
    this.#timer = this.#clock.after(waitMs, () => {
      this.#timer = this.#done = undefined
      done(this.#due())
    })
  }

  /** Stops the clock; a read that waits is told the reason. Idempotent. */
  end(reason: GatewayError): void {
    if (this.#fault !== undefined || this.#at >= this.#batches.length) return
    this.#fault = reason
    this.#off?.()
    this.#timer?.cancel()
    this.#done?.(undefined, reason)
    this.#done = undefined
  }

  /** Nothing is ever taken back here. */
  holdToWhatWasSaid(): void {
    return
  }

  #due(): readonly ChatEvent[] {
    const untilMs = this.#recorded ? this.#clock.now() - (this.#startMs ?? 0) : Infinity
    const first = this.#batches[this.#at++]?.events ?? []
    let events: ChatEvent[] | undefined
    for (let next = this.#batches[this.#at]; next !== undefined && next.atMs <= untilMs; next = this.#batches[++this.#at]) {
      events ??= [...first]
      for (const event of next.events) events.push(event)
    }
    if (this.#at >= this.#batches.length) this.#off?.()
    return events ?? first
  }
}
