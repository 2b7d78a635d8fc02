import type { Claim, Lease, Store } from '../../protocol/ports.js'
import type { VirtualClock } from '../clock.js'
import { seededRandom } from '../random.js'
import { ensure, equal, refuses, show } from './check.js'

/** A check on an empty store. */
export type StoreBody = (store: Store, clock: VirtualClock) => Promise<void>

const LEASE: Lease = { ttlMs: 10_000 }

/** Acquires, or says that it should have. */
export async function hold(store: Store, claims: readonly Claim[], what: string, lease = LEASE): Promise<string> {
  const verdict = await store.acquire(claims, lease)
  ensure(verdict.ok, () => `${what}: expected the claim to fit, found ${show(verdict)}`)
  return verdict.holdId
}

/** What of `limit` is still free on the counter of all time. */
async function free(store: Store, key: string, limit: number): Promise<number> {
  for (let amount = limit; amount > 0; amount--) {
    const verdict = await store.acquire([{ key, amount, limit }], LEASE)
    if (!verdict.ok) continue
    await store.settle(verdict.holdId, [])
    return amount
  }
  return 0
}

async function allOrNothing(store: Store): Promise<void> {
  await hold(store, [{ key: 'b', amount: 5, limit: 5 }], 'a claim of the whole limit')
  const verdict = await store.acquire([{ key: 'a', amount: 3, limit: 5 }, { key: 'b', amount: 1, limit: 5 }, { key: 'c', amount: 1, limit: 5, windowMs: 1000 }], LEASE)
  equal({ ...verdict }, { ok: false, key: 'b' }, 'the verdict on three claims of which the second does not fit')
  equal(await free(store, 'a', 5), 5, 'what is free on the first key of a refused acquire')
  await hold(store, [{ key: 'c', amount: 5, limit: 5, windowMs: 1000 }], 'the third key of a refused acquire')
  equal(await free(store, 'b', 5), 0, 'what is free on the key that is taken')
  await hold(store, [], 'an acquire without claims')
  await hold(store, [{ key: 'b', amount: 0, limit: 5 }], 'a claim of 0 on a full counter')
}

async function neverExceeds(store: Store): Promise<void> {
  const verdicts = await Promise.all(Array.from({ length: 100 }, () => store.acquire([{ key: 'a', amount: 3, limit: 100 }], LEASE)))
  equal(verdicts.filter(verdict => verdict.ok).length, 33, 'how many of 100 claims of 3 at once fit a limit of 100')
  const ids = verdicts.flatMap(verdict => (verdict.ok ? [verdict.holdId] : []))
  equal(new Set(ids).size, ids.length, 'how many hold ids are different')
}

async function neverExceedsCrosswise(store: Store): Promise<void> {
  const random = seededRandom(7)
  const asked = Array.from({ length: 200 }, () => {
    const amount = 1 + Math.floor(random() * 5)
    const claims = ['a', 'b'].map(key => ({ key, amount, limit: 150 }))
    return { amount, claims: random() < 0.5 ? claims : claims.reverse() }
  })
  const verdicts = await Promise.all(asked.map(({ claims }) => store.acquire(claims, LEASE)))
  const taken = asked.reduce((sum, { amount }, i) => sum + (verdicts[i]?.ok === true ? amount : 0), 0)
  ensure(taken <= 150, () => `expected at most 150 to be taken on both keys, found ${taken}`)
  ensure(taken > 145, () => `expected claims of at most 5 to fill a limit of 150, found only ${taken} taken`)
  equal(await free(store, 'a', 150), 150 - taken, 'what is free on one key')
  equal(await free(store, 'b', 150), 150 - taken, 'what is free on the other key')
}

async function addsUp(store: Store): Promise<void> {
  const twice = (amount: number) => [{ key: 'a', amount, limit: 5 }, { key: 'a', amount, limit: 9 }]
  equal((await store.acquire(twice(3), LEASE)).ok, false, 'two claims of 3 on one key with a limit of 5')
  equal((await store.acquire(twice(3).reverse(), LEASE)).ok, false, 'the same, the other way round')
  const id = await hold(store, twice(2), 'two claims of 2 on one key with a limit of 5')
  equal(await free(store, 'a', 5), 1, 'what is free while both are held')
  await store.settle(id, [{ key: 'a', amount: 3 }])
  equal(await free(store, 'a', 5), 2, 'what is free after one charge of 3 for both')
}

async function countsAdds(store: Store): Promise<void> {
  await store.add('a', 4)
  equal(await free(store, 'a', 5), 1, 'what is free under a limit of 5 after add(4)')
}

async function settles(store: Store): Promise<void> {
  const claims = [{ key: 'a', amount: 6, limit: 10 }, { key: 'b', amount: 6, limit: 10 }]
  const id = await hold(store, claims, 'two claims')
  await store.settle(id, [{ key: 'a', amount: 2 }, { key: 'a', amount: 1 }, { key: 'other', amount: 4 }])
  equal(await free(store, 'a', 10), 7, 'what is free after two charges, 2 and 1, replaced 6 held')
  equal(await free(store, 'b', 10), 10, 'what is free on a held key that was not charged')
  equal(await store.add('other', 0), 4, 'the counter of a key that was charged but not held')
  const over = await hold(store, [{ key: 'a', amount: 1, limit: 10 }], 'a claim of 1')
  await store.settle(over, [{ key: 'a', amount: 9 }])
  equal(await store.add('a', 0), 12, 'the counter after a charge above what was held')
}

