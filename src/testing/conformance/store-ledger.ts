import type { Claim, Store } from '../../protocol/ports.js'
import type { VirtualClock } from '../clock.js'
import { equal, refuses } from './check.js'
import { hold, type StoreBody } from './store-claims.js'

const LEASE = { ttlMs: 10_000 }

async function periodsApart(store: Store, clock: VirtualClock): Promise<void> {
  const startMs = Math.ceil(clock.now() / 1000) * 1000
  await clock.advance(startMs - clock.now())
  const claim = (amount: number): Claim => ({ key: 'a', amount, limit: 10, periods: [startMs - 1000, startMs, startMs + 1000, startMs + 2000] })
  const first = await hold(store, [claim(10)], 'a claim of a whole period')
  await clock.advance(400)
  equal(await store.acquire([claim(1)], LEASE), { ok: false, key: 'a', retryAfterMs: 600 }, 'a claim on a full period')
  equal(await store.acquire([claim(11)], LEASE), { ok: false, key: 'a' }, 'a claim that no period can hold')
  await clock.advance(599)
  equal((await store.acquire([claim(1)], LEASE)).ok, false, 'a claim in the last millisecond of a full period')
  await clock.advance(1)
  const second = await hold(store, [claim(10)], 'a claim of the whole next period')
  equal(await store.settle(first, [{ key: 'a', amount: 7 }]), [{ key: 'a', period: startMs, charged: 7, held: 0 }], 'the period that is over, when its hold is settled late')
  equal(await store.settle(second, [{ key: 'a', amount: 4 }]), [{ key: 'a', period: startMs + 1000, charged: 4, held: 0 }], 'the period that is on')
  equal(await store.add('a', 0), 0, 'the counter of all time, which nobody claimed')
  await hold(store, [claim(6)], 'a claim of what is left of the period')
}

async function periodsOfTheStore(store: Store, clock: VirtualClock): Promise<void> {
  const nowMs = clock.now()
  for (const periods of [[nowMs - 2000, nowMs - 1000], [nowMs + 1000, nowMs + 2000]].map(list => list.map(Math.floor))) {
    await refuses(() => store.acquire([{ key: 'a', amount: 1, limit: 5, periods }], LEASE), 'a claim whose periods do not hold the time of the store', 'store_unavailable')
  }
  for (const periods of [[], [1], [2, 1], [1, 1], [0.5, 2], [-1, 5], Array.from({ length: 17 }, (_, i) => i)]) {
    await refuses(() => store.acquire([{ key: 'a', amount: 1, limit: 5, periods }], LEASE), `a claim with the periods ${JSON.stringify(periods)}`, 'invalid_request')
  }
  await refuses(() => store.acquire([{ key: 'a', amount: 1, limit: 5, windowMs: 1000, periods: [0, nowMs + 1e9] }], LEASE), 'a claim with a window and periods', 'invalid_request')
}

async function tellsStandings(store: Store, clock: VirtualClock): Promise<void> {
  await store.add('a', 3)
  const other = await hold(store, [{ key: 'a', amount: 5, limit: 100 }, { key: 'b', amount: 2, limit: 10, windowMs: 1000 }], 'another hold')
  const id = await hold(store, [{ key: 'a', amount: 10, limit: 100 }, { key: 'b', amount: 1, limit: 10, windowMs: 1000 }], 'a hold')
  equal(await store.settle(id, [{ key: 'a', amount: 4 }, { key: 'b', amount: 1 }]), [{ key: 'a', charged: 7, held: 5 }, { key: 'b', windowMs: 1000, charged: 1, held: 2 }], 'the counters of a hold when it is settled')
  equal(await store.settle(id, [{ key: 'a', amount: 4 }]), undefined, 'a second settle')
  equal(await store.settle('no such hold', []), undefined, 'the settle of a hold that never was')
  await clock.advance(1000)
  equal(await store.settle(other, []), [{ key: 'a', charged: 7, held: 0 }, { key: 'b', windowMs: 1000, charged: 0, held: 0 }], 'the counters of a hold whose window has moved on')
}

