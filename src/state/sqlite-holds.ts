import type { Claim, ClaimVerdict, Lapsed, Lease, Standing, Tally } from '../protocol/ports.js'
import { needsOf, plus, type Need } from './claims.js'
import { addTo, counterAt, keepWindow, newCounter, save, type Counter, type Place } from './sqlite-counters.js'
import type { Turn } from './sqlite-line.js'
import { addTallies, checkSums } from './sqlite-tallies.js'
import { bytesOf, textOf } from './sqlite-text.js'
import { waitMs } from './sqlite-window.js'

/** Lapsed holds that one claim clears away. */
const MOST_LAPSED = 100
const HOLD = /^hold_([0-9a-f]{16})_(\d{1,15})$/

/** What a hold keeps of a claim; a list, for it is kept as JSON. */
type Kept = readonly [key: string, windowMs: number | null, period: number | null, endMs: number | null, amount: number, atMs: number, charge: 0 | 1]
interface Part extends Place {
  readonly amount: number
  readonly atMs: number
  /** What stays where the hold lapses. */
  readonly lapsed: number
}
interface Row {
  readonly id: number
  readonly parts: string
  readonly owner: Uint8Array | null
  readonly tallies: string | null
}

const holdId = (salt: string, id: number) => `hold_${salt}_${id}`

/** The number of a hold of this file. */
function numberOf({ salt }: Turn, id: string): number | undefined {
  const [, of, number] = HOLD.exec(id) ?? []
  return of === salt ? Number(number) : undefined
}

function partsOf({ parts }: Row): readonly Part[] {
  return (JSON.parse(parts) as readonly Kept[]).map(([key, windowMs, period, endMs, amount, atMs, charge]) => ({
    key,
    windowMs: windowMs ?? undefined,
    period: period ?? undefined,
    endMs: endMs ?? undefined,
    amount,
    atMs,
    lapsed: charge * amount,
  }))
}

export function acquire(turn: Turn, claims: readonly Claim[], lease: Lease): ClaimVerdict {
  const needs = needsOf(claims, turn.nowMs)
  const lapsed = lapse(turn)
  const counters = needs.map(need => counterAt(turn, need))
  const verdict = refusal(turn, needs, counters) ?? hold(turn, needs, counters, lease)
  return lapsed.length === 0 ? verdict : { ...verdict, lapsed }
}

/** The claim that has to wait longest: when that one fits, all do. */
function refusal(turn: Turn, needs: readonly Need[], counters: readonly (Counter | undefined)[]): ClaimVerdict | undefined {
  let longest: { readonly key: string; readonly ms: number } | undefined
  for (const [at, need] of needs.entries()) {
    const counter = counters[at]
    const over = need.amount - (need.limit - (counter?.sum ?? 0))
    if (over <= 0) continue
    const ms = waitOf(turn, need, counter, over)
    if (longest === undefined || ms > longest.ms) longest = { key: need.key, ms }
  }
  if (longest === undefined) return undefined
  for (const counter of counters) if (counter !== undefined) save(turn, counter)
  return longest.ms < Infinity ? { ok: false, key: longest.key, retryAfterMs: longest.ms } : { ok: false, key: longest.key }
}

function waitOf({ sql, nowMs }: Turn, { amount, limit, windowMs, endMs }: Need, counter: Counter | undefined, over: number): number {
  // A claim above its own limit does not fit the next period either.
  if (amount > limit) return Infinity
  if (endMs !== undefined) return Math.ceil(endMs - nowMs)
  return windowMs === undefined || counter === undefined ? Infinity : waitMs(sql, counter.id, windowMs, over, nowMs)
}

