import { describe, expect, test } from 'vitest'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Batch } from '../../src/state/cache-answer.js'
import { Cache } from '../../src/state/cache-lookup.js'
import { cacheControl, cachePolicy, type CachePolicy } from '../../src/state/cache-options.js'
import { keyvCache, type CacheStore } from '../../src/state/cache-store.js'
import { virtualClock } from '../../src/testing/clock.js'

const ORIGIN = { provider: 'p', model: 'm', deployment: 'd', usage: {}, costNanos: 5 }
const POLICY = cachePolicy({ ttlMs: 1000 }, 'cache') as CachePolicy
const USUAL = cacheControl(undefined)
const answer = (text = 'hi'): Batch[] => [{ atMs: 0, events: [{ type: 'text-delta', text }, { type: 'finish', finishReason: 'stop', usage: {} }] }]
const never = new Promise<never>(() => undefined)
const fine: CacheStore = { get: () => undefined, set: () => undefined, delete: () => undefined, clear: () => undefined }

function make(store?: CacheStore, maxBytes?: number) {
  const clock = virtualClock()
  return { clock, cache: new Cache({ ...(store && { store }), ...(maxBytes && { maxBytes }) }, clock) }
}

describe('in memory', () => {
  test('what was kept is found, synchronously once the memory is loaded', async () => {
    const { cache } = make()
    expect(await cache.lookup('k', USUAL, POLICY)).toBeUndefined()
    expect(cache.keep('k', answer(), ORIGIN, USUAL, POLICY)).toBe(true)
    const hit = cache.lookup('k', USUAL, POLICY)
    expect(hit).toMatchObject({ ageMs: 0, batches: answer(), answer: { costNanos: 5 } })
    expect(cache.health).toEqual({ hits: 1, misses: 1, kept: 1, failures: 0 })
  })

  test('what was kept before the memory was loaded is found, too', async () => {
    const { cache } = make()
    cache.keep('k', answer(), ORIGIN, USUAL, POLICY)
    expect(await cache.lookup('k', USUAL, POLICY)).toBeDefined()
  })

  test('an answer larger than an eighth of it is not kept: one answer must not empty the cache', () => {
    const { cache } = make(undefined, 8_000)
    expect(cache.keep('k', answer('x'.repeat(600)), ORIGIN, USUAL, POLICY)).toBe(false)
    expect(cache.keep('k', answer('x'.repeat(100)), ORIGIN, USUAL, POLICY)).toBe(true)
  })

  test('what is dropped is gone, and so is all after clear()', async () => {
    const { cache } = make()
    cache.keep('a', answer(), ORIGIN, USUAL, POLICY)
    cache.keep('b', answer(), ORIGIN, USUAL, POLICY)
    await cache.flush()
    cache.drop('a')
    expect(cache.lookup('a', USUAL, POLICY)).toBeUndefined()
    await cache.clear()
    expect(cache.lookup('b', USUAL, POLICY)).toBeUndefined()
  })
})

describe('the call decides', () => {
  test('how old an answer may be', async () => {
    const { cache, clock } = make()
    cache.keep('k', answer(), ORIGIN, USUAL, POLICY)
    await cache.flush()
    await clock.advance(300)
    expect(cache.lookup('k', cacheControl({ maxAgeMs: 299 }), POLICY)).toBeUndefined()
    expect(cache.lookup('k', cacheControl({ maxAgeMs: 300 }), POLICY)).toMatchObject({ ageMs: 300 })
  })

  test('no-store neither reads nor writes, refresh writes only', async () => {
    const asked: string[] = []
    const { cache } = make({ ...fine, get: () => void asked.push('get'), set: () => asked.push('set') })
    for (const control of ['no-store', 'refresh'] as const) {
      await cache.lookup('k', cacheControl(control), POLICY)
      cache.keep('k', answer(), ORIGIN, cacheControl(control), POLICY)
    }
    expect(asked).toEqual(['set'])
  })
})

describe('a store that fails fails no call', () => {
  const broken = (): never => {
    throw new Error('down')
  }
  test.each<[string, CacheStore]>([
    ['throws', { get: broken, set: broken, delete: broken, clear: broken }],
    ['rejects', { get: async () => broken(), set: async () => broken(), delete: async () => broken(), clear: async () => broken() }],
    ['gives back something else', { ...fine, get: () => ({ hello: 1 }) as never, set: broken, delete: broken }],
    ['gives back half an answer', { ...fine, get: () => ({ version: 1, storedAtMs: 1, batches: [[0, 'tx']] }) as never, set: broken, delete: broken }],
  ])('when it %s', async (_, store) => {
    const { cache, clock } = make(store)
    expect(await cache.lookup('k', USUAL, POLICY)).toBeUndefined()
    cache.keep('k', answer(), ORIGIN, USUAL, POLICY)
    cache.drop('k')
    await cache.flush()
    expect(cache.health).toEqual({ hits: 0, misses: 1, kept: 1, failures: 3 })
    expect(clock.pending).toBe(0)
  })

  test('nor when its Keyv holds text that is no JSON', async () => {
    const text = '{"version":1,'
    const { cache } = make(keyvCache({ get: async () => text, set: async () => true, delete: async () => true, clear: async () => undefined }))
    expect(await cache.lookup('k', USUAL, POLICY)).toBeUndefined()
    expect(cache.health.failures).toBe(1)
  })

  test('when it hangs, a call waits a second at most, and flush() does too', async () => {
    const { cache, clock } = make({ ...fine, get: () => never, set: () => never })
    const found = cache.lookup('k', USUAL, POLICY)
    await clock.advance(1000)
    expect(await found).toBeUndefined()
    for (let i = 0; i < 1500; i++) cache.keep(`k${i}`, answer(), ORIGIN, USUAL, POLICY)
    expect(cache.health.failures).toBe(501)
    const flushed = cache.flush()
    await clock.advance(1000)
    await flushed
    expect(clock.pending).toBe(0)
  })

  test('when it forgets about times, an answer that is too old is a miss', async () => {
    const kept = new Map<string, never>()
    const { cache, clock } = make({ ...fine, get: key => kept.get(key), set: (key, value) => kept.set(key, value as never) })
    cache.keep('k', answer(), ORIGIN, USUAL, POLICY)
    await clock.advance(999)
    expect(cache.lookup('k', USUAL, POLICY)).toBeDefined()
    await clock.advance(1)
    expect(cache.lookup('k', USUAL, POLICY)).toBeUndefined()
  })
})

test('a promise of another library is waited for', async () => {
  const kept: { value?: never } = {}
  const later = <T>(value: T) => ({ then: (tell: (value: T) => void) => tell(value) })
  const { cache } = make({ ...fine, get: () => later(kept.value) as never, set: (_, value) => later((kept.value = value as never)) })
  cache.keep('k', answer(), ORIGIN, USUAL, POLICY)
  const hit = await cache.lookup('k', USUAL, POLICY)
  expect(hit?.batches.flatMap(batch => batch.events.map((event: ChatEvent) => event.type))).toEqual(['text-delta', 'finish'])
})
