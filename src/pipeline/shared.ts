import type { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Clock } from '../protocol/ports.js'
import type { Cancel } from '../resilience/cancel.js'
import { charsOf, type Batch } from '../state/cache-answer.js'
import { asGatewayError } from './settle.js'
import { Seat } from './shared-seat.js'
import type { Opening } from './source.js'

/** How a shared flight ended. */
export interface SharedEnd {
  readonly fault?: GatewayError
  /** The whole answer, where it came whole and is small enough to be given again. */
  readonly answer?: readonly Batch[]
}

/** An answer with more characters than this is not held for callers to come. */
const MAX_LOG_CHARS = 4 * 1024 * 1024

/**
 * One flight for identical calls. What was read is kept for those who come later; whoever asks for more has it read once for
 * everybody. The flight ends with its own end, or when the last reader leaves: once, and `onOver` is told.
 */
export class Shared {
  readonly #clock: Clock
  readonly #onOver: (end: SharedEnd) => void
  readonly #onClosed: () => void
  readonly #seats = new Set<Seat>()
  #source: Opening | undefined
  #cancel: Cancel | undefined
  #leader: Seat | undefined
  #payer: Seat | undefined
  #held = false
  #reading = false
  /** New readers find all that was said. */
  #whole = true
  #log: Batch[] = []
  /** Batches before the log, read by everybody and dropped. */
  #gone = 0
  #chars = 0
  #startMs: number | undefined
  committed = false
  over = false
  fault: GatewayError | undefined

  constructor(clock: Clock, onOver: (end: SharedEnd) => void, onClosed: () => void = () => undefined) {
    this.#clock = clock
    this.#onOver = onOver
    this.#onClosed = onClosed
  }

  /** Batches held for readers. */
  get holding(): number {
    return this.#log.length
  }

  /** A seat, the first of which leads; `undefined` where the flight is over or too far on to be joined. */
  join(cancel: Cancel): Seat | undefined {
    if (this.over || !this.#whole || cancel.reason !== undefined) return undefined
    const seat = new Seat(this, cancel, this.#payer !== undefined)
    this.#seats.add(seat)
    this.#payer ??= this.#leader = seat
    return seat
  }

  start(source: Opening, cancel: Cancel): void {
    this.#source = source
    this.#cancel = cancel
    this.#leader = undefined
    if (this.#held) source.holdToWhatWasSaid()
    source.open().then(
      () => {
        this.committed = true
        this.#wake()
      },
      (error: unknown) => this.#end(asGatewayError(error)),
    )
  }

  get source(): Opening | undefined {
    return this.#source
  }

  isLeader(seat: Seat): boolean {
    return this.#leader === seat
  }

  isPayer(seat: Seat): boolean {
    return this.#payer === seat
  }

  has(at: number): boolean {
    return at - this.#gone < this.#log.length
  }

  /** What a reader has not seen yet, in one list; a restart begins one of its own. */
  take(seat: Seat): readonly ChatEvent[] {
    const first = this.#log[seat.at++ - this.#gone]?.events ?? []
    if (!this.has(seat.at)) return first
    const events = [...first]
    for (let more = this.#log[seat.at - this.#gone]?.events; more !== undefined && more[0]?.type !== 'restart'; more = this.#log[++seat.at - this.#gone]?.events) {
      for (const event of more) events.push(event)
    }
    return events
  }

  pull(): void {
    if (this.#reading || this.over) return
    this.#reading = true
    this.#source?.read(this.#onRead)
  }

  holdToWhatWasSaid(): void {
    this.#held = true
    this.#source?.holdToWhatWasSaid()
  }

  leave(seat: Seat, reason: GatewayError | undefined): void {
    this.#seats.delete(seat)
    if (this.over || reason === undefined) return
    const next = this.#seats.values().next().value
    if (next === undefined) return this.#stop(reason)
    if (this.#payer === seat) this.#payer = next
    if (this.#leader !== seat) return
    this.#leader = next
    next.wake()
  }

  readonly #onRead = (batch: readonly ChatEvent[] | undefined, fault?: GatewayError): void => {
    this.#reading = false
    if (this.over) return
    if (batch === undefined || fault !== undefined) return this.#end(fault)
    this.#keep(batch)
    if (batch.at(-1)?.type === 'finish') this.#end(undefined)
    else this.#wake()
  }

  #keep(events: readonly ChatEvent[]): void {
    const nowMs = this.#clock.now()
    this.#startMs ??= nowMs
    this.#log.push({ atMs: nowMs - this.#startMs, events })
    if (!this.#whole) return this.#trim()
    for (const event of events) {
      this.#chars += charsOf(event)
      // What is void would be given to whoever joins now, too.
      if (event.type === 'restart') this.#chars = Infinity
    }
    if (this.#chars <= MAX_LOG_CHARS) return
    this.#whole = false
    this.#onClosed()
  }

  #trim(): void {
    let slowest = Infinity
    for (const seat of this.#seats) slowest = Math.min(slowest, seat.at)
    if (slowest <= this.#gone) return
    this.#log.splice(0, slowest - this.#gone)
    this.#gone = slowest
  }

  /** Nobody is left. */
  #stop(fault: GatewayError): void {
    this.over = true
    this.fault = fault
    if (this.#whole) this.#onClosed()
    if (this.#source === undefined) return
    this.#source.end(fault)
    // Ends what the flight may be about to open, too.
    this.#cancel?.cancel(fault)
    this.#onOver({ fault })
  }

  #end(fault: GatewayError | undefined): void {
    if (this.over) return
    this.over = true
    this.fault = fault
    if (this.#whole) this.#onClosed()
    this.#onOver(fault === undefined ? (this.#whole ? { answer: this.#log } : {}) : { fault })
    this.#wake()
  }

  #wake(): void {
    // A reader that asks again or leaves meanwhile is no trouble to the loop over a set.
    for (const seat of this.#seats) seat.wake()
  }
}

/** The shared flights of a gateway, by what makes two calls identical. */
export class Flights {
  readonly #open = new Map<string, Shared>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Flights that can be joined. */
  get size(): number {
    return this.#open.size
  }

  /** A seat in the flight of an identical call, or in a new one that this call leads. Without a `key` it is never shared. */
  seat(key: string | undefined, cancel: Cancel, onOver: (end: SharedEnd) => void): Seat {
    if (cancel.reason !== undefined) throw cancel.reason
    const joined = key === undefined ? undefined : this.#open.get(key)?.join(cancel)
    if (joined !== undefined) return joined
    const shared: Shared = new Shared(this.#clock, onOver, () => {
      if (key !== undefined && this.#open.get(key) === shared) this.#open.delete(key)
    })
    if (key !== undefined) this.#open.set(key, shared)
    return shared.join(cancel) as Seat
  }
}
