import { LRUCache } from 'lru-cache'
import { GatewayError } from '../protocol/errors.js'
import { isObject, type Json } from '../protocol/json.js'
import type { Clock, Store } from '../protocol/ports.js'
import { quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { bad, checkCount, checkKey, checkSpan, jsonOf } from './claims.js'
import { Counters } from './counters.js'

export interface MemoryStoreOptions {
  /** The store's own clock: TTLs, windows and leases are measured on it. */
  readonly clock: Clock
  /** Values with a `ttlMs` kept by `set`, of which the least recently used goes first; and as many without. Default 10,000. */
  readonly maxEntries?: number
  /** Bytes of keys and values with a `ttlMs`, counted as two per character; and as many without. Default 64 MiB. */
  readonly maxBytes?: number
  /** Counters, milliseconds of windows and open holds together. These are never evicted: past it `invalid_config` is thrown. Default 1,000,000. */
  readonly maxCounters?: number
  /** Sums of `tally`: past it the group that was begun first is forgotten. Default 200,000. */
  readonly maxTallies?: number
}

const OPTIONS = new Set(['clock', 'maxEntries', 'maxBytes', 'maxCounters', 'maxTallies'])

interface Value {
  readonly text: string
  readonly expiresMs: number
}
interface Range {
  readonly start?: string
  readonly end?: string
  readonly limit?: number
}

/** What `set` keeps. What has an end is a cache and may go early; what has none stays until it is deleted. */
class Values {
  readonly #clock: Clock
  readonly #maxEntries: number
  readonly #maxBytes: number
  #made: LRUCache<string, Value> | undefined
  readonly #lasting = new Map<string, Value>()
  #lastingBytes = 0

  constructor(clock: Clock, maxEntries: number, maxBytes: number) {
    this.#clock = clock
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  /** Made with the first value: it takes its room for all of them at once. Expiry is kept here: its own would read ambient time. */
  get #passing(): LRUCache<string, Value> {
    return (this.#made ??= new LRUCache({ max: this.#maxEntries, maxSize: this.#maxBytes, sizeCalculation: (value, key) => bytesOf(key, value.text) }))
  }

  get(key: string): Json | undefined {
    const found = this.#lasting.get(key) ?? this.#made?.get(key)
    if (found === undefined) return undefined
    if (this.#clock.now() < found.expiresMs) return JSON.parse(found.text) as Json
    this.#passing.delete(key)
    return undefined
  }

  set(key: string, value: Json, ttlMs: number | undefined): void {
    checkKey(key)
    if (ttlMs !== undefined) checkSpan(ttlMs, 'ttlMs')
    const text = jsonOf(value)
    const bytes = bytesOf(key, text)
    if (bytes > this.#maxBytes) throw bad(`The value of ${quoted(key)} is larger than the whole memory store (${this.#maxBytes} bytes). Raise maxBytes.`)
    if (ttlMs === undefined) return this.#last(key, text, bytes)
    this.delete(key)
    this.#passing.set(key, { text, expiresMs: this.#clock.now() + ttlMs })
  }

  delete(key: string): void {
    this.#made?.delete(key)
    const lasting = this.#lasting.get(key)
    if (lasting === undefined) return
    this.#lasting.delete(key)
    this.#lastingBytes -= bytesOf(key, lasting.text)
  }

  scan(prefix: string, { start, end, limit }: Range = {}): (readonly [string, Json])[] {
    if (limit !== undefined) checkCount(limit, 'The limit of a scan')
    const nowMs = this.#clock.now()
    const found: (readonly [string, Value])[] = []
    for (const values of [this.#lasting, this.#made]) {
      for (const [key, value] of values?.entries() ?? []) {
        if (key.startsWith(prefix) && (start === undefined || key >= start) && (end === undefined || key < end) && nowMs < value.expiresMs) found.push([key, value])
      }
    }
    found.sort(([a], [b]) => (a < b ? -1 : 1))
    return found.slice(0, limit).map(([key, value]) => [key, JSON.parse(value.text) as Json])
  }

  #last(key: string, text: string, bytes: number): void {
    const before = this.#lasting.get(key)
    const now = this.#lastingBytes + bytes - (before === undefined ? 0 : bytesOf(key, before.text))
    if (now > this.#maxBytes || (before === undefined && this.#lasting.size >= this.#maxEntries)) {
      throw new GatewayError('invalid_config', `The memory store is full: ${this.#maxEntries} values without an end, ${this.#maxBytes} bytes. Raise maxEntries or maxBytes, or use a store that lasts.`)
    }
    this.#made?.delete(key)
    this.#lasting.set(key, { text, expiresMs: Infinity })
    this.#lastingBytes = now
  }
}

function bytesOf(key: string, text: string): number {
  return 2 * (key.length + text.length)
}

function bound(value: number | undefined, otherwise: number, name: string): number {
  if (value === undefined) return otherwise
  if (!Number.isSafeInteger(value) || value < 1) throw new GatewayError('invalid_config', `memoryStore: ${name} must be a whole number above 0.`)
  return value
}

/**
 * Shared state of one process. Every verb is done in one step, so no two calls can interleave inside one.
 *
 * - Values with a `ttlMs` are a bounded cache: past `maxEntries` or `maxBytes` the least recently used is gone. Values without one stay;
 *   past the same bounds `set` throws `invalid_config`. A value is kept as its JSON text, so nobody can change what is kept. A value
 *   larger than `maxBytes` is `invalid_request`.
 * - A counter is a key with a window or a period: claims on one key over an hour and over a day are two counters, and a charge to the
 *   key settles both. One of a period that ended is forgotten when nothing holds it. `add`, and a charge to a key the hold did not claim, go to the counter of all time. Several claims of
 *   one hold on the same counter add up. Amounts are whole numbers; a counter refuses to pass 2^53-1 (`invalid_request`).
 * - A claim counts in its window from the moment of `acquire`, also after it was settled, and leaves it `windowMs` later:
 *   no window of that length ever holds more than `limit`, except where a charge exceeds what was held.
 * - `retryAfterMs` is when all claims fit if nothing else happens; absent where time alone never makes them fit.
 * - A hold that lapsed is charged at its bound, or released where its claim says so, by the next `acquire`; `settle` and `renew` do nothing.
 */
export function memoryStore(options: MemoryStoreOptions): Store {
  if (!isObject(options)) throw new GatewayError('invalid_config', 'memoryStore() takes an object: memoryStore({ clock }).')
  refuseUnknownKeys(options, OPTIONS, 'memoryStore')
  const { clock } = options
  if (typeof clock?.now !== 'function') throw new GatewayError('invalid_config', 'memoryStore needs a clock: memoryStore({ clock }).')
  const values = new Values(clock, bound(options.maxEntries, 10_000, 'maxEntries'), bound(options.maxBytes, 64 * 1024 * 1024, 'maxBytes'))
  const counters = new Counters(clock, bound(options.maxCounters, 1_000_000, 'maxCounters'), bound(options.maxTallies, 200_000, 'maxTallies'))
  return {
    get: async key => values.get(key),
    set: async (key, value, { ttlMs } = {}) => values.set(key, value, ttlMs),
    delete: async key => values.delete(key),
    add: async (key, amount) => counters.add(key, amount),
    scan: async (prefix, range) => values.scan(prefix, range),
    acquire: async (claims, lease) => counters.acquire(claims, lease),
    settle: async (holdId, charges, tallies) => counters.settle(holdId, charges, tallies),
    renew: async (holdId, ttlMs) => counters.renew(holdId, ttlMs),
    prompt: {
      acquire: (claims, { ttlMs, left }) => counters.hold(claims, ttlMs, left),
      settle: (hold, charges, tallies, quiet) => counters.settle(hold, charges, tallies, quiet),
      tally: tallies => counters.tally(tallies),
    },
    tally: async tallies => counters.tally(tallies),
    tallies: async ({ start, end }) => counters.tallies(start, end),
  }
}
