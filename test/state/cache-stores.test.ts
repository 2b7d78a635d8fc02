import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryCache } from '../../src/state/cache.js'
import type { CachedAnswer } from '../../src/state/cache-answer.js'
import { checkStore, keyvCache, type CacheStore } from '../../src/state/cache-store.js'
import { virtualClock } from '../../src/testing/clock.js'

const answer = (size = 1000): CachedAnswer => ({
  version: 1, storedAtMs: 0, provider: 'p', model: 'm', deployment: 'd', usage: {}, costNanos: null, batches: [[0, '{"type":"finish","finishReason":"stop","usage":{}}']], size,
})

describe('memory', () => {
  test('an answer is gone when its time is over, on the clock of the gateway', async () => {
    const clock = virtualClock()
    const store = memoryCache({ maxBytes: 10_000, clock })
    store.set('a', answer(), 500)
    await clock.advance(499)
    expect(store.get('a')).toBeDefined()
    await clock.advance(1)
    expect(store.get('a')).toBeUndefined()
    expect([store.entries, store.bytes, clock.pending]).toEqual([0, 0, 0])
  })

  test('the least recently used goes first', () => {
    const store = memoryCache({ maxBytes: 2_100, clock: virtualClock() })
    store.set('a', answer(), 500)
    store.set('b', answer(), 500)
    store.get('a')
    store.set('c', answer(), 500)
    expect(['a', 'b', 'c'].map(key => store.get(key) !== undefined)).toEqual([true, false, true])
  })

  test('it never holds more than its bytes, long keys included', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 1200 })), { maxLength: 60 }), entries => {
        const store = memoryCache({ maxBytes: 1_000, clock: virtualClock() })
        for (const [key, size] of entries) {
          store.set(key, answer(size), 500)
          expect(store.bytes).toBeLessThanOrEqual(1_000)
        }
      }),
    )
  })

  test('what is deleted or cleared is gone', () => {
    const store = memoryCache({ maxBytes: 10_000, clock: virtualClock() })
    store.set('a', answer(), 500)
    store.set('b', answer(), 500)
    store.delete('a')
    expect(store.get('a')).toBeUndefined()
    store.clear()
    expect(store.entries).toBe(0)
  })
})

describe('a Keyv', () => {
  function keyv() {
    const values = new Map<string, { value: unknown; ttl: number | undefined }>()
    return {
      values,
      get: (key: string) => Promise.resolve(values.get(key)?.value),
      set: (key: string, value: unknown, ttl?: number) => Promise.resolve(values.set(key, { value, ttl })).then(() => true),
      delete: (key: string) => Promise.resolve(values.delete(key)),
      clear: () => Promise.resolve(values.clear()),
    }
  }

  test('is given texts with their time in milliseconds, and gives the answer back', async () => {
    const inner = keyv()
    const store = keyvCache(inner)
    await store.set('k', answer(), 1234)
    expect(inner.values.get('k')).toEqual({ value: JSON.stringify(answer()), ttl: 1234 })
    expect(await store.get('k')).toEqual(answer())
    await store.delete('k')
    expect(await store.get('k')).toBeUndefined()
    await store.set('k', answer(), 1)
    await store.clear()
    expect(inner.values.size).toBe(0)
  })

  test('with something else under the key has no answer', async () => {
    const inner = keyv()
    await inner.set('k', { mine: true })
    expect(await keyvCache(inner).get('k')).toBeUndefined()
  })

  test('that is none is refused at once', () => {
    expect(() => keyvCache({ get: () => 1, set: () => 1 } as never)).toThrow(/no method delete\(\)/)
    expect(() => keyvCache(undefined as never)).toThrow(/takes a Keyv/)
  })
})

test('a store that lacks a method is refused at construction', () => {
  const whole: CacheStore = { get: () => undefined, set: () => undefined, delete: () => undefined, clear: () => undefined }
  expect(() => checkStore(whole, 'options.cache.store')).not.toThrow()
  const { clear: _, ...half } = whole
  expect(() => checkStore(half, 'options.cache.store')).toThrow(/options.cache.store has no method clear\(\)/)
})
