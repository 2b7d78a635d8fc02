import { GatewayError } from '../protocol/errors.js'
import type { Claim, ClaimVerdict, Clock } from '../protocol/ports.js'
import { quoted } from '../protocol/suggest.js'

const MOST = Number.MAX_SAFE_INTEGER
const MAX_KEY = 1024
const MAX_CLAIMS = 256
const FIRST_SWEEP = 1024

interface Entry {
  readonly atMs: number
  amount: number
}
interface Part {
  readonly counter: Counter
  readonly entry: Entry
}
interface Hold {
  expiresMs: number
  readonly parts: readonly Part[]
}
interface Need {
  readonly counterId: string
  readonly key: string
  readonly windowMs: number | undefined
  amount: number
  limit: number
}

/** A misuse of the store. */
export function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** Throws where it is no key. */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key.length > MAX_KEY) throw bad(`A key of the store must be a text of at most ${MAX_KEY} characters.`)
}

/** Throws where it is no amount a counter can hold. */
export function checkCount(amount: number, what: string): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw bad(`${what} must be a whole number from 0 to ${MOST}.`)
}

/** Throws where it is no span of time. */
export function checkSpan(ms: number, what: string): void {
  if (!Number.isFinite(ms) || ms <= 0) throw bad(`${what} must be milliseconds above 0.`)
}

function plus(value: number, amount: number, key: string): number {
  if (amount > MOST - value) throw bad(`The counter ${quoted(key)} would pass ${MOST}, beyond which it is not exact.`)
  return value + amount
}

/** One key over one window. Its sum is what is charged and what is held. */
class Counter {
  sum = 0
  #entries: Entry[] = []
  #first = 0

  constructor(
    readonly key: string,
    readonly windowMs: number | undefined,
  ) {}

  get size(): number {
    return this.#entries.length - this.#first
  }

  record(entry: Entry): void {
    this.sum += entry.amount
    if (this.windowMs !== undefined) this.#entries.push(entry)
  }

  counts(entry: Entry, nowMs: number): boolean {
    return this.windowMs === undefined || nowMs - entry.atMs < this.windowMs
  }

  /** Forgets what has left the window; returns how many entries that were. */
  prune(nowMs: number): number {
    const before = this.#first
    for (let entry = this.#entries[before]; entry !== undefined && !this.counts(entry, nowMs); entry = this.#entries[this.#first]) {
      this.sum -= entry.amount
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
    let freed = 0
    for (let at = this.#first; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      freed += entry?.amount ?? 0
      if (freed >= amount) return Math.ceil((entry?.atMs ?? 0) + (this.windowMs ?? 0) - nowMs)
    }
    return Infinity
  }
}

function idOf(key: string, windowMs: number | undefined): string {
  return `${windowMs ?? 'all'}:${key}`
}

/** Claims on the same counter add up; the lowest limit holds. */
function needsOf(claims: readonly Claim[]): Need[] {
  if (claims.length > MAX_CLAIMS) throw bad(`One hold takes at most ${MAX_CLAIMS} claims.`)
  const needs = new Map<string, Need>()
  for (const { key, amount, limit, windowMs } of claims) {
    checkKey(key)
    checkCount(amount, 'The amount of a claim')
    checkCount(limit, 'The limit of a claim')
    if (windowMs !== undefined) checkSpan(windowMs, 'The window of a claim')
    const counterId = idOf(key, windowMs)
    const need = needs.get(counterId)
    if (need === undefined) needs.set(counterId, { counterId, key, windowMs, amount, limit })
    else {
      need.amount = plus(need.amount, amount, key)
      need.limit = Math.min(need.limit, limit)
    }
  }
  return [...needs.values()]
}

/** The counters and holds of one process; see `memoryStore`. */
export class Counters {
  readonly #clock: Clock
  readonly #max: number
  readonly #counters = new Map<string, Counter>()
  readonly #holds = new Map<string, Hold>()
  #entries = 0
  #made = 0
  #sweepAt = FIRST_SWEEP

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  get #used(): number {
    return this.#counters.size + this.#holds.size + this.#entries
  }

