import type { Standing } from '../protocol/ports.js'

/** One amount in a window. */
export interface Entry {
  readonly atMs: number
  amount: number
  /** A hold still holds it. */
  open: boolean
}

/** One key over one window, one period or all time. Its sum is what is charged and what is held. */
export class Counter {
  sum = 0
  held = 0
  #entries: Entry[] = []
  #first = 0

  constructor(
    readonly key: string,
    readonly windowMs: number | undefined,
    readonly period: number | undefined,
    /** When its period ends. */
    readonly endMs: number | undefined,
  ) {}

  get size(): number {
    return this.#entries.length - this.#first
  }
  get standing(): Standing {
    const { key, windowMs, period, held } = this
    const standing: { -readonly [K in keyof Standing]: Standing[K] } = { key, charged: this.sum - held, held }
    if (windowMs !== undefined) standing.windowMs = windowMs
    if (period !== undefined) standing.period = period
    return standing
  }

  hold(entry: Entry): void {
    this.sum += entry.amount
    this.held += entry.amount
    if (this.windowMs !== undefined) this.#entries.push(entry)
  }

  /** Ends what a hold holds: `charge` stays. What has left the window changes nothing. */
  settle(entry: Entry, charge: number, nowMs: number): void {
    // What has left is taken off, open as it is, when the window is pruned.
    if (!entry.open || !this.counts(entry, nowMs)) return
    entry.open = false
    this.held -= entry.amount
    this.sum += charge - entry.amount
    entry.amount = charge
  }

  counts(entry: Entry, nowMs: number): boolean {
    return this.windowMs === undefined || nowMs - entry.atMs < this.windowMs
  }

  /** Forgets what has left the window; returns how many entries that were. */
  prune(nowMs: number): number {
    const before = this.#first
    for (let entry = this.#entries[before]; entry !== undefined && !this.counts(entry, nowMs); entry = this.#entries[this.#first]) {
      this.sum -= entry.amount
      if (entry.open) this.held -= entry.amount
      this.#first++
    }
    const gone = this.#first - before
    if (this.#first * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#first)
      this.#first = 0
    }
    return gone
  }

  /** Time until `amount` has left the window; infinite where it does not hold so much, or never ends. */
  waitMs(amount: number, nowMs: number): number {
    if (this.endMs !== undefined) return Math.ceil(this.endMs - nowMs)
    let freed = 0
    for (let at = this.#first; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      freed += entry?.amount ?? 0
      if (freed >= amount) return Math.ceil((entry?.atMs ?? 0) + (this.windowMs ?? 0) - nowMs)
    }
    return Infinity
  }

  /** No later claim can see it. */
  spent(nowMs: number): boolean {
    if (this.endMs !== undefined) return nowMs >= this.endMs && this.held === 0
    return this.windowMs !== undefined && this.size === 0
  }
}
