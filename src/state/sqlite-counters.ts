import { counterId, plus } from './claims.js'
import type { Turn } from './sqlite-line.js'
import { bytesOf } from './sqlite-text.js'
import { prune } from './sqlite-window.js'

/** A window is due at whole minutes, or at whole windows: the index of what is due is then seldom written. */
const GRAIN_MS = 60_000
/** So long the counter of a period that ended waits for settles that come late. */
const LATE_MS = 3_600_000

/** Which counter: its key, and its window or the end and start of its period. */
export interface Place {
  readonly key: string
  readonly windowMs: number | undefined
  readonly period: number | undefined
  readonly endMs: number | undefined
}
/** The row of a counter, without what has left its window. */
export interface Counter {
  readonly id: number
  sum: number
  held: number
  /** When it may be cleared away. */
  readonly dueMs: number | null
  /** What has left the window and is not deleted yet: the row has it, nobody else. */
  readonly restSum: number
  readonly restHeld: number
  /** The row is behind. */
  changed: boolean
}

const nameOf = ({ key, windowMs, period }: Place) => bytesOf(counterId(key, windowMs, period))

/** The counter, if anything was counted there. */
export function counterAt({ sql, nowMs }: Turn, place: Place): Counter | undefined {
  const row = sql.counter.get(nameOf(place)) as Pick<Counter, 'id' | 'sum' | 'held' | 'dueMs'> | null | undefined
  if (row === null || row === undefined) return undefined
  const { deleted, rest } = place.windowMs === undefined ? { deleted: undefined, rest: undefined } : prune(sql, row.id, nowMs - place.windowMs)
  const restSum = rest?.sum ?? 0
  const restHeld = rest?.held ?? 0
  const sum = row.sum - (deleted?.sum ?? 0) - restSum
  const held = row.held - (deleted?.held ?? 0) - restHeld
  return { id: row.id, sum, held, dueMs: row.dueMs, restSum, restHeld, changed: deleted !== undefined }
}

/** A counter of nothing, made now. */
export function newCounter({ sql, nowMs }: Turn, place: Place): Counter {
  const { windowMs, endMs } = place
  const dueMs = windowMs !== undefined ? dueOf(windowMs, nowMs) : endMs === undefined ? null : endMs + LATE_MS
  const id = Number(sql.newCounter.run(nameOf(place), windowMs ?? null, 0, 0, dueMs).lastInsertRowid)
  return { id, sum: 0, held: 0, dueMs, restSum: 0, restHeld: 0, changed: false }
}

/** Writes what was changed. */
export function save({ sql }: Turn, counter: Counter): void {
  if (!counter.changed) return
  sql.save.run(counter.sum + counter.restSum, counter.held + counter.restHeld, counter.id)
  counter.changed = false
}

/** Keeps the counter of a window for as long as what enters it now. */
export function keepWindow({ sql, nowMs }: Turn, { id, dueMs }: Counter, windowMs: number): void {
  const due = dueOf(windowMs, nowMs)
  if (dueMs === null || due > dueMs) sql.postpone.run(due, id)
}

/** Adds to the counter of all time. */
export function addTo(turn: Turn, key: string, amount: number): number {
  const place = { key, windowMs: undefined, period: undefined, endMs: undefined }
  const counter = counterAt(turn, place) ?? newCounter(turn, place)
  counter.sum = plus(counter.sum, amount, key)
  counter.changed = amount > 0
  save(turn, counter)
  return counter.sum
}

function dueOf(windowMs: number, nowMs: number): number {
  const grain = Math.max(windowMs, GRAIN_MS)
  return (Math.floor((nowMs + windowMs) / grain) + 2) * grain
}
