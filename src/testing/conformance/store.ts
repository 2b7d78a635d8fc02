import type { Json } from '../../protocol/json.js'
import type { Store } from '../../protocol/ports.js'
import { virtualClock, type VirtualClock } from '../clock.js'
import { check, equal, refuses, type Check } from './check.js'
import { claimChecks, type StoreBody } from './store-claims.js'
import { ledgerChecks } from './store-ledger.js'
import { windowChecks } from './store-windows.js'

/** Makes an empty store that lives on `clock`. */
export type MakeStore = (clock: VirtualClock) => Store | Promise<Store>

const HOSTILE = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'a:b', 'all:a', '60000:a', 'a*', 'a?', 'a[b]', 'a%', 'a_', "a'; --", 'a\nb', 'a b', 'ключ', '鍵', '{a}']

async function keeps(store: Store): Promise<void> {
  equal(await store.get('a'), undefined, 'a key that was never set')
  const values: Json[] = [null, true, 0, -1.5, '', 'text', [], {}, [1, [2]], { a: { b: [null] } }]
  for (const value of values) {
    await store.set('a', value)
    equal(await store.get('a'), value, 'the value that was set')
  }
  await store.delete('a')
  equal(await store.get('a'), undefined, 'a deleted key')
  await store.delete('a')
}

async function isolates(store: Store): Promise<void> {
  const given = { list: [1] }
  await store.set('a', given)
  given.list.push(2)
  equal(await store.get('a'), { list: [1] }, 'what is kept after the caller changed what was set')
  const got = (await store.get('a')) as { list: number[] }
  try {
    got.list.push(3)
  } catch {
    // A frozen value cannot be changed either, and that is as good.
  }
  equal(await store.get('a'), { list: [1] }, 'what is kept after the caller changed what get() gave')
}

async function expires(store: Store, clock: VirtualClock): Promise<void> {
  await store.set('a', 1, { ttlMs: 1000 })
  await store.set('b', 1, { ttlMs: 1000 })
  await store.set('b', 2)
  await store.set('c', 1, { ttlMs: 1000 })
  await clock.advance(500)
  await store.set('c', 2, { ttlMs: 1000 })
  await clock.advance(499)
  equal(await store.get('a'), 1, 'a value one millisecond before its ttlMs is over')
  await clock.advance(1)
  // First, for get may clear away what it finds expired.
  equal(await store.scan(''), [['b', 2], ['c', 2]], 'scan when one ttlMs is over, one was taken off and one was renewed by set')
  equal(await store.get('a'), undefined, 'a value whose ttlMs is over')
  await clock.advance(500)
  equal(await store.get('c'), undefined, 'a value whose second ttlMs is over')
  equal(await store.get('b'), 2, 'a value set again without a ttlMs')
}

async function scans(store: Store): Promise<void> {
  for (const key of ['k:b', 'k:10', 'k:a', 'l:a', 'k:2', 'k', 'k:', 'K:a']) await store.set(key, key)
  const keys = async (...args: Parameters<Store['scan']>) => (await store.scan(...args)).map(([key]) => key)
  equal(await store.scan('l'), [['l:a', 'l:a']], 'scan gives pairs of key and value')
  equal(await keys('k:'), ['k:', 'k:10', 'k:2', 'k:a', 'k:b'], 'scan by prefix, in key order')
  equal(await keys('k:', { start: 'k:2' }), ['k:2', 'k:a', 'k:b'], 'scan from start, inclusive')
  equal(await keys('k:', { end: 'k:a' }), ['k:', 'k:10', 'k:2'], 'scan to end, exclusive')
  equal(await keys('k:', { start: 'k:10', end: 'k:b', limit: 2 }), ['k:10', 'k:2'], 'scan with a limit gives the first ones')
  equal(await keys('k:', { limit: 0 }), [], 'scan with a limit of 0')
  equal(await keys('none'), [], 'scan of a prefix nobody has')
}

async function survivesHostileKeys(store: Store): Promise<void> {
  for (const key of HOSTILE) equal(await store.get(key), undefined, `get(${JSON.stringify(key)}) before any set`)
  for (const key of HOSTILE) equal(await store.add(key, 1), 1, `add(${JSON.stringify(key)}, 1) the first time`)
  for (const key of HOSTILE) await store.set(key, { key })
  for (const key of HOSTILE) equal(await store.get(key), { key }, `get(${JSON.stringify(key)})`)
  for (const key of HOSTILE) equal((await store.acquire([{ key, amount: 1, limit: 2 }], { ttlMs: 1000 })).ok, true, `acquire of ${JSON.stringify(key)}`)
  for (const prefix of ['a*', 'a?', 'a[', 'a%', 'a_']) equal((await store.scan(prefix)).length, 1, `scan(${JSON.stringify(prefix)}), where no letter is a wildcard`)
  equal((await store.scan('')).length, HOSTILE.length, 'scan of everything')
  await store.set('value', JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as Json)
  equal(Object.keys((await store.get('value')) as object).sort(), ['__proto__', 'constructor'], 'the keys of a kept value')
  equal(({} as Record<string, unknown>)['polluted'], undefined, 'the prototype of every object')
}

async function counts(store: Store): Promise<void> {
  const most = Number.MAX_SAFE_INTEGER
  equal(await store.add('a', 2), 2, 'the first add')
  equal(await store.add('a', 0), 2, 'an add of 0')
  equal(await store.add('a', most - 3), most - 1, 'a large add')
  await refuses(() => store.add('a', 2), 'an add beyond 2^53-1', 'invalid_request')
  equal(await store.add('a', 1), most, 'the counter after an add that was refused')
  for (const amount of [-1, 0.5, NaN, Infinity, most + 1]) await refuses(() => store.add('b', amount), `add('b', ${amount})`, 'invalid_request')
  equal(await store.add('b', 0), 0, 'a counter nothing was added to')
  const sums = await Promise.all(Array.from({ length: 50 }, () => store.add('c', 1)))
  equal([...sums].sort((x, y) => x - y), Array.from({ length: 50 }, (_, i) => i + 1), 'the sums of 50 adds at once')
}

async function keepsApart(store: Store): Promise<void> {
  await store.set('a', 'value')
  equal(await store.add('a', 3), 3, 'add on the key of a value')
  equal(await store.get('a'), 'value', 'the value on the key of a counter')
  await store.delete('a')
  equal(await store.add('a', 0), 3, 'the counter after the value was deleted')
  equal(await store.scan(''), [], 'scan, which gives values only')
}

const VALUES: readonly (readonly [string, StoreBody])[] = [
  ['get gives what set was given, until delete', keeps],
  ['what is kept cannot be changed from outside', isolates],
  ['a ttlMs ends to the millisecond', expires],
  ['scan is by prefix, in key order, within its range', scans],
  ['hostile keys are keys like others', survivesHostileKeys],
  ['add counts exactly and refuses beyond 2^53-1', counts],
  ['values and counters of one key are kept apart', keepsApart],
]

/**
 * What every {@link Store} must do. Each check makes a store of its own.
 * @param make gives an empty store whose clock is the given one.
 */
export function storeConformance(make: MakeStore): Check[] {
  return [...VALUES, ...claimChecks, ...windowChecks, ...ledgerChecks].map(([name, body]) =>
    check(name, async () => {
      const clock = virtualClock()
      await body(await make(clock), clock)
    }),
  )
}
