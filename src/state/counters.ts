import { GatewayError } from '../protocol/errors.js'
import type { Claim, ClaimVerdict, Clock, Grip, Lapsed, Lease, PromptClaim, PromptVerdict, Standing, Tally } from '../protocol/ports.js'
import { checkCharges, chargeOf, checkClaims, checkCount, checkKey, checkLease, checkSpan, checkTallies, needsOf, plus, type Need } from './claims.js'
import { Shelf, type Counter, type Entry, type Place } from './counter.js'
import { Tallies } from './tallies.js'

const ID = 'hold_'
const FIRST_SWEEP = 1024
/** Lapsed holds that one claim clears away. */
const MOST_LAPSED = 100

type Charge = { readonly key: string; readonly amount: number }
interface Part extends Entry {
  readonly counter: Counter
  readonly onLapsed: 'charge' | 'release'
}
class Hold implements Grip {
  constructor(
    readonly place: number,
    readonly number: number,
    public expiresMs: number,
    readonly parts: readonly Part[],
    readonly left: () => Pick<Lease, 'owner' | 'tallies'>,
  ) {}

  /** A text that is made and read back at each call costs as much as all the rest of a hold. */
  get id(): string {
    return `${ID}${this.place}_${this.number}`
  }
}

/** The counters and holds of one process; see `memoryStore`. */
export class Counters {
  readonly #clock: Clock
  readonly #max: number
  readonly #shelf = new Shelf()
  readonly #unseen = (key: string): boolean => !this.#shelf.has(key)
  /** In places that are used again: a `Map` whose members change all the time keeps old ones alive. The number in an id is the place. */
  readonly #holds: (Hold | undefined)[] = []
  readonly #free: number[] = []
  readonly #tallies: Tallies
  #entries = 0
  #made = 0
  #sweepAt = FIRST_SWEEP
  /** No hold lapses before. */
  #lapseAtMs = Infinity

  constructor(clock: Clock, max: number, maxTallies: number) {
    this.#clock = clock
    this.#tallies = new Tallies(maxTallies)
    this.#max = max
  }

