import { expect, test } from 'vitest'
import fc from 'fast-check'
import { backoffMs, type RetrySettings } from '../../src/resilience/backoff.js'
import { seededRandom } from '../../src/testing/random.js'

const settings: RetrySettings = { attempts: 3, maxAttempts: 6, baseMs: 500, maxMs: 8_000, retryAfterCapMs: 10_000 }

test('a thousand clients told to come back in 2 s do not come back in the same 100 ms', () => {
  const random = seededRandom(1)
  const buckets = new Map<number, number>()
  for (let i = 0; i < 1_000; i++) {
    const bucket = Math.floor((backoffMs(1, 2_000, settings, random) ?? 0) / 100)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  expect(Math.max(...buckets.values())).toBeLessThan(300)
  expect(buckets.size).toBeGreaterThanOrEqual(5)
})

test('the wait never undercuts what the upstream asked for, never passes it by more than the backoff, and is never negative', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.option(fc.double({ min: -1e6, max: 1e5, noNaN: true }), { nil: undefined }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (n, asked, die) => {
      const waitMs = backoffMs(n, asked, settings, () => die)
      if (asked !== undefined && asked > settings.retryAfterCapMs) return waitMs === undefined
      const floor = Math.max(0, asked ?? 0)
      return waitMs !== undefined && waitMs >= floor && waitMs <= floor + settings.maxMs
    }),
  )
})
