import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore, type SqliteDatabase } from '../../../src/state/sqlite.js'
import { beyond, bytesOf, textOf } from '../../../src/state/sqlite-text.js'
import { ENGINES } from './engine.js'

const DAY_MS = 86_400_000
const START = 20_000 * DAY_MS
const TABLES = ['values', 'counters', 'entries', 'holds', 'tallies']

describe.each(ENGINES)('what is over is cleared away: $name', ({ open }) => {
  let db: SqliteDatabase
  let nowMs = START
  beforeEach(() => {
    db = open(':memory:')
    nowMs = START
  })
  afterEach(() => db.close())
  const make = (keepTalliesMs = 10 * DAY_MS) => sqliteStore(db, { keepTalliesMs, now: () => nowMs })
  const rows = () => Object.fromEntries(TABLES.map(name => [name, (db.prepare(`SELECT count(*) AS n FROM sallyport_${name}`) as { get(): { n: number } }).get().n]))

  test('windows, periods, values and tallies that nobody asks for again, a step at a time', async () => {
    const store = make()
    const second = { periods: [START, START + 1000] }
    for (let i = 0; i < 1300; i += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, j) => {
          const key = `user ${i + j}`
          const held = await store.acquire([{ key, amount: 2, limit: 5, windowMs: 1000 }, { key, amount: 2, limit: 5, ...second }], { ttlMs: 1000 })
          if (held.ok) await store.settle(held.holdId, [{ key, amount: 1 }], [{ group: key, field: 'f', amount: 1 }])
          await store.set(key, key, { ttlMs: 1000 })
        }),
      )
    }
    await store.set('lasting', 1)
    await store.add('all time', 5)
    expect(rows()).toEqual({ values: 1301, counters: 2601, entries: 1300, holds: 0, tallies: 1300 })
    nowMs += 12 * DAY_MS
    const left: number[] = []
    for (let i = 0; i < 45; i++) {
      await store.add('all time', 1)
      left.push(rows()['counters'] ?? 0)
    }
    for (const [i, count] of left.entries()) expect((left[i - 1] ?? 2601) - count, 'counters cleared away at once').toBeLessThanOrEqual(512)
    expect(rows()).toEqual({ values: 1, counters: 1, entries: 0, holds: 0, tallies: 0 })
    expect([await store.get('lasting'), await store.add('all time', 0)]).toEqual([1, 50])
  })

  test('the counter of a period that is over stays while a hold holds of it, and its late settle finds what was charged', async () => {
    const store = make()
    const claim = { key: 'a', amount: 2, limit: 50, periods: [START, START + 1000] }
    const [one, two] = [await store.acquire([claim], { ttlMs: 9 * DAY_MS }), await store.acquire([claim], { ttlMs: 9 * DAY_MS })]
    if (!one.ok || !two.ok) throw new Error('does not fit')
    await store.settle(one.holdId, [{ key: 'a', amount: 7 }])
    nowMs += DAY_MS
    for (let i = 0; i < 100; i++) await store.add('b', 1)
    expect(await store.settle(two.holdId, [{ key: 'a', amount: 1 }])).toEqual([{ key: 'a', period: START, charged: 8, held: 0 }])
    nowMs += 120_000
    for (let i = 0; i < 100; i++) await store.add('b', 1)
    expect(rows()['counters']).toBe(1)
  })

  test('a window with more than one step can delete is exact all the same', async () => {
    const store = make()
    const claim = { key: 'a', amount: 1, limit: 6000, windowMs: 1000 }
    for (let i = 0; i < 5000; i++) void store.acquire([claim], { ttlMs: 1e9 })
    await store.add('b', 0)
    nowMs += 500
    await Promise.all(Array.from({ length: 1000 }, () => store.acquire([claim], { ttlMs: 1e9 })))
    expect(await store.acquire([claim], { ttlMs: 1 })).toEqual({ ok: false, key: 'a', retryAfterMs: 500 })
    nowMs += 500
    for (const [amount, fits, entries] of [[6000, false, 4000], [5001, false, 2000], [5000, true, 1001], [1, false, 1001]] as const) {
      const { holdId: _, ...verdict } = { holdId: '', ...(await store.acquire([{ ...claim, amount }], { ttlMs: 1e9 })) }
      expect(verdict, `a claim of ${amount}`).toEqual(fits ? { ok: true } : { ok: false, key: 'a', retryAfterMs: 500 })
      expect(rows()['entries']).toBe(entries)
    }
  })

  test('a tally that is added to stays, however old it is', async () => {
    const store = make()
    for (let day = 0; day < 30; day++) {
      await store.tally([{ group: 'g', field: 'new', amount: 1 }, ...(day === 0 ? [{ group: 'g', field: 'old', amount: 1 }] : [])])
      for (let i = 0; i < 2; i++) await Promise.all(Array.from({ length: 20 }, () => store.add('a', 0)))
      expect((await store.tallies({ start: 'g', end: 'h' })).length, `day ${day}`).toBe(day <= 10 ? 2 : 1)
      nowMs += DAY_MS
    }
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([['g', 'new', 30]])
  })

  test('without a clock of tests the time is that of the machine, in whole milliseconds', async () => {
    const store = sqliteStore(db)
    for (let i = 0; i < 20; i++) {
      const beforeMs = Date.now()
      const claim = { key: `k${i}`, amount: 1, limit: 1, periods: [0, beforeMs + 100_000] }
      await store.acquire([claim], { ttlMs: 1000 })
      const verdict = await store.acquire([claim], { ttlMs: 1000 })
      const waitMs = verdict.ok ? NaN : (verdict.retryAfterMs ?? NaN)
      expect(Number.isInteger(waitMs)).toBe(true)
      expect(waitMs).toBeLessThanOrEqual(100_000)
      expect(waitMs).toBeGreaterThanOrEqual(100_000 - (Date.now() - beforeMs))
    }
  })

  test('a database that gives big integers or lists is read all the same', async () => {
    const set = db as SqliteDatabase & { defaultSafeIntegers?(on: boolean): void }
    set.defaultSafeIntegers?.(true)
    const store = make()
    expect(await store.add('a', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
    expect((await store.acquire([{ key: 'b', amount: 1, limit: 1 }], { ttlMs: 1 })).ok).toBe(true)
  })

  test('what a caller changes after it asked changes nothing', async () => {
    const store = make()
    const claims = [{ key: 'a', amount: 1, limit: 5 }]
    const tallies = [{ group: 'g', field: 'f', amount: 1 }]
    const asked = [store.acquire(claims, { ttlMs: 1 }), store.tally(tallies)]
    claims[0] = { key: 'a', amount: NaN, limit: NaN }
    Object.assign(tallies[0] ?? {}, { amount: NaN })
    await Promise.all(asked)
    expect(await store.add('a', 0)).toBe(1)
    expect(await store.tallies({ start: 'g', end: 'h' })).toEqual([['g', 'f', 1]])
  })
})

describe('texts as bytes', () => {
  const text = fc.array(fc.oneof(fc.constantFrom(0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff), fc.nat(0xffff)), { maxLength: 6 }).map(units => String.fromCharCode(...units))
  const order = (a: Uint8Array, b: Uint8Array) => Math.sign(Buffer.compare(a, b))

  test('none is lost, and their order is that of JavaScript', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(textOf(bytesOf(a))).toBe(a)
        expect(order(bytesOf(a), bytesOf(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(order(bytesOf(a), beyond(b)) < 0 && order(bytesOf(a), bytesOf(b)) >= 0).toBe(a.startsWith(b))
      }),
      { numRuns: 2000 },
    )
  })
})
