import type { Standing } from '../protocol/ports.js'
import type { Need } from './claims.js'

/** All that a window counts from one millisecond on. */
class Moment {
  amount = 0
  /** Of it, what holds still hold. */
  held = 0
  gone = false

  constructor(readonly atMs: number) {}
}
/** What a hold holds of a counter. */
export interface Entry {
  readonly amount: number
  /** In a window: when. */
  readonly moment: Moment | undefined
}

/** Where an amount counts. */
export type Place = Pick<Need, 'key' | 'windowMs' | 'period' | 'endMs' | 'later'>

/** One key over one window, one period or all time. Its sum is what is charged and what is held. */
export class Counter {
  sum = 0
  held = 0
  readonly key: string
  readonly windowMs: number | undefined
  #moments: Moment[] = []
  #first = 0
  #period: number | undefined
  #endMs: number | undefined
  #later: Need['later']

  constructor({ key, windowMs, period, endMs, later }: Place) {
    this.key = key
    this.windowMs = windowMs
    this.#period = period
    this.#endMs = endMs
    this.#later = later
  }

  get period(): number | undefined {
    if (this.#later !== undefined) this.#locate()
    return this.#period
  }
  /** When its period ends. */
  get endMs(): number | undefined {
    if (this.#later !== undefined) this.#locate()
    return this.#endMs
  }

  get size(): number {
    return this.#moments.length - this.#first
  }
  get standing(): Standing {
    const { key, windowMs, period, held } = this
    const standing: { -readonly [K in keyof Standing]: Standing[K] } = { key, charged: this.sum - held, held }
    if (windowMs !== undefined) standing.windowMs = windowMs
    if (period !== undefined) standing.period = period
    return standing
  }

  /** Gives the moment it counts in, in a window. @param atMs whole milliseconds, not before those of the holds before it. */
  hold(amount: number, atMs: number): Moment | undefined {
    this.sum += amount
    this.held += amount
    if (this.windowMs === undefined) return undefined
    let moment = this.#moments.at(-1)
    if (moment === undefined || this.size === 0 || moment.atMs < atMs) this.#moments.push((moment = new Moment(atMs)))
    moment.amount += amount
    moment.held += amount
    return moment
  }

  /** Ends what a hold holds: `charge` stays. What has left the window changes nothing. */
  settle({ amount, moment }: Entry, charge: number): void {
    // Gone moments took with them what was held of them.
    if (moment?.gone === true) return
    this.held -= amount
    this.sum += charge - amount
    if (moment === undefined) return
    moment.held -= amount
    moment.amount += charge - amount
  }

  /** It still counts: its window has not moved on. */
  counts({ moment }: Entry): boolean {
    return moment?.gone !== true
  }

  /** Forgets what has left the window; returns how many milliseconds that were. */
  prune(nowMs: number): number {
    const { windowMs } = this
    if (windowMs === undefined) return 0
    const before = this.#first
    for (let moment = this.#moments[before]; moment !== undefined && nowMs - moment.atMs >= windowMs; moment = this.#moments[this.#first]) {
      this.sum -= moment.amount
      this.held -= moment.held
      moment.gone = true
      this.#first++
    }
    const gone = this.#first - before
    if (this.#first * 2 > this.#moments.length) {
      this.#moments.splice(0, this.#first)
      this.#first = 0
    }
    return gone
  }

  /** Time until `amount` has left the window; infinite where it does not hold so much, or never ends. */
  waitMs(amount: number, nowMs: number): number {
    if (this.endMs !== undefined) return Math.ceil(this.endMs - nowMs)
    let freed = 0
    for (let at = this.#first; at < this.#moments.length; at++) {
      const moment = this.#moments[at]
      freed += moment?.amount ?? 0
      if (freed >= amount) return Math.ceil((moment?.atMs ?? 0) + (this.windowMs ?? 0) - nowMs)
    }
    return Infinity
  }

  #locate(): void {
    const later = this.#later
    this.#later = undefined
    if (later !== undefined) [this.#period, this.#endMs] = later()
  }

  /** No later claim can see it. */
  spent(nowMs: number): boolean {
    if (this.endMs !== undefined) return nowMs >= this.endMs && this.held === 0
    return this.windowMs !== undefined && this.size === 0
  }
}

/** Counters by key, and then by window or period: few to a key, and no name has to be made to find one. */
export class Shelf {
  readonly #byKey = new Map<string, Counter[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string, windowMs?: number, period?: number): Counter | undefined {
    const counters = this.#byKey.get(key)
    if (counters === undefined) return undefined
    for (const counter of counters) if (counter.windowMs === windowMs && counter.period === period) return counter
    return undefined
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  put(place: Place): Counter {
    const { key, windowMs, period } = place
    const known = this.get(key, windowMs, period)
    if (known !== undefined) return known
    const counter = new Counter(place)
    const counters = this.#byKey.get(key)
    if (counters === undefined) this.#byKey.set(key, [counter])
    else counters.push(counter)
    this.#size++
    return counter
  }

  /** Takes away those that are spent. */
  sweep(spent: (counter: Counter) => boolean): void {
    for (const [key, counters] of this.#byKey) {
      const kept = counters.filter(counter => !spent(counter))
      this.#size -= counters.length - kept.length
      if (kept.length === 0) this.#byKey.delete(key)
      else if (kept.length < counters.length) this.#byKey.set(key, kept)
    }
  }
}