async function lapsesAsTold(store: Store, clock: VirtualClock): Promise<void> {
  const claims: Claim[] = [{ key: 'money', amount: 7, limit: 10 }, { key: 'open', amount: 1, limit: 1, onLapsed: 'release' }, { key: 'rate', amount: 2, limit: 3, windowMs: 60_000, onLapsed: 'charge' }]
  const lost = await store.acquire(claims, { ttlMs: 1000, owner: 'call 1 "é"', tallies: [{ group: 'spend 1', field: 'x', amount: 7 }] })
  const silent = await hold(store, [{ key: 'money', amount: 1, limit: 10 }], 'a hold without an owner', { ttlMs: 1000 })
  const kept = await hold(store, [{ key: 'money', amount: 2, limit: 10 }], 'a hold that lives', { ttlMs: 1001 })
  equal((await store.acquire([{ key: 'open', amount: 1, limit: 1 }], LEASE)).ok, false, 'a claim on what is held')
  await clock.advance(1000)
  const next = await store.acquire([{ key: 'open', amount: 1, limit: 1 }], LEASE)
  const lapsed = [...(next.lapsed ?? [])].sort((a, b) => (a.owner === undefined ? 1 : b.owner === undefined ? -1 : 0))
  equal(next.ok, true, 'a claim on what a lapsed hold gave back')
  equal(lapsed, [{ holdId: lost.ok ? lost.holdId : '', owner: 'call 1 "é"' }, { holdId: silent }], 'the holds that lapsed, told to the claim that cleared them away')
  equal((await store.acquire([], LEASE)).lapsed, undefined, 'the same, told a second time')
  equal(await store.tallies({ start: 'spend', end: 'spenf' }), [['spend 1', 'x', 7]], 'the tallies of a hold that lapsed')
  equal(await store.settle(kept, []), [{ key: 'money', charged: 8, held: 0 }], 'the counter after one lapsed at 7, one at 1, and one was settled at 0')
  equal(await store.acquire([{ key: 'rate', amount: 2, limit: 3, windowMs: 60_000 }], LEASE), { ok: false, key: 'rate', retryAfterMs: 59_000 }, 'a claim on a window in which a lapsed hold was charged')
}

async function clearsAway(store: Store, clock: VirtualClock): Promise<void> {
  for (let i = 0; i < 120; i++) await hold(store, [{ key: 'open', amount: 1, limit: 120, onLapsed: 'release' }], `hold ${i}`, { ttlMs: 1000, owner: String(i) })
  await clock.advance(1000)
  const told: string[] = []
  for (let i = 0; i < 3; i++) for (const { owner } of (await store.acquire([], LEASE)).lapsed ?? []) told.push(owner ?? '')
  equal(told.map(Number).sort((a, b) => a - b), Array.from({ length: 120 }, (_, i) => i), 'the owners of 120 holds that lapsed, over three claims')
  await hold(store, [{ key: 'open', amount: 120, limit: 120 }], 'a claim of all that they gave back')
}

async function talliesAdd(store: Store): Promise<void> {
  await store.tally([{ group: 'g2', field: 'b', amount: 2 }, { group: 'g1', field: 'z', amount: 1 }, { group: 'g2', field: 'b', amount: 3 }, { group: 'g2', field: '{a"}:é', amount: 0 }])
  await Promise.all(Array.from({ length: 20 }, () => store.tally([{ group: 'g3', field: '__proto__', amount: 1 }])))
  equal(await store.tallies({ start: 'g1', end: 'g3' }), [['g1', 'z', 1], ['g2', 'b', 5], ['g2', '{a"}:é', 0]], 'the tallies of a range of groups, in order')
  equal(await store.tallies({ start: 'g3', end: 'g4' }), [['g3', '__proto__', 20]], 'the sum of 20 tallies at once')
  equal([await store.get('g3'), await store.add('g3', 0), await store.scan('')], [undefined, 0, []], 'values and counters of the same name')
  const id = await hold(store, [{ key: 'a', amount: 5, limit: 10 }], 'a hold')
  const most = Number.MAX_SAFE_INTEGER
  await refuses(() => store.settle(id, [{ key: 'a', amount: 1 }], [{ group: 'g4', field: 'x', amount: 1 }, { group: 'g3', field: '__proto__', amount: most }]), 'a settle whose tally passes 2^53-1', 'invalid_request')
  await refuses(() => store.tally([{ group: 'g4', field: 'x', amount: -1 }]), 'a negative tally', 'invalid_request')
  await store.settle(id, [{ key: 'a', amount: 1 }], [{ group: 'g4', field: 'x', amount: 9 }])
  await store.settle(id, [{ key: 'a', amount: 1 }], [{ group: 'g4', field: 'x', amount: 9 }])
  equal(await store.tallies({ start: 'g4', end: 'g5' }), [['g4', 'x', 9]], 'the tally of a settle that was refused once, done once and asked for again')
}

export const ledgerChecks: readonly (readonly [string, StoreBody])[] = [
  ['a period is a counter of its own', periodsApart],
  ['a period is that of the store, not of the caller', periodsOfTheStore],
  ['settle tells what is charged and what is held', tellsStandings],
  ['a lapsed hold leaves what its claims say, and is told once', lapsesAsTold],
  ['many lapsed holds are cleared away, each told once', clearsAway],
  ['tallies add up, and are settled once', talliesAdd],
]
