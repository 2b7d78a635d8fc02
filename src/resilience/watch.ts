import type { Deadline, GatewayError } from '../protocol/errors.js'
import type { Clock, Timer } from '../protocol/ports.js'
import { timeout, type Deadlines } from './deadlines.js'

/** Is told of a deadline that passed. */
interface Watched {
  passed(fault: GatewayError): void
}

/**
 * The clocks of one attempt: the first deadline until content comes, then the idle clock while somebody reads, and the
 * abandon clock while nobody does. One timer serves both: it looks again when it is due, instead of being set for each chunk.
 */
export class Watch {
  readonly #clock: Clock
  readonly #deadlines: Deadlines
  readonly #owner: Watched
  #timer: Timer | undefined
  #idling = false
  /** When bytes came last. */
  #activeMs = 0
  /** When a reader came last. */
  #readMs = 0
  /** Since when nobody reads; `undefined` while somebody does. */
  #awayMs: number | undefined

  constructor(clock: Clock, deadlines: Deadlines, owner: Watched) {
    this.#clock = clock
    this.#deadlines = deadlines
    this.#owner = owner
  }

  /** Until content comes. */
  start(ms: number, deadline: Deadline): void {
    this.#timer = this.#clock.after(ms, () => this.#owner.passed(timeout(deadline, ms)))
  }

  /** Content came on the stream wire: from here the stream must not fall silent. */
  content(): void {
    this.#timer?.cancel()
    this.#idling = true
    // The content has been read, so nobody waits until the next read.
    this.#activeMs = this.#readMs = this.#awayMs = this.#clock.now()
    this.#look(this.#deadlines.idleMs)
  }

  /** Bytes came, comments included. */
  active(): void {
    if (this.#idling) this.#activeMs = this.#clock.now()
  }

  /** A reader waits: the idle clock runs from here, where it stood still. */
  reading(): void {
    if (!this.#idling) return
    if (this.#awayMs !== undefined) this.#activeMs = this.#readMs = this.#clock.now()
    this.#awayMs = undefined
    // A timer that was set for an absent reader is due too late for one who is back.
    if (this.#timer === undefined) this.#look(this.#deadlines.idleMs)
  }

  /** The reader has what it waited for. */
  away(): void {
    // What it has came just now, or was there when it asked: no look at the clock.
    if (this.#idling) this.#awayMs = Math.max(this.#activeMs, this.#readMs)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #look(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined
      const { idleMs, abandonMs } = this.#deadlines
      const away = this.#awayMs !== undefined
      const quietMs = this.#clock.now() - (this.#awayMs ?? this.#activeMs)
      const boundMs = away ? abandonMs : idleMs
      if (quietMs >= boundMs) this.#owner.passed(timeout(away ? 'abandon' : 'idle', boundMs))
      else this.#look(Math.min(idleMs, boundMs - quietMs))
    })
  }
}
