import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Period } from '../protocol/periods.js'
import type { BudgetOptions, BudgetWindow, DowngradeOptions, LimitOptions, OnStoreError, PolicyScope } from '../protocol/policy.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { checkZone } from '../protocol/zones.js'

/** What is counted. */
type MeterKind = 'nanos' | 'requests' | 'inputTokens' | 'outputTokens' | 'tokens' | 'concurrency'

/** One counter of a policy, for each of those it is about. */
export interface Meter {
  readonly kind: MeterKind
  readonly limit: number
  readonly windowMs?: number
  /** Counts in calendar periods of a time zone. */
  readonly calendar?: { readonly period: Period; readonly zone: string }
}
/** A budget or a limit, with every default in place. */
export interface Policy {
  readonly name: string
  readonly kind: 'budget' | 'limit'
  readonly scope: readonly (readonly [dimension: Dimension, value: string])[]
  /** It never lets more through. */
  readonly hard: boolean
  readonly meters: readonly Meter[]
  readonly alertAt: readonly number[]
  readonly downgrade?: DowngradeOptions
  readonly onLapsed: 'charge' | 'release'
  readonly onStoreError?: OnStoreError
}
export type Dimension = keyof PolicyScope

const NANOS_PER_DOLLAR = 1e9
const MOST_USD = 9_000_000
const SCOPE: readonly Dimension[] = ['team', 'project', 'user', 'key', 'tag', 'route', 'provider', 'deployment']
const BUDGET = new Set(['name', 'of', 'usd', 'window', 'zone', 'hard', 'alertAt', 'downgrade', 'onLapsed', 'onStoreError'])
const WINDOWS = ['hour', 'day', 'week', 'month', 'total'] as const
const COUNTED = ['requests', 'inputTokens', 'outputTokens', 'tokens'] as const
const SPANS = { Second: 1_000, Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const
const AMOUNTS = new Map<string, { readonly kind: MeterKind; readonly windowMs?: number }>([
  ['concurrency', { kind: 'concurrency' }],
  ...COUNTED.flatMap(kind => Object.entries(SPANS).map(([span, windowMs]) => [`${kind}Per${span}`, { kind, windowMs }] as const)),
])
const LIMIT = new Set(['name', 'of', 'onStoreError', ...AMOUNTS.keys()])
/** Of periods that nest: the length of one in days, roughly, to tell which of two is the longer. */
const LENGTH: Readonly<Record<string, number>> = { hour: 1, day: 24, week: 168, month: 720, total: Infinity }
const MAX_NAME = 200
const MAX_POLICIES = 1_000

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** Checks budgets; throws `invalid_config` with the fix. `inner`: the scope that is given already, such as that of a key. */
export function budgetsOf(given: unknown, where: string, inner: PolicyScope = {}): readonly Policy[] {
  const budgets = listOf(given, where).map((budget, at) => budgetOf(budget, `${where}[${at}]`, inner))
  noTwoOfOneName(budgets, where)
  noContradictions(budgets, where)
  return budgets
}

/** Checks limits; throws `invalid_config` with the fix. */
export function limitsOf(given: unknown, where: string, inner: PolicyScope = {}): readonly Policy[] {
  const limits = listOf(given, where).map((limit, at) => limitOf(limit, `${where}[${at}]`, inner))
  noTwoOfOneName(limits, where)
  return limits
}

function listOf(given: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(given)) throw bad(`${where} must be a list.`)
  if (given.length > MAX_POLICIES) throw bad(`${where} holds more than ${MAX_POLICIES} entries. Use "*" for each team, user or key.`)
  return given
}

function budgetOf(given: unknown, where: string, inner: PolicyScope): Policy {
  if (!isObject(given)) throw bad(`${where} must be an object: { of: { team: '*' }, usd: 500, window: 'month' }.`)
  refuseUnknownKeys(given, BUDGET, where)
  const { of, usd, window = 'month', zone, hard = true, alertAt = [], downgrade, onLapsed = hard ? 'charge' : 'release', onStoreError } = given as Partial<BudgetOptions>
  const scope = scopeOf(of, where, inner)
  if (scope.some(([dimension]) => dimension === 'deployment')) throw bad(`${where}.of.deployment: a budget is for a provider, not for a deployment. Use "provider".`)
  checkChoices({ hard, onLapsed, alertAt }, where)
  const meter: Meter = { kind: 'nanos', limit: nanosOf(usd, `${where}.usd`), ...windowOf(window, zone, where) }
  return {
    name: nameOf(given['name'], where) ?? defaultName('budget', scope, typeof window === 'string' ? window : `${window.rollingMs} ms`),
    kind: 'budget',
    scope,
    hard,
    meters: [meter],
    alertAt: [...alertAt].sort((a, b) => a - b),
    ...(downgrade !== undefined && { downgrade: downgradeOf(downgrade, `${where}.downgrade`) }),
    onLapsed,
    ...storeErrorOf(onStoreError, where),
  }
}