  add(key: string, amount: number): number {
    checkKey(key)
    checkCount(amount, 'The amount added to a counter')
    plus(this.#counters.get(idOf(key, undefined))?.sum ?? 0, amount, key)
    this.#room(1, this.#clock.now())
    const counter = this.#counter(key, undefined)
    counter.sum += amount
    return counter.sum
  }

  acquire(claims: readonly Claim[], ttlMs: number): ClaimVerdict {
    checkSpan(ttlMs, 'The lease of a hold')
    const needs = needsOf(claims)
    const nowMs = this.#clock.now()
    const refused = this.#refusal(needs, nowMs)
    if (refused !== undefined) return refused
    this.#room(1 + 2 * needs.length, nowMs)
    const parts = needs.map(({ key, windowMs, amount }) => {
      // Rounded up, so that a clock with fractions never lets a window be short of its length.
      const part = { counter: this.#counter(key, windowMs), entry: { atMs: Math.ceil(nowMs), amount } }
      part.counter.record(part.entry)
      if (windowMs !== undefined) this.#entries++
      return part
    })
    const holdId = `hold_${++this.#made}`
    this.#holds.set(holdId, { expiresMs: nowMs + ttlMs, parts })
    return { ok: true, holdId }
  }

  /** The claim that has to wait longest: when that one fits, all do. */
  #refusal(needs: readonly Need[], nowMs: number): ClaimVerdict | undefined {
    let longest: { key: string; waitMs: number } | undefined
    for (const { counterId, key, amount, limit } of needs) {
      const counter = this.#counters.get(counterId)
      if (counter !== undefined) this.#entries -= counter.prune(nowMs)
      const over = amount - (limit - (counter?.sum ?? 0))
      if (over <= 0) continue
      const waitMs = counter?.waitMs(over, nowMs) ?? Infinity
      if (longest === undefined || waitMs > longest.waitMs) longest = { key, waitMs }
    }
    if (longest === undefined) return undefined
    return { ok: false, key: longest.key, ...(longest.waitMs < Infinity && { retryAfterMs: longest.waitMs }) }
  }

  settle(holdId: string, charges: readonly { readonly key: string; readonly amount: number }[]): void {
    const used = new Map<string, number>()
    for (const { key, amount } of charges) {
      checkKey(key)
      checkCount(amount, 'A charge')
      used.set(key, plus(used.get(key) ?? 0, amount, key))
    }
    const nowMs = this.#clock.now()
    const hold = this.#live(holdId, nowMs)
    if (hold === undefined) return
    const held = new Set(hold.parts.map(part => part.counter.key))
    const open = hold.parts.filter(part => part.counter.counts(part.entry, nowMs))
    const others = [...used].filter(([key]) => !held.has(key))
    // Everything that can be refused comes first: a settle is done whole or not at all.
    for (const { counter, entry } of open) plus(counter.sum - entry.amount, used.get(counter.key) ?? 0, counter.key)
    for (const [key, amount] of others) plus(this.#counters.get(idOf(key, undefined))?.sum ?? 0, amount, key)
    this.#room(others.length, nowMs)
    this.#holds.delete(holdId)
    for (const { counter, entry } of open) {
      const charge = used.get(counter.key) ?? 0
      counter.sum += charge - entry.amount
      entry.amount = charge
    }
    for (const [key, amount] of others) this.#counter(key, undefined).sum += amount
  }

  renew(holdId: string, ttlMs: number): boolean {
    checkSpan(ttlMs, 'The lease of a hold')
    const nowMs = this.#clock.now()
    const hold = this.#live(holdId, nowMs)
    if (hold === undefined) return false
    hold.expiresMs = Math.max(hold.expiresMs, nowMs + ttlMs)
    return true
  }

  #live(holdId: string, nowMs: number): Hold | undefined {
    const hold = this.#holds.get(holdId)
    if (hold === undefined || nowMs < hold.expiresMs) return hold
    this.#holds.delete(holdId)
    return undefined
  }

  #counter(key: string, windowMs: number | undefined): Counter {
    const id = idOf(key, windowMs)
    const counter = this.#counters.get(id) ?? new Counter(key, windowMs)
    this.#counters.set(id, counter)
    return counter
  }

  /** Makes sure that `more` fit, clearing away what no later claim can see. */
  #room(more: number, nowMs: number): void {
    if (this.#used + more <= Math.min(this.#sweepAt, this.#max)) return
    // A lapsed hold is charged at its bound, so what it held simply stays.
    for (const [id, hold] of this.#holds) if (nowMs >= hold.expiresMs) this.#holds.delete(id)
    for (const [id, counter] of this.#counters) {
      this.#entries -= counter.prune(nowMs)
      if (counter.windowMs !== undefined && counter.size === 0) this.#counters.delete(id)
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * (this.#used + more))
    if (this.#used + more > this.#max) throw new GatewayError('invalid_config', `The memory store is full: ${this.#max} counters, window entries and holds. Raise maxCounters or use a shared store.`)
  }
}