  get #used(): number {
    return this.#shelf.size + this.#holds.length - this.#free.length + this.#entries
  }

  add(key: string, amount: number): number {
    checkKey(key)
    checkCount(amount, 'The amount added to a counter')
    plus(this.#shelf.get(key)?.sum ?? 0, amount, key)
    this.#room(1, this.#clock.now())
    const counter = this.#shelf.put(sole(key))
    counter.sum += amount
    return counter.sum
  }

  acquire(claims: readonly Claim[], lease: Lease): ClaimVerdict {
    checkLease(lease)
    if (lease.tallies !== undefined) this.#tallies.check(lease.tallies)
    checkClaims(claims)
    const verdict = this.hold(claims, lease.ttlMs, () => lease)
    if (!verdict.ok) return verdict
    const { hold: { id: holdId }, lapsed } = verdict
    return lapsed === undefined ? { ok: true, holdId } : { ok: true, holdId, lapsed }
  }

  /**
   * For claims that are sound but for their amounts.
   * @param left what the hold leaves behind where it lapses.
   */
  hold(claims: readonly PromptClaim[], ttlMs: number, left: Hold['left']): PromptVerdict {
    for (const { amount } of claims) checkCount(amount, 'The amount of a claim')
    const nowMs = this.#clock.now()
    const needs = needsOf(claims, nowMs, this.#unseen)
    const lapsed = nowMs < this.#lapseAtMs ? [] : this.#lapse(nowMs)
    const counters: (Counter | undefined)[] = []
    const verdict = this.#refusal(needs, counters, nowMs) ?? this.#hold(needs, counters, ttlMs, left, nowMs)
    return lapsed.length === 0 ? verdict : { ...verdict, lapsed }
  }

  settle(grip: Grip | string, charges: readonly Charge[], tallies: readonly Tally[] = [], quiet = false): readonly Standing[] | undefined {
    checkTallies(tallies)
    const nowMs = this.#clock.now()
    const hold = this.#live(grip, nowMs)
    if (hold !== undefined && inStep(hold.parts, charges)) return this.#settleInStep(hold, charges, tallies, nowMs, quiet)
    checkCharges(charges)
    if (hold === undefined) return undefined
    const { parts } = hold
    for (const { counter } of parts) this.#entries -= counter.prune(nowMs)
    const others = charges.filter(({ key }) => !parts.some(({ counter }) => counter.key === key))
    // Everything that can be refused comes first: a settle is done whole or not at all.
    for (const part of parts) if (part.counter.counts(part)) plus(part.counter.sum - part.amount, chargeOf(charges, part.counter.key), part.counter.key)
    for (const { key } of others) plus(this.#shelf.get(key)?.sum ?? 0, chargeOf(others, key), key)
    this.#tallies.check(tallies)
    this.#room(others.length, nowMs)
    this.#drop(hold)
    for (const part of parts) part.counter.settle(part, chargeOf(charges, part.counter.key))
    for (const { key, amount } of others) this.#shelf.put(sole(key)).sum += amount
    this.#tallies.add(tallies)
    return quiet ? [] : parts.map(({ counter }) => counter.standing)
  }

  /** The usual case: a charge for each claim, in the order of the claims. */
  #settleInStep(hold: Hold, charges: readonly Charge[], tallies: readonly Tally[], nowMs: number, quiet: boolean): readonly Standing[] {
    const { parts } = hold
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] as Part
      const { counter } = part
      const { amount, key } = charges[at] as Charge
      checkCount(amount, 'A charge')
      this.#entries -= counter.prune(nowMs)
      if (counter.counts(part)) plus(counter.sum - part.amount, amount, key)
    }
    this.#tallies.check(tallies)
    this.#drop(hold)
    const standings: Standing[] = []
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] as Part
      part.counter.settle(part, (charges[at] as Charge).amount)
      if (!quiet) standings.push(part.counter.standing)
    }
    this.#tallies.add(tallies)
    return standings
  }

  renew(holdId: string, ttlMs: number): boolean {
    checkSpan(ttlMs, 'The lease of a hold')
    const nowMs = this.#clock.now()
    const hold = this.#live(holdId, nowMs)
    if (hold === undefined) return false
    hold.expiresMs = Math.max(hold.expiresMs, nowMs + ttlMs)
    return true
  }

  tally(tallies: readonly Tally[]): void {
    checkTallies(tallies)
    this.#tallies.check(tallies)
    this.#tallies.add(tallies)
  }

  tallies(start: string, end: string): readonly (readonly [string, string, number])[] {
    return this.#tallies.range(start, end)
  }

  /** The claim that has to wait longest: when that one fits, all do. Finds the counters that are there. */
  #refusal(needs: readonly Need[], counters: (Counter | undefined)[], nowMs: number): PromptVerdict | undefined {
    let longest: { key: string; waitMs: number } | undefined
    for (const { key, windowMs, period, amount, limit, endMs } of needs) {
      const counter = this.#shelf.get(key, windowMs, period)
      counters.push(counter)
      if (counter !== undefined) this.#entries -= counter.prune(nowMs)
      const over = amount - (limit - (counter?.sum ?? 0))
      if (over <= 0) continue
      // A claim above its own limit does not fit the next period either.
      const waitMs = amount > limit ? Infinity : (counter?.waitMs(over, nowMs) ?? (endMs === undefined ? Infinity : Math.ceil(endMs - nowMs)))
      if (longest === undefined || waitMs > longest.waitMs) longest = { key, waitMs }
    }
    if (longest === undefined) return undefined
    return longest.waitMs < Infinity ? { ok: false, key: longest.key, retryAfterMs: longest.waitMs } : { ok: false, key: longest.key }
  }

  #hold(needs: readonly Need[], counters: readonly (Counter | undefined)[], ttlMs: number, left: Hold['left'], nowMs: number): PromptVerdict {
    for (let at = 0; at < needs.length; at++) plus(counters[at]?.sum ?? 0, (needs[at] as Need).amount, (needs[at] as Need).key)
    const swept = this.#room(1 + 2 * needs.length, nowMs)
    const parts: Part[] = []
    for (let at = 0; at < needs.length; at++) {
      const need = needs[at] as Need
      const { amount, onLapsed } = need
      // What was found may have been swept away just now.
      const counter = (swept ? undefined : counters[at]) ?? this.#shelf.put(need)
      const before = counter.size
      // Rounded up, so that a clock with fractions never lets a window be short of its length.
      const moment = counter.hold(amount, Math.ceil(nowMs))
      this.#entries += counter.size - before
      parts.push({ counter, amount, moment, onLapsed })
    }
    const place = this.#free.pop() ?? this.#holds.length
    const hold = new Hold(place, ++this.#made, nowMs + ttlMs, parts, left)
    this.#holds[place] = hold
    this.#lapseAtMs = Math.min(this.#lapseAtMs, hold.expiresMs)
    return { ok: true, hold }
  }

  #live(grip: Grip | string, nowMs: number): Hold | undefined {
    const hold = grip instanceof Hold ? grip : this.#named(typeof grip === 'string' ? grip : grip.id)
    return hold !== undefined && this.#holds[hold.place] === hold && nowMs < hold.expiresMs ? hold : undefined
  }

  #named(holdId: string): Hold | undefined {
    const hold = this.#holds[placeOf(holdId)]
    return hold?.id === holdId ? hold : undefined
  }

  #drop({ place }: Hold): void {
    this.#holds[place] = undefined
    this.#free.push(place)
  }

  /** Clears away holds that nobody renewed. */
  #lapse(nowMs: number): readonly Lapsed[] {
    const lapsed: Lapsed[] = []
    let next = Infinity
    for (const hold of this.#holds) {
      if (hold === undefined) continue
      if (nowMs < hold.expiresMs || lapsed.length >= MOST_LAPSED) {
        next = Math.min(next, hold.expiresMs)
        continue
      }
      this.#drop(hold)
      for (const part of hold.parts) {
        this.#entries -= part.counter.prune(nowMs)
        part.counter.settle(part, part.onLapsed === 'charge' ? part.amount : 0)
      }
      const { owner, tallies } = hold.left()
      if (tallies !== undefined) this.#tallies.add(tallies)
      lapsed.push(owner === undefined ? { holdId: hold.id } : { holdId: hold.id, owner })
    }
    this.#lapseAtMs = next
    return lapsed
  }

  /** Makes sure that `more` fit; true where it cleared away counters that no later claim can see. */
  #room(more: number, nowMs: number): boolean {
    if (this.#used + more <= Math.min(this.#sweepAt, this.#max)) return false
    this.#shelf.sweep(counter => {
      this.#entries -= counter.prune(nowMs)
      return counter.spent(nowMs)
    })
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * (this.#used + more))
    if (this.#used + more > this.#max) throw new GatewayError('invalid_config', `The memory store is full: ${this.#max} counters, window entries and holds. Raise maxCounters or use a shared store.`)
    return true
  }
}

/** The counter of all time. */
function sole(key: string): Place {
  return { key, windowMs: undefined, period: undefined, endMs: undefined, later: undefined }
}

/** Each claim has its charge, at the same place; no counter has two. */
function inStep(parts: readonly Part[], charges: readonly Charge[]): boolean {
  if (parts.length !== charges.length) return false
  for (let at = 0; at < parts.length; at++) {
    const key = charges[at]?.key
    if (parts[at]?.counter.key !== key) return false
    for (let before = 0; before < at; before++) if (charges[before]?.key === key) return false
  }
  return true
}

function placeOf(holdId: string): number {
  return holdId.startsWith(ID) ? parseInt(holdId.slice(ID.length), 10) : -1
}
