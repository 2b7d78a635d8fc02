import { describe, expect, test } from 'vitest'
import type { CallCache } from '../../src/state/cache-options.js'
import type { CacheStore } from '../../src/state/cache-store.js'
import { cacheControl, cachePolicy } from '../../src/state/cache-options.js'

const store: CacheStore = { get: () => undefined, set: () => undefined, delete: () => undefined, clear: () => undefined }
const code = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message]
  }
}

describe('the cache of a gateway and of a route', () => {
  test('is off until it is asked for, and has its defaults then', () => {
    expect(cachePolicy(undefined, 'cache')).toBeUndefined()
    expect(cachePolicy(false, 'cache')).toBeUndefined()
    expect(cachePolicy(true, 'cache')).toEqual({ ttlMs: 300_000, scope: 'tenant', replay: 'full' })
    expect(cachePolicy({ scope: 'user', maxBytes: 1000 }, 'cache')).toEqual({ ttlMs: 300_000, scope: 'user', replay: 'full' })
  })

  test('of a route: the nearest wins, and the rest comes from the gateway', () => {
    const outer = cachePolicy({ ttlMs: 5, replay: 'recorded' }, 'cache')
    expect(cachePolicy(undefined, 'route', { outer })).toBe(outer)
    expect(cachePolicy(true, 'route', { outer })).toBe(outer)
    expect(cachePolicy(false, 'route', { outer })).toBeUndefined()
    expect(cachePolicy({ scope: 'global' }, 'route', { outer })).toEqual({ ttlMs: 5, replay: 'recorded', scope: 'global' })
    expect(cachePolicy({ scope: 'global' }, 'route', { outer: undefined })).toEqual({ ttlMs: 300_000, replay: 'full', scope: 'global' })
  })

  test.each([
    [{ ttl: 5 }, /options.cache has no option "ttl". Did you mean "ttlMs"\?/],
    [{ ttlMs: 0 }, /ttlMs must be/],
    [{ ttlMs: Infinity }, /ttlMs must be/],
    [{ scope: 'users' }, /Did you mean "user"\?/],
    [{ replay: 'slow' }, /must be one of "full", "recorded"/],
    [{ maxBytes: 0.5 }, /maxBytes must be a whole number/],
    [{ maxBytes: 10, store }, /bound that one/],
    [{ store: { get: () => undefined } }, /no method set\(\)/],
    ['yes', /must be true, false or/],
  ])('refuses %o', (given, message) => {
    expect(code(() => cachePolicy(given as never, 'options.cache'))).toEqual(['invalid_config', expect.stringMatching(message)])
  })

  test('a route with a store is told where it belongs', () => {
    expect(code(() => cachePolicy({ store } as never, 'routes.smart.cache', { outer: undefined }))).toEqual(['invalid_config', expect.stringMatching(/go into the options of the gateway/)])
  })
})

describe('the cache of a call', () => {
  test.each<[CallCache | undefined, object]>([
    [undefined, { read: true, write: true, join: true, maxAgeMs: Infinity }],
    [false, { read: false, write: false, join: false }],
    ['no-store', { read: false, write: false, join: false }],
    ['refresh', { read: false, write: true, join: false }],
    [{ maxAgeMs: 100 }, { read: true, write: true, join: true, maxAgeMs: 100 }],
  ])('%o', (given, expected) => expect(cacheControl(given)).toMatchObject(expected))

  test.each([
    ['no_store', /Did you mean "no-store"\?/],
    [{ maxAge: 5 }, /Did you mean "maxAgeMs"\?/],
    [{}, /maxAgeMs/],
    [{ maxAgeMs: -1 }, /maxAgeMs/],
    [true, /must be false, "no-store"/],
    [null, /must be false, "no-store"/],
  ])('refuses %o', (given, message) => {
    expect(code(() => cacheControl(given as never))).toEqual(['invalid_request', expect.stringMatching(message)])
  })
})
