import type { Tally } from '../protocol/ports.js'
import { plus } from './claims.js'
import type { Turn } from './sqlite-line.js'
import { bytesOf, textOf } from './sqlite-text.js'

const DAY_MS = 86_400_000

/** The day a sum was last added to: with the moment, its index would be written each time. */
export function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS)
}

interface Row {
  readonly sum: number
  readonly day: number
}

/** Throws where a sum would no longer be exact. */
export function checkSums({ sql }: Turn, tallies: readonly Tally[]): void {
  for (const { group, field, amount } of tallies) plus((sql.tally.get(bytesOf(group), bytesOf(field)) as Row | undefined)?.sum ?? 0, amount, field)
}

/** Adds to sums; `add` says what becomes of one that would no longer be exact. */
export function addTallies({ sql, nowMs }: Turn, tallies: readonly Tally[], add: (sum: number, amount: number, field: string) => number = plus): void {
  const today = dayOf(nowMs)
  for (const { group, field, amount } of tallies) {
    const names = [bytesOf(group), bytesOf(field)] as const
    const row = sql.tally.get(...names) as Row | null | undefined
    const sum = add(row?.sum ?? 0, amount, field)
    if (row === null || row === undefined) sql.newTally.run(...names, sum, today)
    else if (row.day === today) sql.addTally.run(sum, ...names)
    else sql.moveTally.run(sum, today, ...names)
  }
}

/** Sums of the groups from `start` to `end`. */
export function talliesBetween({ sql }: Turn, start: string, end: string): readonly (readonly [string, string, number])[] {
  const rows = sql.tallies.all(bytesOf(start), bytesOf(end)) as readonly { readonly grp: Uint8Array; readonly field: Uint8Array; readonly sum: number }[]
  return rows.map(({ grp, field, sum }) => [textOf(grp), textOf(field), sum])
}
