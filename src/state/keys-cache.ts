import { GatewayError } from '../protocol/errors.js'
import type { Clock } from '../protocol/ports.js'

const MAX_ENTRIES = 10_000
/** Store reads under way for as many ids; a store that hangs must not gather all who knock. */
const MAX_READS = 10_000

interface Kept<T> {
  readonly value: T
  readonly untilMs: number
}
interface Reading<T> {
  readonly startMs: number
  result?: Promise<T>
}

/**
 * What a store said a moment ago, by id: bounded, never older than `maxAgeMs`, counted from when the store was asked. What
 * is unknown has a room of its own, so that guessed ids push out no key.
 */
export class KeyCache<T> {
  readonly #read: (id: string) => Promise<T>
  readonly #isKnown: (value: T) => boolean
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #known = new Map<string, Kept<T>>()
  readonly #unknown = new Map<string, Kept<T>>()
  readonly #reading = new Map<string, Reading<T>>()

  constructor(read: (id: string) => Promise<T>, isKnown: (value: T) => boolean, clock: Clock, maxAgeMs: number) {
    this.#read = read
    this.#isKnown = isKnown
    this.#clock = clock
    this.#maxAgeMs = maxAgeMs
  }

  /** What is known here and still young; `undefined` where the store has to be asked. */
  find(id: string): T | undefined {
    const kept = this.#known.get(id) ?? this.#unknown.get(id)
    if (kept === undefined) return undefined
    if (this.#clock.now() < kept.untilMs) return kept.value
    this.#known.delete(id)
    this.#unknown.delete(id)
    return undefined
  }

  /** Asks the store, once for all who ask for this id meanwhile. Rejects where the store does, and keeps nothing then. */
  load(id: string): Promise<T> {
    const startMs = this.#clock.now()
    const open = this.#reading.get(id)
    // A read that has been under way for longer may hold what is too old.
    if (open?.result !== undefined && startMs - open.startMs <= this.#maxAgeMs) return open.result
    if (open === undefined && this.#reading.size >= MAX_READS) return Promise.reject(new GatewayError('store_unavailable', 'The store of the keys does not keep up: too many reads wait for it. Try again in a moment.'))
    const reading: Reading<T> = { startMs }
    this.#reading.set(id, reading)
    return (reading.result = this.#load(id, reading))
  }

  /** The key was changed: what is known here, and what is on its way, is void. */
  drop(id: string): void {
    this.#known.delete(id)
    this.#unknown.delete(id)
    this.#reading.delete(id)
  }

  async #load(id: string, reading: Reading<T>): Promise<T> {
    let value: T
    try {
      value = await this.#read(id)
    } catch (error) {
      if (this.#reading.get(id) === reading) this.#reading.delete(id)
      throw error
    }
    // Changed here while the store was asked: what it said may be from before.
    if (this.#reading.get(id) !== reading) return this.load(id)
    this.#reading.delete(id)
    this.#keep(id, value, reading.startMs + this.#maxAgeMs)
    return value
  }

  #keep(id: string, value: T, untilMs: number): void {
    if (this.#clock.now() >= untilMs) return
    const known = this.#isKnown(value)
    const room = known ? this.#known : this.#unknown
    ;(known ? this.#unknown : this.#known).delete(id)
    room.delete(id)
    // In the order they were read, which is that of their age: the first is the next to go anyway.
    const [oldest] = room.size >= MAX_ENTRIES ? room.keys() : []
    if (oldest !== undefined) room.delete(oldest)
    room.set(id, { value, untilMs })
  }
}
