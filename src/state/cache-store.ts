import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { CachedAnswer } from './cache-answer.js'

/**
 * Where a cache keeps answers: four methods, each synchronous or not. Keys are 64 hexadecimal characters. A method that
 * throws, rejects or hangs fails no call: a `get` is then a miss and a `set` is lost, both counted in `health()`.
 *
 * @example
 * const answers = new Map<string, CachedAnswer>()
 * const store: CacheStore = {
 *   get: key => answers.get(key),
 *   set: (key, answer) => void answers.set(key, answer),
 *   delete: key => void answers.delete(key),
 *   clear: () => answers.clear(),
 * }
 */
export interface CacheStore {
  get(key: string): CachedAnswer | undefined | Promise<CachedAnswer | undefined>
  /** Keeps an answer, plain JSON, for `ttlMs` milliseconds. */
  set(key: string, answer: CachedAnswer, ttlMs: number): unknown
  delete(key: string): unknown
  clear(): unknown
}

const METHODS = ['get', 'set', 'delete', 'clear'] as const

function lacking(value: unknown): string | undefined {
  return isObject(value) ? METHODS.find(name => typeof value[name] !== 'function') : 'get'
}

/** Refuses what is no store, at construction. */
export function checkStore(store: unknown, where: string): asserts store is CacheStore {
  const lacks = lacking(store)
  if (lacks !== undefined) throw new GatewayError('invalid_config', `${where} has no method ${lacks}(): a cache store needs ${METHODS.join(', ')}. Wrap a Keyv as keyvCache(keyv).`)
}

/** The part of a Keyv that is used. */
export interface KeyvLike {
  get(key: string): unknown
  set(key: string, value: string, ttlMs?: number): unknown
  delete(key: string): unknown
  clear(): unknown
}

/**
 * A cache store on a Keyv instance, and so on whatever that keeps its values in. Answers are written as JSON text, with
 * their TTL in milliseconds. Give the instance a namespace of its own: `clear()` empties it. Listen to its `error` event;
 * an emitter without a listener throws.
 *
 * @example
 * const gateway = new Gateway({ routes, cache: { store: keyvCache(new Keyv({ namespace: 'answers' })) } })
 */
export function keyvCache(keyv: KeyvLike): CacheStore {
  const lacks = lacking(keyv)
  if (lacks !== undefined) throw new GatewayError('invalid_config', `keyvCache() takes a Keyv instance; this has no method ${lacks}().`)
  return {
    get: async key => {
      const text: unknown = await keyv.get(key)
      return typeof text === 'string' ? (JSON.parse(text) as CachedAnswer) : undefined
    },
    set: (key, answer, ttlMs) => keyv.set(key, JSON.stringify(answer), ttlMs),
    delete: key => keyv.delete(key),
    clear: () => keyv.clear(),
  }
}
