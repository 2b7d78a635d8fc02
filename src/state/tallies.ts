import type { Tally } from '../protocol/ports.js'
import { plus } from './claims.js'

/** Sums that limit nothing, by group and field. */
export class Tallies {
  readonly #groups = new Map<string, Map<string, number>>()
  readonly #most: number
  #size = 0

  /** @param most sums that are kept: past it the group that was begun first is forgotten. */
  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#size
  }

  /** Throws where a sum would no longer be exact. */
  check(tallies: readonly Tally[]): void {
    for (const { group, field, amount } of tallies) plus(this.#groups.get(group)?.get(field) ?? 0, amount, field)
  }

  add(tallies: readonly Tally[]): void {
    for (const { group, field, amount } of tallies) {
      let sums = this.#groups.get(group)
      if (sums === undefined) this.#groups.set(group, (sums = new Map()))
      const sum = sums.get(field)
      if (sum === undefined) this.#size++
      sums.set(field, (sum ?? 0) + amount)
    }
    if (this.#size > this.#most) this.#forget()
  }

  /** Memory is no archive: the group that is being written to stays. */
  #forget(): void {
    for (const [group, sums] of this.#groups) {
      if (this.#size <= this.#most || this.#groups.size === 1) return
      this.#groups.delete(group)
      this.#size -= sums.size
    }
  }

  range(start: string, end: string): readonly (readonly [string, string, number])[] {
    const found: (readonly [string, string, number])[] = []
    for (const [group, sums] of this.#groups) if (group >= start && group < end) for (const [field, sum] of sums) found.push([group, field, sum])
    return found.sort(([a, c], [b, d]) => (a < b || (a === b && c < d) ? -1 : 1))
  }
}
