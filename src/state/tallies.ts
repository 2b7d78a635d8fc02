import type { Tally } from '../protocol/ports.js'
import { plus } from './claims.js'

/** Sums that limit nothing, by group and field. */
export class Tallies {
  readonly #groups = new Map<string, Map<string, number>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Throws where a sum would no longer be exact. */
  check(tallies: readonly Tally[]): void {
    for (const { group, field, amount } of tallies) plus(this.#groups.get(group)?.get(field) ?? 0, amount, field)
  }

  /** How many of them are new. */
  fresh(tallies: readonly Tally[]): number {
    let fresh = 0
    for (const { group, field } of tallies) if (this.#groups.get(group)?.has(field) !== true) fresh++
    return fresh
  }

  add(tallies: readonly Tally[]): void {
    for (const { group, field, amount } of tallies) {
      let sums = this.#groups.get(group)
      if (sums === undefined) this.#groups.set(group, (sums = new Map()))
      const sum = sums.get(field)
      if (sum === undefined) this.#size++
      sums.set(field, (sum ?? 0) + amount)
    }
  }

  range(start: string, end: string): readonly (readonly [string, string, number])[] {
    const found: (readonly [string, string, number])[] = []
    for (const [group, sums] of this.#groups) if (group >= start && group < end) for (const [field, sum] of sums) found.push([group, field, sum])
    return found.sort(([a, c], [b, d]) => (a < b || (a === b && c < d) ? -1 : 1))
  }
}
