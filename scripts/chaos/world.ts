import type { BudgetOptions, LimitOptions } from '../../src/index.js'

/** What a process of the run finds its store by. */
export type StoreAt = { readonly kind: 'redis'; readonly port: number; readonly client: 'redis' | 'ioredis' } | { readonly kind: 'sqlite'; readonly path: string }
export interface KnownKey {
  readonly id: string
  readonly secret: string
}
/** How one part of the run is made. */
export interface Scene {
  readonly name: 'Redis' | 'SQLite'
  readonly processes: number
  /** Callers over all processes. */
  readonly callers: number
  readonly loadMs: number
  readonly users: number
  readonly usd: { readonly total: number; readonly rolling: number; readonly hour: number; readonly team: number; readonly key: number }
  readonly seed: number
  /** Where the hourly budget has its hours: no full one falls into the run, or what was billed would be of two. */
  readonly hours: string
}
/** What a worker is started with. */
export interface WorkerSpec {
  readonly index: number
  readonly folder: string
  readonly store: StoreAt
  readonly providers: readonly string[]
  readonly callers: number
  /** The clock of its gateway is off by so much. */
  readonly skewMs: number
  readonly scene: Scene
}
/** From the parent to a worker. */
export type Order = { readonly do: 'keys' | 'stop' | 'close' } | { readonly do: 'go'; readonly keys: readonly KnownKey[] } | { readonly do: 'revoke'; readonly id: string }
/** From a worker to its parent. */
export type Report = { readonly is: 'ready' | 'stopped' | 'revoked' } | { readonly is: 'keys'; readonly keys: readonly KnownKey[] }

/** How long a hold lives without its process. */
export const LEASE_MS = 9_000
export const TEAMS = ['search', 'support', 'sales', 'labs'] as const
export const KEYS = 6
/** A change of a key holds in other processes within this. */
export const KEY_AGE_MS = 5_000
export const PRICE = { input: 1.25, output: 10 }
export const CALL_HEADER = 'x-chaos-call'
export const ROUTES = ['alpha', 'beta'] as const
export const ROLLING_MS = 8_000
export const LIMITS = { requestsPerSecond: 7, tokensPerMinute: 20_000, concurrency: 22 } as const
export const SHARES = [0.5, 0.9] as const

export const limits: readonly LimitOptions[] = [{ name: 'user', of: { user: '*' }, ...LIMITS }]

export function budgetsOf({ usd, hours }: Scene): readonly BudgetOptions[] {
  return [
    { name: 'total', usd: usd.total, window: 'total', alertAt: SHARES },
    { name: 'rolling', usd: usd.rolling, window: { rollingMs: ROLLING_MS }, alertAt: SHARES },
    { name: 'hour', of: { route: 'alpha' }, usd: usd.hour, window: 'hour', zone: hours, alertAt: SHARES },
    { name: 'team', of: { team: '*' }, usd: usd.team, window: 'day', zone: 'America/St_Johns', alertAt: SHARES },
    { name: 'key', of: { key: '*' }, usd: usd.key, window: 'month', alertAt: SHARES },
  ]
}

/** Milliseconds on the one clock that all processes of the machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export const teamOf = (user: number): (typeof TEAMS)[number] => TEAMS[user % TEAMS.length] ?? 'search'
/** What a call with a virtual key is made for. */
export const keyUser = (at: number): string => `key-user-${at}`

export const journalOf = (folder: string, index: number): string => `${folder}/journal-${index}.jsonl`
export const recordsOf = (folder: string, index: number): string => `${folder}/records-${index}.jsonl`
export const providerLogOf = (folder: string): string => `${folder}/providers.jsonl`
