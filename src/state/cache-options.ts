import { GatewayError, type Code } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { checkStore, type CacheStore } from './cache-store.js'

/** Who may be given an answer that somebody else's call paid for. */
export type CacheScope = 'tenant' | 'user' | 'global'

/** What a gateway or a route may say about its cache. */
export interface RouteCacheOptions {
  /** How long an answer is given again, in milliseconds. Default 300,000. */
  readonly ttlMs?: number
  /**
   * Who shares answers. `tenant` (default): the team of the principal, else its project, else its user; calls without a
   * principal share among themselves. `user`: the same team, project and user. `global`: everybody.
   */
  readonly scope?: CacheScope
  /** How a stream is played from the cache: at once (default), or with the pauses of the recorded one. */
  readonly replay?: 'full' | 'recorded'
}
/** The cache of a gateway. */
export interface CacheOptions extends RouteCacheOptions {
  /** Bytes kept in memory, counted as two per character. Default 64 MiB. Not with a `store`. */
  readonly maxBytes?: number
  /** Where answers are kept, in place of memory. */
  readonly store?: CacheStore
}
/**
 * The cache, for one call. `no-store` or `false`: neither read, written nor joined with an identical call. `refresh`: asked
 * anew, and the new answer is kept. `{ maxAgeMs }`: an answer older than this is asked anew.
 */
export type CallCache = false | 'no-store' | 'refresh' | { readonly maxAgeMs: number }

/** {@link RouteCacheOptions} with every default in place. */
export type CachePolicy = Required<RouteCacheOptions>
/** {@link CallCache}, resolved. */
export interface CacheControl {
  readonly read: boolean
  readonly write: boolean
  readonly join: boolean
  readonly maxAgeMs: number
}

const SCOPES: readonly CacheScope[] = ['tenant', 'user', 'global']
const REPLAYS: readonly CachePolicy['replay'][] = ['full', 'recorded']
const OF_ROUTE = new Set(['ttlMs', 'scope', 'replay'])
const OF_GATEWAY = new Set([...OF_ROUTE, 'maxBytes', 'store'])
const OF_CALL = new Set(['maxAgeMs'])
const WORDS = ['no-store', 'refresh']
const DEFAULT: CachePolicy = { ttlMs: 300_000, scope: 'tenant', replay: 'full' }

const USUAL: CacheControl = { read: true, write: true, join: true, maxAgeMs: Infinity }
const NO_STORE: CacheControl = { read: false, write: false, join: false, maxAgeMs: 0 }
const REFRESH: CacheControl = { read: false, write: true, join: false, maxAgeMs: 0 }

function bad(message: string, code: Code = 'invalid_config'): GatewayError {
  return new GatewayError(code, message)
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < Infinity

function checkWord(value: unknown, words: readonly string[], where: string): void {
  if (value === undefined || words.includes(value as string)) return
  const near = typeof value === 'string' ? nearest(value, words) : undefined
  throw bad(`${where} must be one of ${words.map(quoted).join(', ')}.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
}

function check(given: CacheOptions, where: string, ofRoute: boolean): void {
  if (!isObject(given)) throw bad(`${where} must be true, false or { ttlMs, maxBytes, scope, store, replay }.`)
  if (ofRoute && ('store' in given || 'maxBytes' in given)) throw bad(`${where}: a route has no cache of its own; "store" and "maxBytes" go into the options of the gateway.`)
  refuseUnknownKeys(given, ofRoute ? OF_ROUTE : OF_GATEWAY, where)
  const { ttlMs, scope, replay, maxBytes, store }: CacheOptions = given
  if (ttlMs !== undefined && !isNumber(ttlMs)) throw bad(`${where}.ttlMs must be a number of milliseconds above 0.`)
  checkWord(scope, SCOPES, `${where}.scope`)
  checkWord(replay, REPLAYS, `${where}.replay`)
  if (store !== undefined) checkStore(store, `${where}.store`)
  if (maxBytes === undefined) return
  if (store !== undefined) throw bad(`${where}.maxBytes bounds the memory of the cache; with a store of your own, bound that one.`)
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) throw bad(`${where}.maxBytes must be a whole number of bytes above 0.`)
}

/**
 * Checks the `cache` of a gateway (`outer` left out) or of a route, and gives what holds there: `undefined` where nothing is
 * cached. Throws `invalid_config`. A route that says nothing has the policy of its gateway.
 */
export function cachePolicy(given: CacheOptions | boolean | undefined, where: string, route?: { readonly outer: CachePolicy | undefined }): CachePolicy | undefined {
  if (given === undefined) return route?.outer
  if (given === false) return undefined
  const outer = route?.outer ?? DEFAULT
  if (given === true) return outer
  check(given, where, route !== undefined)
  const { ttlMs, scope, replay } = given
  return { ttlMs: ttlMs ?? outer.ttlMs, scope: scope ?? outer.scope, replay: replay ?? outer.replay }
}

/** Checks the `cache` of a call; throws `invalid_request`. */
export function cacheControl(given: CallCache | undefined): CacheControl {
  if (given === undefined) return USUAL
  if (given === false || given === 'no-store') return NO_STORE
  if (given === 'refresh') return REFRESH
  if (!isObject(given)) {
    const near = typeof given === 'string' ? nearest(given, WORDS) : undefined
    throw bad(`"cache" of a call must be false, "no-store", "refresh" or { maxAgeMs }.${near === undefined ? '' : ` Did you mean "${near}"?`}`, 'invalid_request')
  }
  refuseUnknownKeys(given, OF_CALL, '"cache" of a call', 'invalid_request')
  const { maxAgeMs } = given
  if (typeof maxAgeMs !== 'number' || !(maxAgeMs >= 0)) throw bad('"cache.maxAgeMs" of a call must be a number of milliseconds, 0 or more.', 'invalid_request')
  return { ...USUAL, maxAgeMs }
}
