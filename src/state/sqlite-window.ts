import type { Statements } from './sqlite-schema.js'

/** Entries deleted in one step. */
const STEP = 2000
/** Entries read at once. */
const PAGE = 256

interface Sums {
  readonly sum: number
  readonly held: number
}
/** What has left a window: `deleted` is gone from the table; `rest` is left for a later step, and counts no more either. */
export interface Gone {
  readonly deleted: Sums | undefined
  readonly rest: Sums | undefined
}

/** Deletes what has left a window, the oldest first, and no more than a step of it: the event loop stands still meanwhile. */
export function prune(sql: Statements, counter: number, untilMs: number): Gone {
  const all = sql.gone.get(counter, untilMs) as Sums & { readonly count: number }
  if (all.count === 0) return { deleted: undefined, rest: undefined }
  const deleted = all.count <= STEP ? all : (sql.goneFirst.get(counter, untilMs, STEP) as Sums)
  sql.dropGone.run(counter, untilMs, STEP)
  return { deleted, rest: all.count <= STEP ? undefined : { sum: all.sum - deleted.sum, held: all.held - deleted.held } }
}

/** Time until `amount` has left a window; infinite where it does not hold so much. */
export function waitMs(sql: Statements, counter: number, windowMs: number, amount: number, nowMs: number): number {
  let freed = 0
  // From what counts now on: older entries may be there still.
  let [afterMs, afterHold] = [nowMs - windowMs, Number.MAX_SAFE_INTEGER]
  for (;;) {
    const page = sql.entries.all(counter, afterMs, afterHold, PAGE) as readonly { readonly atMs: number; readonly hold: number; readonly amount: number }[]
    for (const { atMs, hold, amount: part } of page) {
      freed += part
      if (freed >= amount) return Math.ceil(atMs + windowMs - nowMs)
      afterMs = atMs
      afterHold = hold
    }
    if (page.length < PAGE) return Infinity
  }
}