function hold(turn: Turn, needs: readonly Need[], counters: readonly (Counter | undefined)[], { ttlMs, owner, tallies }: Lease): ClaimVerdict {
  const { sql, salt, nowMs } = turn
  if (tallies !== undefined) checkSums(turn, tallies)
  // Rounded up, so that a clock with fractions never lets a window be short of its length.
  const atMs = Math.ceil(nowMs)
  const kept = needs.map(({ key, windowMs, period, endMs, amount, onLapsed }): Kept => [key, windowMs ?? null, period ?? null, endMs ?? null, amount, atMs, onLapsed === 'charge' ? 1 : 0])
  const made = sql.newHold.run(nowMs + ttlMs, JSON.stringify(kept), owner === undefined ? null : bytesOf(owner), tallies === undefined ? null : JSON.stringify(tallies))
  const id = Number(made.lastInsertRowid)
  for (const [at, need] of needs.entries()) {
    const { key, amount, windowMs } = need
    const counter = counters[at] ?? newCounter(turn, need)
    counter.sum = plus(counter.sum, amount, key)
    counter.held += amount
    counter.changed ||= amount > 0
    save(turn, counter)
    if (windowMs === undefined) continue
    sql.newEntry.run(counter.id, atMs, id, amount)
    keepWindow(turn, counter, windowMs)
  }
  return { ok: true, holdId: holdId(salt, id) }
}

/** Clears away holds that nobody renewed. */
function lapse(turn: Turn): readonly Lapsed[] {
  const { sql, salt, nowMs } = turn
  return (sql.lapsed.all(nowMs, MOST_LAPSED) as readonly Row[]).map(row => {
    sql.dropHold.run(row.id)
    for (const part of partsOf(row)) release(turn, row.id, part, part.lapsed)
    // Nobody is there to be refused: a sum ends at what is exact.
    if (row.tallies !== null) addTallies(turn, JSON.parse(row.tallies) as readonly Tally[], (sum, amount) => Math.min(sum + amount, Number.MAX_SAFE_INTEGER))
    return row.owner === null ? { holdId: holdId(salt, row.id) } : { holdId: holdId(salt, row.id), owner: textOf(row.owner) }
  })
}

export function settle(turn: Turn, id: string, used: ReadonlyMap<string, number>, tallies: readonly Tally[]): readonly Standing[] | undefined {
  const { sql, nowMs } = turn
  const number = numberOf(turn, id)
  const row = number === undefined ? undefined : ((sql.hold.get(number, nowMs) ?? undefined) as Row | undefined)
  if (row === undefined) return undefined
  sql.dropHold.run(row.id)
  const parts = partsOf(row)
  const standings = parts.map(part => release(turn, row.id, part, used.get(part.key) ?? 0))
  for (const [key, amount] of used) if (parts.every(part => part.key !== key)) addTo(turn, key, amount)
  addTallies(turn, tallies)
  return standings
}

/** Ends what a hold holds of one counter: `charge` stays. What has left the window changes nothing. */
function release(turn: Turn, id: number, part: Part, charge: number): Standing {
  const { key, windowMs, period, amount } = part
  // A counter that was cleared away held nothing: of a window it is not missed, of a period it is made again.
  const counter = counterAt(turn, part) ?? (windowMs === undefined ? newCounter(turn, part) : undefined)
  if (counter !== undefined) {
    if (windowMs === undefined || entryEnds(turn, counter.id, id, part, charge)) {
      counter.sum = plus(counter.sum - amount, charge, key)
      counter.held -= amount
      counter.changed ||= amount > 0 || charge > 0
    }
    save(turn, counter)
  }
  const held = counter?.held ?? 0
  const standing: { -readonly [K in keyof Standing]: Standing[K] } = { key, charged: (counter?.sum ?? 0) - held, held }
  if (windowMs !== undefined) standing.windowMs = windowMs
  if (period !== undefined) standing.period = period
  return standing
}

/** Ends an entry of a window; false where it has left it. */
function entryEnds({ sql, nowMs }: Turn, counter: number, hold: number, { windowMs = Infinity, atMs }: Part, charge: number): boolean {
  return nowMs - atMs < windowMs && Number(sql.settleEntry.run(charge, counter, atMs, hold).changes) === 1
}

export function renew(turn: Turn, id: string, ttlMs: number): boolean {
  const number = numberOf(turn, id)
  return number !== undefined && Number(turn.sql.renew.run(turn.nowMs + ttlMs, number, turn.nowMs).changes) === 1
}