async function settlesOnce(store: Store): Promise<void> {
  const id = await hold(store, [{ key: 'a', amount: 5, limit: 10 }], 'a claim')
  await Promise.all(Array.from({ length: 5 }, () => store.settle(id, [{ key: 'a', amount: 2 }, { key: 'b', amount: 1 }])))
  await store.settle(id, [{ key: 'a', amount: 9 }])
  equal(await store.add('a', 0), 2, 'the counter after six settles of one hold')
  equal(await store.add('b', 0), 1, 'the counter of another key after six settles of one hold')
  equal(await store.renew(id, 10_000), false, 'renew of a settled hold')
  await store.settle('no such hold', [{ key: 'a', amount: 9 }])
  equal(await store.add('a', 0), 2, 'the counter after the settle of a hold that never was')
}

async function settlesWhole(store: Store): Promise<void> {
  const id = await hold(store, [{ key: 'a', amount: 1, limit: 10 }, { key: 'b', amount: 1, limit: 10 }], 'two claims')
  await store.add('b', Number.MAX_SAFE_INTEGER - 1)
  await refuses(() => store.settle(id, [{ key: 'a', amount: 5 }, { key: 'b', amount: 2 }]), 'a settle that takes a counter beyond 2^53-1', 'invalid_request')
  await refuses(() => store.settle(id, [{ key: 'a', amount: -1 }]), 'a negative charge', 'invalid_request')
  equal(await free(store, 'a', 10), 9, 'what is free on the first key of a settle that was refused')
  await store.settle(id, [{ key: 'a', amount: 5 }])
  equal(await store.add('a', 0), 5, 'the counter after the settle was made good')
}

async function lapses(store: Store, clock: VirtualClock): Promise<void> {
  const claim = { key: 'a', amount: 4, limit: 10 }
  const lost = await hold(store, [claim], 'a claim', { ttlMs: 1000 })
  const kept = await hold(store, [claim], 'a second claim', { ttlMs: 1001 })
  await clock.advance(1000)
  await store.settle(lost, [{ key: 'a', amount: 0 }])
  await store.settle(kept, [{ key: 'a', amount: 1 }])
  equal(await store.add('a', 0), 5, 'the counter after 4 lapsed (charged at its bound) and 4 were settled at 1 in time')
  equal(await store.renew(lost, 1000), false, 'renew of a lapsed hold')
  await store.settle(lost, [])
  equal(await store.add('a', 0), 5, 'the counter after a late renew and a late settle')
}

async function renews(store: Store, clock: VirtualClock): Promise<void> {
  const id = await hold(store, [{ key: 'a', amount: 4, limit: 10 }], 'a claim', { ttlMs: 1000 })
  for (let i = 0; i < 5; i++) {
    await clock.advance(999)
    equal(await store.renew(id, 1000), true, 'renew in time')
  }
  await clock.advance(999)
  await store.settle(id, [{ key: 'a', amount: 1 }])
  equal(await store.add('a', 0), 1, 'the counter after a renewed hold was settled')
  equal(await store.renew('no such hold', 1000), false, 'renew of a hold that never was')
  const late = await hold(store, [{ key: 'a', amount: 4, limit: 10 }], 'another claim', { ttlMs: 1000 })
  await clock.advance(1000)
  equal(await store.renew(late, 1000), false, 'renew at the very end of the lease')
}

async function refusesNonsense(store: Store): Promise<void> {
  const good: Claim = { key: 'a', amount: 1, limit: 5 }
  for (const amount of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    await refuses(() => store.acquire([good, { ...good, amount }], LEASE), `a claim of ${amount}`, 'invalid_request')
  }
  for (const windowMs of [0, -1, NaN]) await refuses(() => store.acquire([{ ...good, windowMs }], LEASE), `a window of ${windowMs} ms`, 'invalid_request')
  for (const ttlMs of [0, -1, NaN]) await refuses(() => store.acquire([good], { ttlMs }), `a lease of ${ttlMs} ms`, 'invalid_request')
  equal(await free(store, 'a', 5), 5, 'what is free after claims that made no sense')
}

export const claimChecks: readonly (readonly [string, StoreBody])[] = [
  ['acquire takes all claims or none', allOrNothing],
  ['parallel acquires never exceed the limit', neverExceeds],
  ['parallel acquires over several keys never exceed and never stall', neverExceedsCrosswise],
  ['claims on one counter add up', addsUp],
  ['what was added counts against a limit', countsAdds],
  ['settle replaces what was held by the charges', settles],
  ['settle is idempotent', settlesOnce],
  ['a settle is done whole or not at all', settlesWhole],
  ['a lapsed hold is charged at its bound', lapses],
  ['renew extends a lease, and only a living one', renews],
  ['claims that make no sense are refused', refusesNonsense],
]
