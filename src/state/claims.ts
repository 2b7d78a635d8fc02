import { GatewayError } from '../protocol/errors.js'
import type { Json } from '../protocol/json.js'
import type { Claim, Lease, PromptClaim, Tally } from '../protocol/ports.js'
import { quoted } from '../protocol/suggest.js'

const MOST = Number.MAX_SAFE_INTEGER
const MAX_KEY = 1024
const MAX_CLAIMS = 256
const MAX_OWNER = 16_384
/** Names of a payer, its tags included. */
const MAX_FIELD = 16_384
/** A caller names the periods around its own time: further boundaries are a mistake. */
const MAX_BOUNDARIES = 16

/** One counter that a hold needs: claims on the same one are added up, and the lowest limit holds. */
export interface Need {
  readonly key: string
  readonly windowMs: number | undefined
  readonly period: number | undefined
  /** When its period ends. */
  readonly endMs: number | undefined
  amount: number
  limit: number
  onLapsed: 'charge' | 'release'
  /** Tells its period, and when that ends, where nobody had to know so far. */
  readonly later: (() => readonly [period: number, endMs: number]) | undefined
}

/** A misuse of the store. */
export function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** Throws where it is no key. */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || key.length > MAX_KEY) throw bad(`A key of the store must be a text of at most ${MAX_KEY} characters.`)
}

/** The JSON text of a value; throws where it has none. */
export function jsonOf(value: Json): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value) as string | undefined
  } catch {
    // Said below: the engine's own sentence would repeat keys of the value.
  }
  if (text === undefined) throw bad('The store keeps JSON values only, without cycles.')
  return text
}

/** Throws where it is no amount a counter can hold. */
export function checkCount(amount: number, what: string): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw bad(`${what} must be a whole number from 0 to ${MOST}.`)
}

/** Throws where it is no span of time. */
export function checkSpan(ms: number, what: string): void {
  if (!Number.isFinite(ms) || ms <= 0) throw bad(`${what} must be milliseconds above 0.`)
}

/** The sum; throws where it would no longer be exact. */
export function plus(value: number, amount: number, key: string): number {
  if (amount > MOST - value) throw passed(key)
  return value + amount
}

/** A counter would no longer be exact. */
export function passed(key: string): GatewayError {
  return bad(`The counter ${quoted(key)} would pass ${MOST}, beyond which it is not exact.`)
}

/** Throws for a lease that makes no sense. */
export function checkLease({ ttlMs, owner, tallies }: Lease): void {
  checkSpan(ttlMs, 'The lease of a hold')
  if (owner !== undefined && (typeof owner !== 'string' || owner.length > MAX_OWNER)) throw bad(`The owner of a hold must be a text of at most ${MAX_OWNER} characters.`)
  if (tallies !== undefined) checkTallies(tallies)
}

/** Throws for tallies that make no sense. */
export function checkTallies(tallies: readonly Tally[]): void {
  if (tallies.length > MAX_CLAIMS) throw bad(`At most ${MAX_CLAIMS} tallies are added at once.`)
  for (const { group, field, amount } of tallies) {
    checkKey(group)
    if (typeof field !== 'string' || field.length > MAX_FIELD) throw bad(`The field of a tally must be a text of at most ${MAX_FIELD} characters.`)
    checkCount(amount, 'The amount of a tally')
  }
}

/** Throws for charges that make no sense, together too. */
export function checkCharges(charges: readonly { readonly key: string; readonly amount: number }[]): void {
  for (const { key, amount } of charges) {
    checkKey(key)
    checkCount(amount, 'A charge')
  }
  for (const { key } of charges) chargeOf(charges, key)
}

/** What is charged to a key in all. */
export function chargeOf(charges: readonly { readonly key: string; readonly amount: number }[], key: string): number {
  let sum = 0
  for (const charge of charges) if (charge.key === key) sum = plus(sum, charge.amount, key)
  return sum
}

