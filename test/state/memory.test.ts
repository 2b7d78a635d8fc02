import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import type { Json } from '../../src/protocol/json.js'
import { memoryStore, type MemoryStoreOptions } from '../../src/state/memory.js'
import { virtualClock } from '../../src/testing/clock.js'
import { storeConformance } from '../../src/testing/conformance/index.js'

const LEASE = { ttlMs: 1000 }

/** A clock that is set by hand: thousands of steps need no turn of the event loop each. */
function handClock(nowMs = 0) {
  const clock = { nowMs, now: () => clock.nowMs, after: () => ({ cancel: () => undefined }) }
  return clock
}

function make(options: Omit<MemoryStoreOptions, 'clock'> = {}) {
  const clock = handClock()
  return { clock, store: memoryStore({ clock, ...options }) }
}

describe('the memory store is a store', () => {
  for (const check of storeConformance(clock => memoryStore({ clock }))) test(check.name, () => check.run())
})

describe('values', () => {
  test('the least recently used goes first, and a scan uses nothing', async () => {
    const { store } = make({ maxEntries: 2 })
    await store.set('a', 1, { ttlMs: 10 })
    await store.set('b', 2, { ttlMs: 10 })
    await store.get('a')
    await store.scan('')
    await store.set('c', 3, { ttlMs: 10 })
    expect(await store.scan('')).toEqual([['a', 1], ['c', 3]])
  })

  test('a value without an end is never evicted: a key would be valid no more', async () => {
    const { store } = make({ maxEntries: 2 })
    await store.set('a', 1)
    await store.set('b', 2)
    await expect(store.set('c', 3)).rejects.toMatchObject({ code: 'invalid_config' })
    for (const key of ['d', 'e', 'f']) await store.set(key, 1, { ttlMs: 10 })
    await store.set('b', 4)
    expect(await store.scan('')).toEqual([['a', 1], ['b', 4], ['e', 1], ['f', 1]])
    await store.set('a', 5, { ttlMs: 10 })
    await store.set('c', 3)
    await store.delete('b')
    await store.set('g', 6)
    expect((await store.scan('')).map(([key]) => key)).toEqual(['a', 'c', 'f', 'g'])
  })

  test('bytes of values without an end are bounded, and given back', async () => {
    const { store } = make({ maxBytes: 1000 })
    for (let i = 0; i < 4; i++) await store.set(`key ${i}`, 'x'.repeat(100))
    await expect(store.set('key 4', 'x'.repeat(100))).rejects.toMatchObject({ code: 'invalid_config' })
    await store.set('key 3', '')
    await store.set('key 4', 'x'.repeat(100))
    await store.delete('key 0')
    await store.set('key 5', 'x'.repeat(100))
  })

  test('bytes are bounded, keys included', async () => {
    const { store } = make({ maxBytes: 1000 })
    for (let i = 0; i < 100; i++) await store.set(`key ${i}`, 'x'.repeat(100), { ttlMs: 10 })
    const kept = await store.scan('')
    const bytes = kept.reduce((sum, [key, value]) => sum + 2 * (key.length + JSON.stringify(value).length), 0)
    expect(bytes).toBeLessThanOrEqual(1000)
    expect(kept.length).toBe(4)
  })

  test('a value that is larger than everything is refused, and the old one stays', async () => {
    const { store } = make({ maxBytes: 1000 })
    await store.set('a', 'small')
    await expect(store.set('a', 'x'.repeat(1000))).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await store.get('a')).toBe('small')
  })

  test('what is not JSON is refused without repeating it', async () => {
    const { store } = make()
    const circle: Record<string, unknown> = { secretName: 1 }
    circle['self'] = circle
    for (const value of [undefined, circle, 1n, () => 1]) {
      const error: unknown = await store.set('a', value as Json).catch((caught: unknown) => caught)
      expect(GatewayError.is(error) && error.code).toBe('invalid_request')
      expect(String(error)).not.toContain('secretName')
    }
    expect(await store.get('a')).toBeUndefined()
  })

  test('a clock that starts at 0 expires values too', async () => {
    const { store, clock } = make()
    await store.set('a', 1, { ttlMs: 10 })
    clock.nowMs = 10
    expect(await store.get('a')).toBeUndefined()
  })

  test('a ttlMs of nothing is a mistake, not for ever', async () => {
    const { store } = make()
    for (const ttlMs of [0, -1, NaN, Infinity]) await expect(store.set('a', 1, { ttlMs })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('no timer is armed, and no time but that of the clock is read', async () => {
    const clock = virtualClock(5)
    const store = memoryStore({ clock })
    await store.set('a', 1, { ttlMs: 10 })
    await store.acquire([{ key: 'a', amount: 1, limit: 1, windowMs: 10 }], LEASE)
    expect(clock.pending).toBe(0)
    await clock.advance(9)
    expect(await store.get('a')).toBe(1)
  })
})

describe('counters', () => {
  test('counters are never evicted to make room: the store says that it is full', async () => {
    const { store } = make({ maxCounters: 10, maxEntries: 1 })
    for (let i = 0; i < 10; i++) await store.add(`k${i}`, i + 1)
    await expect(store.add('one more', 1)).rejects.toMatchObject({ code: 'invalid_config' })
    await expect(store.acquire([{ key: 'k0', amount: 1, limit: 9 }], LEASE)).rejects.toMatchObject({ code: 'invalid_config' })
    for (let i = 0; i < 9; i++) await store.set(`v${i}`, i, { ttlMs: 10 })
    await expect(store.add('k9', 0)).rejects.toMatchObject({ code: 'invalid_config' })
  })

  test('windows that are over, and lapsed holds, make room', async () => {
    const { store, clock } = make({ maxCounters: 3000 })
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 900; i++) {
        const verdict = await store.acquire([{ key: `user ${round} ${i}`, amount: 1, limit: 1, windowMs: 500 }], { ttlMs: 500 })
        expect(verdict.ok).toBe(true)
      }
      clock.nowMs += 500
    }
  })

  test('the entries of one window are bounded, and counted down when they leave it', async () => {
    const { store, clock } = make({ maxCounters: 100 })
    const claim = { key: 'a', amount: 1, limit: 1e6, windowMs: 1000 }
    const once = async () => {
      const verdict = await store.acquire([claim], LEASE)
      if (verdict.ok) await store.settle(verdict.holdId, [{ key: 'a', amount: 1 }])
    }
    for (let i = 0; i < 5000; i++) {
      await once()
      clock.nowMs += 20
    }
    await expect((async () => { for (let i = 0; i < 200; i++) {
      await once()
      clock.nowMs += 1
    } })()).rejects.toMatchObject({ code: 'invalid_config' })
  })

  test('an open hold is not swept away', async () => {
    const { store, clock } = make({ maxCounters: 3000 })
    const held = await store.acquire([{ key: 'a', amount: 5, limit: 5 }], { ttlMs: 1_000_000 })
    for (let i = 0; i < 5000; i++) {
      await store.acquire([{ key: `u${i}`, amount: 1, limit: 1, windowMs: 10 }], { ttlMs: 10 })
      clock.nowMs += 1
    }
    if (held.ok) await store.settle(held.holdId, [{ key: 'a', amount: 2 }])
    expect(await store.add('a', 0)).toBe(2)
  })

  test('too many claims and keys without end are refused', async () => {
    const { store } = make()
    const claims = Array.from({ length: 257 }, (_, i) => ({ key: `k${i}`, amount: 1, limit: 1 }))
    await expect(store.acquire(claims, LEASE)).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(store.add('x'.repeat(1025), 1)).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(store.set('x'.repeat(1025), 1)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('a clock with fractions never makes a window too short', async () => {
    const { store, clock } = make()
    const claim = { key: 'a', amount: 1, limit: 1, windowMs: 1000 }
    clock.nowMs = 5.9
    expect((await store.acquire([claim], LEASE)).ok).toBe(true)
    clock.nowMs = 1005.5
    expect(await store.acquire([claim], LEASE)).toEqual({ ok: false, key: 'a', retryAfterMs: 1 })
    clock.nowMs = 1006.5
    expect((await store.acquire([claim], LEASE)).ok).toBe(true)
  })

  test('two claims on one counter cannot slip past 2^53 together', async () => {
    const { store } = make()
    const most = Number.MAX_SAFE_INTEGER
    const claim = { key: 'a', amount: most, limit: most }
    await expect(store.acquire([claim, claim], LEASE)).rejects.toMatchObject({ code: 'invalid_request' })
    expect((await store.acquire([claim], LEASE)).ok).toBe(true)
    expect(await store.acquire([{ ...claim, amount: 1 }], LEASE)).toEqual({ ok: false, key: 'a' })
  })

  test('of two claims that do not fit, the one that waits longest is named', async () => {
    const { store } = make()
    const claims = [100, 300, 200].map(windowMs => ({ key: `w${windowMs}`, amount: 1, limit: 1, windowMs }))
    await store.acquire(claims, LEASE)
    expect(await store.acquire(claims, LEASE)).toEqual({ ok: false, key: 'w300', retryAfterMs: 300 })
    expect(await store.acquire([...claims, { key: 'never', amount: 2, limit: 1 }], LEASE)).toEqual({ ok: false, key: 'never' })
  })

  test('a renew never shortens a lease', async () => {
    const { store, clock } = make()
    const held = await store.acquire([{ key: 'a', amount: 1, limit: 1 }], { ttlMs: 1000 })
    if (!held.ok) throw new Error('does not fit')
    expect(await store.renew(held.holdId, 10)).toBe(true)
    clock.nowMs = 999
    expect(await store.renew(held.holdId, 10)).toBe(true)
  })
})

describe('algebra', () => {
  const step = fc.record({ waitMs: fc.double({ min: 0, max: 400, noNaN: true }), amount: fc.integer({ min: 0, max: 6 }), settle: fc.option(fc.integer({ min: 0, max: 6 })) })

  test('no window of any position ever holds more than the limit, on a clock with fractions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 12 }), async (steps, limit) => {
        const { store, clock } = make()
        clock.nowMs = 1_767_225_600_000.4
        const taken: { atMs: number; amount: number }[] = []
        for (const { waitMs, amount, settle } of steps) {
          clock.nowMs += waitMs
          const verdict = await store.acquire([{ key: 'a', amount, limit, windowMs: 1000 }], { ttlMs: 1e9 })
          if (!verdict.ok) continue
          const charge = Math.min(settle ?? amount, amount)
          if (settle !== null) await store.settle(verdict.holdId, [{ key: 'a', amount: charge }])
          taken.push({ atMs: clock.nowMs, amount: charge })
        }
        for (const { atMs } of taken) {
          const inside = taken.filter(one => one.atMs >= atMs && one.atMs - atMs < 1000)
          expect(inside.reduce((sum, one) => sum + one.amount, 0)).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })

  test('retryAfterMs is enough on a clock with fractions, and at most two milliseconds more than needed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), fc.integer({ min: 6, max: 12 }), async (steps, limit) => {
        const { store, clock } = make()
        clock.nowMs = 1_767_225_600_000.4
        for (const { waitMs, amount } of steps) {
          clock.nowMs += waitMs
          const claim = { key: 'a', amount, limit, windowMs: 1000 }
          const verdict = await store.acquire([claim], { ttlMs: 1e9 })
          if (verdict.ok) continue
          const sinceMs = clock.nowMs
          clock.nowMs = sinceMs + (verdict.retryAfterMs ?? NaN) - 2
          if (clock.nowMs > sinceMs) expect((await store.acquire([claim], { ttlMs: 1e9 })).ok).toBe(false)
          clock.nowMs = sinceMs + (verdict.retryAfterMs ?? NaN)
          expect((await store.acquire([claim], { ttlMs: 1e9 })).ok).toBe(true)
        }
      }),
    )
  })

  test('a counter is the sum of what was charged, added and left to lapse', async () => {
    const action = fc.record({ amount: fc.integer({ min: 0, max: 9 }), charge: fc.option(fc.integer({ min: 0, max: 20 })), lapse: fc.boolean(), add: fc.integer({ min: 0, max: 3 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async actions => {
        const { store, clock } = make()
        let sum = 0
        for (const { amount, charge, lapse, add } of actions) {
          const verdict = await store.acquire([{ key: 'a', amount, limit: 1e6 }], { ttlMs: 100 })
          if (lapse) clock.nowMs += 100
          if (verdict.ok && charge !== null) await store.settle(verdict.holdId, [{ key: 'a', amount: charge }])
          sum += (lapse || charge === null ? amount : charge) + add
          expect(await store.add('a', add)).toBe(sum)
        }
      }),
    )
  })
})

describe('options', () => {
  test('a mistake is said at once', () => {
    const clock = virtualClock()
    const wrong: unknown[] = [undefined, {}, { clock: {} }, { clock, maxEntries: 0 }, { clock, maxBytes: 1.5 }, { clock, maxCounters: -1 }, { clock, maxEntry: 5 }]
    for (const options of wrong) expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(expect.objectContaining({ code: 'invalid_config' }) as Error)
    expect(() => memoryStore({ clock, maxEntry: 5 } as MemoryStoreOptions)).toThrow(/maxEntries/)
  })

  test('two stores share nothing', async () => {
    const clock = virtualClock()
    const [one, two] = [memoryStore({ clock }), memoryStore({ clock })]
    await one.set('a', 1)
    await one.add('a', 1)
    expect(await two.get('a')).toBeUndefined()
    expect(await two.add('a', 1)).toBe(1)
  })
})

test('sums of spending fill no store for good: the oldest group is forgotten', async () => {
  const { store } = make({ maxTallies: 10, maxCounters: 5 })
  for (let group = 0; group < 100; group++) await store.tally([{ group: `g${String(group).padStart(3, '0')}`, field: 'a', amount: 1 }, { group: `g${String(group).padStart(3, '0')}`, field: 'b', amount: 2 }])
  expect((await store.tallies({ start: 'g', end: 'h' })).map(([group]) => group)).toEqual(['g095', 'g095', 'g096', 'g096', 'g097', 'g097', 'g098', 'g098', 'g099', 'g099'])
  for (let field = 0; field < 30; field++) await store.tally([{ group: 'h', field: String(field), amount: 1 }])
  expect((await store.tallies({ start: 'g', end: 'i' })).length).toBe(30)
})
