import { LRUCache } from 'lru-cache'
import type { Clock } from '../protocol/ports.js'
import type { CachedAnswer } from './cache-answer.js'
import type { CacheStore } from './cache-store.js'

/** A store of one process that also says how full it is. */
export interface MemoryCache extends CacheStore {
  get(key: string): CachedAnswer | undefined
  /** Bytes of keys and answers, counted as two per character. */
  readonly bytes: number
  readonly entries: number
}

interface Entry {
  readonly answer: CachedAnswer
  readonly expiresMs: number
}

/** Answers of one process: past `maxBytes` the least recently used goes first. An answer is kept as texts, which nobody can change. */
export function memoryCache({ maxBytes, clock }: { readonly maxBytes: number; readonly clock: Clock }): MemoryCache {
  // Expiry is kept here: the cache's own would read ambient time.
  const kept = new LRUCache<string, Entry>({ maxSize: maxBytes, sizeCalculation: ({ answer }, key) => 2 * key.length + answer.size })
  return {
    get(key) {
      const found = kept.get(key)
      if (found === undefined || clock.now() < found.expiresMs) return found?.answer
      kept.delete(key)
      return undefined
    },
    set: (key, answer, ttlMs) => void kept.set(key, { answer, expiresMs: clock.now() + ttlMs }),
    delete: key => void kept.delete(key),
    clear: () => kept.clear(),
    get bytes() {
      return kept.calculatedSize
    },
    get entries() {
      return kept.size
    },
  }
}
