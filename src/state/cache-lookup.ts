import type { Clock } from '../protocol/ports.js'
import { answerOf, batchesOf, type AnswerOrigin, type Batch, type CachedAnswer } from './cache-answer.js'
import type { CacheControl, CacheOptions, CachePolicy } from './cache-options.js'
import type { CacheStore } from './cache-store.js'

const MAX_BYTES = 64 * 1024 * 1024
/** Largest answer that is kept; in memory also an eighth of the whole. */
const MAX_ANSWER_BYTES = 1024 * 1024
/** A store that is slower than this is slower than many an upstream. */
const LOOKUP_MS = 1_000
/** Writes under way; a store that hangs must not gather all answers of a day. */
const MAX_WRITES = 1_000

/** An answer that is known already. */
export interface Hit {
  readonly answer: CachedAnswer
  readonly batches: readonly Batch[]
  readonly ageMs: number
}

/** How a cache does, for `health()`. */
export interface CacheHealth {
  readonly hits: number
  readonly misses: number
  /** Answers handed to the store. */
  readonly kept: number
  /** Lookups, writes and deletions that the store failed. */
  readonly failures: number
}

/** The exact cache of a gateway: what is asked of its store, and what is believed. Nothing the store does fails a call. */
export class Cache {
  readonly #store: CacheStore
  readonly #clock: Clock
  readonly #maxAnswerBytes: number
  readonly #writes = new Set<Promise<unknown>>()
  #hits = 0
  #misses = 0
  #kept = 0
  #failures = 0
  /** Keys may be long texts that hold the prompt: only in our own memory. */
  readonly ownMemory: boolean

  constructor({ store, maxBytes = MAX_BYTES }: Pick<CacheOptions, 'store' | 'maxBytes'>, clock: Clock) {
    this.ownMemory = store === undefined
    this.#store = store ?? lazyMemory(maxBytes, clock)
    this.#clock = clock
    this.#maxAnswerBytes = store === undefined ? Math.min(MAX_ANSWER_BYTES, Math.ceil(maxBytes / 8)) : MAX_ANSWER_BYTES
  }

  get health(): CacheHealth {
    return { hits: this.#hits, misses: this.#misses, kept: this.#kept, failures: this.#failures }
  }

  /** The answer under `key`, unless it is older than the call or the policy allows. Never rejects. */
  lookup(key: string, control: CacheControl, policy: CachePolicy): Hit | undefined | Promise<Hit | undefined> {
    if (!control.read) return undefined
    try {
      const found = this.#store.get(key)
      if (!isLater(found)) return this.#judged(found, control, policy)
      return this.#within(found).then(
        late => this.#judged(late, control, policy),
        () => this.#failed(),
      )
    } catch {
      return this.#failed()
    }
  }

  /** Hands a finished answer to the store and does not wait for it; false where it is not one to keep. */
  keep(key: string, batches: readonly Batch[], origin: AnswerOrigin, control: CacheControl, policy: CachePolicy): boolean {
    if (!control.write) return false
    const answer = answerOf(batches, origin, this.#clock.now(), this.#maxAnswerBytes)
    if (answer === undefined) return false
    this.#kept++
    this.#write(() => this.#store.set(key, answer, policy.ttlMs))
    return true
  }

  /** Takes an answer back that turned out to be no good. */
  drop(key: string): void {
    this.#write(() => this.#store.delete(key))
  }

  /** Forgets everything; rejects where the store does. */
  async clear(): Promise<void> {
    await this.flush()
    await this.#store.clear()
  }

  /** Waits for the writes under way, each at most as long as a lookup may take. */
  async flush(): Promise<void> {
    await Promise.all([...this.#writes].map(write => this.#within(write).catch(() => undefined)))
  }

  #judged(found: CachedAnswer | undefined, control: CacheControl, policy: CachePolicy): Hit | undefined {
    if (found === undefined || found === null) return this.#missed()
    const batches = batchesOf(found)
    if (batches === undefined) return this.#failed()
    // Clocks of two machines differ a little.
    const ageMs = Math.max(0, this.#clock.now() - found.storedAtMs)
    if (ageMs >= policy.ttlMs || ageMs > control.maxAgeMs) return this.#missed()
    this.#hits++
    return { answer: found, batches, ageMs }
  }

  #missed(): undefined {
    this.#misses++
  }

  #failed(): undefined {
    this.#failures++
    this.#misses++
  }

  #write(work: () => unknown): void {
    if (this.#writes.size >= MAX_WRITES) return void this.#failures++
    try {
      const writing = work()
      if (!isLater(writing)) return
      const settled: Promise<unknown> = Promise.resolve(writing)
        .catch(() => void this.#failures++)
        .finally(() => this.#writes.delete(settled))
      this.#writes.add(settled)
    } catch {
      this.#failures++
    }
  }

  /** Rejects where a store takes too long. */
  #within<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(LOOKUP_MS, () => reject(new Error('The cache store is too slow.')))
      Promise.resolve(work).then(resolve, reject).finally(() => timer.cancel())
    })
  }
}

function isLater<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** Memory that is loaded with the first call: an application without a cache does not pay for it. */
function lazyMemory(maxBytes: number, clock: Clock): CacheStore {
  let ready: CacheStore | undefined
  let loading: Promise<CacheStore> | undefined
  const store = (): Promise<CacheStore> => (loading ??= import('./cache.js').then(({ memoryCache }) => (ready = memoryCache({ maxBytes, clock }))))
  return {
    get: key => (ready === undefined ? store().then(loaded => loaded.get(key)) : ready.get(key)),
    set: (key, answer, ttlMs) => (ready === undefined ? store().then(loaded => loaded.set(key, answer, ttlMs)) : ready.set(key, answer, ttlMs)),
    delete: key => (ready === undefined ? undefined : ready.delete(key)),
    clear: () => ready?.clear(),
  }
}
