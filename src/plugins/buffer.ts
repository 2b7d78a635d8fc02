import type { Clock, Timer } from '../protocol/ports.js'
import type { CallRecord } from '../protocol/result.js'
import type { Sink } from './sinks.js'
import { weigh } from './weigh.js'

/** How records travel to a sink. Times in milliseconds. */
export interface Delivery {
  readonly clock: Clock
  /** Runs a function soon, off the path of the call. */
  readonly defer: (fn: () => void) => void
  /** Most records held for one sink, those being written included. */
  readonly maxBuffered: number
  readonly maxBatch: number
  /** Longest wait of a record before it is offered to the sink, and the pause before a failed batch is offered again. */
  readonly maxDelayMs: number
  /** Longest wait of `flush` and `close` for a sink. */
  readonly maxFlushMs: number
  /** Most characters of content held for one sink. */
  readonly maxContentChars: number
}

interface Held {
  readonly record: CallRecord
  readonly chars: number
}
interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
}

/**
 * The records on their way to one sink: first in first out, bounded, one `write` at a time. A record that finds the buffer
 * full is dropped; a batch that fails twice is dropped; both are counted.
 */
export class RecordBuffer {
  readonly #sink: Sink
  readonly #how: Delivery
  readonly #batch: number
  #waiting: Held[] = []
  #accepted = 0
  #settled = 0
  #dropped = 0
  #chars = 0
  #busy = false
  #deferred = false
  #open = true
  #dead = false
  #timer: Timer | undefined
  #pause: { readonly timer: Timer; readonly wake: () => void } | undefined
  #waiters = new Set<Waiter>()
  #closing: Promise<void> | undefined

  constructor(sink: Sink, how: Delivery) {
    this.#sink = sink
    this.#how = how
    // A batch larger than the buffer could never fill.
    this.#batch = Math.min(sink.maxBatch ?? how.maxBatch, how.maxBuffered)
  }

  /** Records lost so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes a record or counts it as dropped; never waits and never calls the sink. */
  push(record: CallRecord): void {
    const chars = record.content === undefined ? 0 : weigh(record.content, this.#how.maxContentChars)
    const held = this.#accepted - this.#settled
    const heavy = held > 0 && chars > 0 && this.#chars + chars > this.#how.maxContentChars
    if (!this.#open || heavy || held >= this.#how.maxBuffered) {
      this.#dropped++
      return
    }
    this.#waiting.push({ record, chars })
    this.#accepted++
    this.#chars += chars
    if (!this.#busy) this.#schedule()
  }

  /** Resolves when all records taken so far were written or dropped, or after `maxFlushMs`. */
  async flush(): Promise<void> {
    if (this.#dead) return
    const waiter = this.#waiterFor(this.#accepted)
    if (waiter === undefined && this.#sink.flush === undefined) return
    await this.#bounded(async () => {
      await waiter?.settled
      if (!this.#dead) await this.#sink.flush?.()
    })
    if (waiter !== undefined) this.#waiters.delete(waiter.entry)
  }

  /**
   * Flushes, counts what is left as dropped (a write that still hangs too, whatever comes of it), closes the sink. Every call
   * gives the same promise.
   */
  close(): Promise<void> {
    this.#open = false
    return (this.#closing ??= this.#shut())
  }

  async #shut(): Promise<void> {
    await this.flush()
    this.#dead = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#pause?.timer.cancel()
    this.#pause = undefined
    this.#dropped += this.#accepted - this.#settled
    this.#settled = this.#accepted
    this.#waiting = []
    for (const waiter of this.#waiters) waiter.resolve()
    this.#waiters.clear()
    if (this.#sink.close !== undefined) await this.#bounded(async () => this.#sink.close?.())
  }

  #waiterFor(upTo: number): { readonly entry: Waiter; readonly settled: Promise<void> } | undefined {
    if (this.#settled >= upTo) return undefined
    let resolve = () => {}
    const settled = new Promise<void>(done => (resolve = done))
    const entry: Waiter = { upTo, resolve }
    this.#waiters.add(entry)
    this.#pause?.wake()
    this.#start()
    return { entry, settled }
  }

  async #bounded(work: () => Promise<void>): Promise<void> {
    let timer: Timer | undefined
    const late = new Promise<void>(resolve => (timer = this.#how.clock.after(this.#how.maxFlushMs, resolve)))
    try {
      await Promise.race([work(), late])
    } catch {
      // What a sink lost inside its own flush or close, it alone can count.
    } finally {
      timer?.cancel()
    }
  }

  #due(): boolean {
    return this.#waiting.length >= this.#batch || this.#waiters.size > 0
  }

  #schedule(): void {
    if (this.#waiting.length === 0 || this.#dead) return
    if (!this.#due()) {
      this.#timer ??= this.#how.clock.after(this.#how.maxDelayMs, () => this.#start())
      return
    }
    if (this.#deferred) return
    this.#deferred = true
    this.#how.defer(() => {
      this.#deferred = false
      this.#start()
    })
  }

  #start(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#busy || this.#dead || this.#waiting.length === 0) return
    this.#busy = true
    void this.#run()
  }

  async #run(): Promise<void> {
    let turn = 0
    // A long backlog is written in turns, so that a sink which never waits does not hold the event loop.
    do {
      const batch = this.#waiting.splice(0, this.#batch)
      turn += batch.length
      await this.#deliver(batch)
    } while (!this.#dead && this.#waiting.length > 0 && this.#due() && turn < this.#how.maxBatch)
    this.#busy = false
    this.#schedule()
  }

  async #deliver(batch: readonly Held[]): Promise<void> {
    const written = (await this.#write(batch)) || ((await this.#rest()) && (await this.#write(batch)))
    if (this.#dead) return
    this.#settled += batch.length
    if (!written) this.#dropped += batch.length
    for (const { chars } of batch) this.#chars -= chars
    for (const waiter of this.#waiters) {
      if (this.#settled < waiter.upTo) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  /** Waits before a second try, unless someone waits for the end; false where the buffer was closed meanwhile. */
  async #rest(): Promise<boolean> {
    if (this.#waiters.size === 0 && !this.#dead) {
      await new Promise<void>(wake => {
        this.#pause = { wake, timer: this.#how.clock.after(this.#how.maxDelayMs, wake) }
      })
      this.#pause?.timer.cancel()
      this.#pause = undefined
    }
    return !this.#dead
  }

  async #write(batch: readonly Held[]): Promise<boolean> {
    try {
      // Each try has its own array: a sink that empties the first must not empty the second.
      await this.#sink.write(batch.map(held => held.record))
      return true
    } catch {
      return false
    }
  }
}