function checkChoices({ hard, onLapsed, alertAt }: { readonly hard: unknown; readonly onLapsed: unknown; readonly alertAt: unknown }, where: string): void {
  if (typeof hard !== 'boolean') throw bad(`${where}.hard must be true or false.`)
  if (onLapsed !== 'charge' && onLapsed !== 'release') throw bad(`${where}.onLapsed must be "charge" or "release".`)
  if (!Array.isArray(alertAt) || alertAt.some(share => typeof share !== 'number' || !(share > 0 && share <= 10))) throw bad(`${where}.alertAt must be a list of shares above 0, such as [0.5, 0.8].`)
}

function limitOf(given: unknown, where: string, inner: PolicyScope): Policy {
  if (!isObject(given)) throw bad(`${where} must be an object: { of: { user: '*' }, requestsPerMinute: 60 }.`)
  refuseUnknownKeys(given, LIMIT, where)
  const { of, onStoreError } = given as LimitOptions
  const scope = scopeOf(of, where, inner)
  const meters: Meter[] = []
  for (const [name, meter] of AMOUNTS) {
    const limit = given[name]
    if (limit === undefined) continue
    if (!Number.isSafeInteger(limit) || Number(limit) < 0) throw bad(`${where}.${name} must be a whole number, 0 or more.`)
    meters.push({ ...meter, limit: Number(limit) })
  }
  if (meters.length === 0) throw bad(`${where} limits nothing: add one of ${[...AMOUNTS.keys()].slice(0, 4).join(', ')}, ...`)
  return { name: nameOf(given['name'], where) ?? defaultName('limit', scope, ''), kind: 'limit', scope, hard: true, meters, alertAt: [], onLapsed: 'charge', ...storeErrorOf(onStoreError, where) }
}

function scopeOf(of: unknown, where: string, inner: PolicyScope): Policy['scope'] {
  if (of !== undefined && !isObject(of)) throw bad(`${where}.of must be an object such as { team: 'search' } or { user: '*' }.`)
  if (of !== undefined) refuseUnknownKeys(of, new Set(SCOPE), `${where}.of`)
  const whole: Record<string, unknown> = { ...of, ...inner }
  return SCOPE.flatMap(dimension => {
    const value = whole[dimension]
    if (value === undefined) return []
    if (typeof value !== 'string' || value === '' || value.length > MAX_NAME) throw bad(`${where}.of.${dimension} must be a name of 1 to ${MAX_NAME} characters, or "*" for each one apart.`)
    return [[dimension, value] as const]
  })
}

/** Dollars as whole nano-dollars. A sum of binary fractions such as 0.1 + 0.2 is meant as 0.3. */
function nanosOf(usd: unknown, where: string): number {
  if (typeof usd !== 'number' || !(usd >= 0 && usd <= MOST_USD)) throw bad(`${where} must be US dollars from 0 to ${MOST_USD}.`)
  const nanos = Math.round(usd * NANOS_PER_DOLLAR)
  if (Math.abs(usd * NANOS_PER_DOLLAR - nanos) > 1e-3 + usd * NANOS_PER_DOLLAR * 4 * Number.EPSILON) throw bad(`${where} has a fraction of a nano-dollar: a budget is a whole number of them (9 places behind the point).`)
  return nanos
}

