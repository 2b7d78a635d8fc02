import type { Turn } from './sqlite-line.js'
import { dayOf } from './sqlite-tallies.js'
import { prune } from './sqlite-window.js'

/** Verbs between two looks at what is over. */
const EVERY = 32
/** Rows of a kind cleared away at once: the event loop stands still meanwhile. */
const STEP = 512
/** A period that ended while a hold still holds of it is looked at again after so long. */
const AGAIN_MS = 60_000

interface Due {
  readonly id: number
  readonly windowMs: number | null
  readonly sum: number
  readonly held: number
}

/** Clears away, a step at a time, what no later verb can see. */
export class Sweep {
  readonly #keepTalliesMs: number
  #verbs = EVERY

  constructor(keepTalliesMs: number) {
    this.#keepTalliesMs = keepTalliesMs
  }

  readonly after = (turn: Turn, verbs: number): void => {
    this.#verbs += verbs
    if (this.#verbs < EVERY) return
    const { sql, nowMs } = turn
    const due = sql.dueCounters.all(nowMs, STEP) as readonly Due[]
    for (const counter of due) drop(turn, counter)
    const values = Number(sql.sweepValues.run(nowMs, STEP).changes)
    const tallies = Number(sql.sweepTallies.run(dayOf(nowMs - this.#keepTalliesMs), STEP).changes)
    // Where a step was not enough, the next one follows at once.
    this.#verbs = Math.max(due.length, values, tallies) < STEP ? 0 : EVERY
  }
}

function drop({ sql, nowMs }: Turn, { id, windowMs, sum, held }: Due): void {
  if (windowMs === null) {
    if (held === 0) sql.dropCounter.run(id)
    else sql.postpone.run(nowMs + AGAIN_MS, id)
    return
  }
  // Due when its last entry has left it, but for what many steps have to delete.
  const { deleted, rest } = prune(sql, id, nowMs - windowMs)
  if (rest === undefined && sum === (deleted?.sum ?? 0)) sql.dropCounter.run(id)
  else if (deleted !== undefined) sql.save.run(sum - deleted.sum, held - deleted.held, id)
}