/** Charges by key, added up. */
export function chargesOf(charges: readonly { readonly key: string; readonly amount: number }[]): ReadonlyMap<string, number> {
  const used = new Map<string, number>()
  for (const { key, amount } of charges) {
    checkKey(key)
    checkCount(amount, 'A charge')
    used.set(key, plus(used.get(key) ?? 0, amount, key))
  }
  return used
}

/** Throws for claims that make no sense, whatever the time. */
export function checkClaims(claims: readonly Claim[]): void {
  if (claims.length > MAX_CLAIMS) throw bad(`One hold takes at most ${MAX_CLAIMS} claims.`)
  for (const { key, amount, limit, windowMs, periods } of claims) {
    checkKey(key)
    checkCount(amount, 'The amount of a claim')
    checkCount(limit, 'The limit of a claim')
    if (windowMs !== undefined) checkSpan(windowMs, 'The window of a claim')
    if (periods === undefined) continue
    if (windowMs !== undefined) throw bad('A claim has a window or periods, not both.')
    if (periods.length < 2 || periods.length > MAX_BOUNDARIES || periods.some((start, at) => !Number.isSafeInteger(start) || start < 0 || start <= (periods[at - 1] ?? -1))) {
      throw bad(`The periods of a claim must be 2 to ${MAX_BOUNDARIES} whole numbers of milliseconds, ascending.`)
    }
  }
}

/** The name of a counter. */
export function counterId(key: string, windowMs?: number, period?: number): string {
  return period !== undefined ? `p${period}:${key}` : windowMs !== undefined ? `${windowMs}:${key}` : `all:${key}`
}

/** Where the period that holds `nowMs` starts among the boundaries; throws `store_unavailable` where none does. */
function periodAt(periods: readonly number[], nowMs: number): number {
  for (let at = periods.length - 1; at > 0; at--) {
    if (nowMs >= (periods[at - 1] ?? 0) && nowMs < (periods[at] ?? 0)) return at - 1
  }
  throw new GatewayError('store_unavailable', 'The clock of the store and the clock of this process are too far apart: no period of a claim holds the time of the store. Set both by the same time server.', { origin: 'gateway' })
}

/** What claims need at this time of the store; they were checked. @param unseen whether a key has no counter at all: the period of its first need may be found out later. */
export function needsOf(claims: readonly PromptClaim[], nowMs: number, unseen?: (key: string) => boolean): readonly Need[] {
  const needs: Need[] = []
  for (const claim of claims) {
    const need = needOf(claim, nowMs, unseen)
    // Few claims: a look through the list is less than a map.
    let same: Need | undefined
    for (const one of needs) if (one.key === need.key && one.windowMs === need.windowMs && one.period === need.period) same = one
    if (same === undefined) needs.push(need)
    else {
      same.amount = plus(same.amount, need.amount, need.key)
      same.limit = Math.min(same.limit, need.limit)
      if (need.onLapsed === 'charge') same.onLapsed = 'charge'
    }
  }
  return needs
}

function needOf({ key, amount, limit, windowMs, periods, onLapsed = 'charge' }: PromptClaim, nowMs: number, unseen: ((key: string) => boolean) | undefined): Need {
  const known = typeof periods !== 'function' ? periods : unseen?.(key) === true ? undefined : periods()
  const later = typeof periods === 'function' && known === undefined ? laterAt(periods, nowMs) : undefined
  if (known === undefined) return { key, windowMs, period: undefined, endMs: undefined, amount, limit, onLapsed, later }
  const at = periodAt(known, nowMs)
  return { key, windowMs, period: known[at], endMs: known[at + 1], amount, limit, onLapsed, later }
}

function laterAt(periods: () => readonly number[], nowMs: number): NonNullable<Need['later']> {
  return () => {
    const told = periods()
    const at = periodAt(told, nowMs)
    return [told[at] ?? 0, told[at + 1] ?? 0]
  }
}