function windowOf(window: BudgetWindow, zone: unknown, where: string): Pick<Meter, 'windowMs' | 'calendar'> {
  if (isObject(window)) {
    refuseUnknownKeys(window, new Set(['rollingMs']), `${where}.window`)
    const { rollingMs } = window as { readonly rollingMs?: unknown }
    if (!Number.isSafeInteger(rollingMs) || Number(rollingMs) < 1_000) throw bad(`${where}.window.rollingMs must be a whole number of milliseconds, 1,000 at least.`)
    if (zone !== undefined) throw bad(`${where}.zone belongs to calendar windows; a rolling one has none.`)
    return { windowMs: Number(rollingMs) }
  }
  if (!WINDOWS.includes(window)) {
    const near = typeof window === 'string' ? nearest(window, WINDOWS) : undefined
    throw bad(`${where}.window must be one of ${WINDOWS.map(quoted).join(', ')}, or { rollingMs }.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
  }
  if (zone !== undefined && typeof zone !== 'string') throw bad(`${where}.zone must be an IANA time zone such as "Europe/Berlin".`)
  if (window !== 'total') return { calendar: { period: window, zone: zoneOf(zone ?? 'UTC') } }
  if (zone !== undefined) throw bad(`${where}.zone belongs to calendar windows; "total" has none.`)
  return {}
}

/** Throws where there is no such zone. */
function zoneOf(zone: string): string {
  checkZone(zone)
  return zone
}

/** Checks where calls are sent instead. Which routes exist is checked by who knows them. */
export function downgradeOf(given: unknown, where: string): DowngradeOptions {
  if (typeof given === 'string') return { to: given }
  if (!isObject(given)) throw bad(`${where} must be the name of a route, or { to?, at? }.`)
  refuseUnknownKeys(given, new Set(['to', 'at']), where)
  const { to, at } = given
  if (to !== undefined && (typeof to !== 'string' || to === '')) throw bad(`${where}.to must be the name of a route.`)
  if (at !== undefined && (typeof at !== 'number' || !(at > 0 && at <= 1))) throw bad(`${where}.at must be a share above 0 and at most 1, such as 0.8.`)
  return { ...(to !== undefined && { to: String(to) }), ...(at !== undefined && { at: Number(at) }) }
}

function storeErrorOf(given: unknown, where: string): { readonly onStoreError?: OnStoreError } {
  if (given === undefined) return {}
  if (given !== 'refuse' && given !== 'allow') throw bad(`${where}.onStoreError must be "refuse" or "allow".`)
  return { onStoreError: given }
}

function nameOf(given: unknown, where: string): string | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'string' || given === '' || given.length > MAX_NAME) throw bad(`${where}.name must be a text of 1 to ${MAX_NAME} characters.`)
  return given
}

function defaultName(kind: string, scope: Policy['scope'], window: string): string {
  const of = scope.map(([dimension, value]) => `${dimension}=${value}`).join(',')
  return [kind, of === '' ? 'all' : of, window].filter(part => part !== '').join(' ')
}

/** Two policies of one name would share their counters. */
function noTwoOfOneName(policies: readonly Policy[], where: string): void {
  const seen = new Set<string>()
  for (const { name } of policies) {
    if (seen.has(name)) throw bad(`${where}: two entries are called ${quoted(name)}, and would share one counter. Give each a "name" of its own.`)
    seen.add(name)
  }
}

/** Of two budgets for the same, the longer window must not have less than the shorter: that one could never be used up. */
function noContradictions(budgets: readonly Policy[], where: string): void {
  const about = ({ scope }: Policy): string => JSON.stringify(scope)
  const spanOf = ({ meters: [meter] }: Policy): number => (meter?.calendar !== undefined ? (LENGTH[meter.calendar.period] ?? 0) * SPANS.Hour : (meter?.windowMs ?? Infinity))
  const limitOfBudget = ({ meters: [meter] }: Policy): number => meter?.limit ?? 0
  for (const [at, one] of budgets.entries()) for (const other of budgets.slice(0, at)) {
    if (one.hard && other.hard && about(one) === about(other) && spanOf(one) === spanOf(other)) throw bad(`${where}: ${quoted(other.name)} and ${quoted(one.name)} are hard budgets for the same and over the same window. Keep one.`)
  }
  for (const shorter of budgets) for (const longer of budgets) {
    if (!shorter.hard || !longer.hard || about(shorter) !== about(longer) || spanOf(shorter) >= spanOf(longer) || limitOfBudget(shorter) <= limitOfBudget(longer)) continue
    throw bad(`${where}: ${quoted(shorter.name)} allows more than ${quoted(longer.name)}, whose window is longer, so it can never be used up. Lower the one or raise the other.`)
  }
}
