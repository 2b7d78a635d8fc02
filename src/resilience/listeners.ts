import type { Clock, Timer } from '../protocol/ports.js'

/** Who is told when a place frees. */
export class Listeners {
  readonly #all = new Set<() => void>()

  get size(): number {
    return this.#all.size
  }

  /** Returns the removal. */
  add(listener: () => void): () => void {
    // A function of its own: the same listener may be added twice.
    const own = (): void => listener()
    this.#all.add(own)
    return () => void this.#all.delete(own)
  }

  wake(): void {
    if (this.#all.size === 0) return
    for (const listener of [...this.#all]) if (this.#all.has(listener)) listener()
  }
}

/** Listeners, and one timer for the moment at which time alone frees a place: armed only while somebody listens. */
export class TimedListeners extends Listeners {
  readonly #clock: Clock
  #dueMs = Infinity
  #timer: Timer | undefined

  constructor(clock: Clock) {
    super()
    this.#clock = clock
  }

  override add(listener: () => void): () => void {
    const remove = super.add(listener)
    this.#arm()
    return () => {
      remove()
      if (this.size === 0) this.#disarm()
    }
  }

  /** A place frees at `ms`; the earliest time that was named counts. */
  at(ms: number): void {
    if (ms >= this.#dueMs && this.#dueMs > this.#clock.now()) return
    this.never()
    this.#dueMs = ms
    this.#arm()
  }

  /** Time frees nothing any more. */
  never(): void {
    this.#dueMs = Infinity
    this.#disarm()
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#dueMs === Infinity || this.size === 0) return
    this.#timer = this.#clock.after(Math.max(0, this.#dueMs - this.#clock.now()), () => {
      this.#timer = undefined
      this.#dueMs = Infinity
      this.wake()
    })
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
