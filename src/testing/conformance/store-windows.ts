import type { Claim, Lease, Store } from '../../protocol/ports.js'
import type { VirtualClock } from '../clock.js'
import { seededRandom } from '../random.js'
import { equal, show } from './check.js'
import { hold, type StoreBody } from './store-claims.js'

const LEASE: Lease = { ttlMs: 3_600_000 }

async function edges(store: Store, clock: VirtualClock): Promise<void> {
  const claim = { key: 'a', amount: 1, limit: 3, windowMs: 1000 }
  for (let i = 0; i < 3; i++) {
    await hold(store, [claim], `claim ${i + 1} of 3 in a window`)
    await clock.advance(300)
  }
  equal(await store.acquire([claim], LEASE), { ok: false, key: 'a', retryAfterMs: 100 }, 'a fourth claim 900 ms after the first')
  await clock.advance(99)
  equal(await store.acquire([claim], LEASE), { ok: false, key: 'a', retryAfterMs: 1 }, 'a fourth claim 999 ms after the first')
  await clock.advance(1)
  await hold(store, [claim], 'a fourth claim 1,000 ms after the first')
  equal(await store.acquire([claim], LEASE), { ok: false, key: 'a', retryAfterMs: 300 }, 'a fifth claim at once')
}

async function neverFits(store: Store, clock: VirtualClock): Promise<void> {
  equal(await store.acquire([{ key: 'a', amount: 4, limit: 3, windowMs: 1000 }], LEASE), { ok: false, key: 'a' }, 'a claim above its own limit, which no wait makes fit')
  await store.add('b', 3)
  equal(await store.acquire([{ key: 'b', amount: 1, limit: 3 }], LEASE), { ok: false, key: 'b' }, 'a claim of all time on a full counter')
  await hold(store, [{ key: 'c', amount: 3, limit: 3, windowMs: 1000 }], 'a claim of a whole window')
  await clock.advance(400)
  const both: Claim[] = [{ key: 'c', amount: 1, limit: 3, windowMs: 1000 }, { key: 'd', amount: 1, limit: 3, windowMs: 1000 }]
  equal(await store.acquire(both, LEASE), { ok: false, key: 'c', retryAfterMs: 600 }, 'two claims of which one has to wait')
}

async function settlesInWindow(store: Store, clock: VirtualClock): Promise<void> {
  const claim = { key: 'a', amount: 8, limit: 10, windowMs: 1000 }
  const id = await hold(store, [claim], 'a claim of 8 of 10')
  await clock.advance(500)
  await store.settle(id, [{ key: 'a', amount: 2 }])
  await hold(store, [claim], 'a claim of 8 after the first was settled at 2')
  equal(await store.acquire([{ ...claim, amount: 1 }], LEASE), { ok: false, key: 'a', retryAfterMs: 500 }, 'a claim on a full window: a charge counts from its acquire')
  await clock.advance(500)
  await hold(store, [{ ...claim, amount: 2 }], 'a claim of 2 when the charge of 2 has left the window')
  equal((await store.acquire([{ ...claim, amount: 1 }], LEASE)).ok, false, 'a claim on a window that is full again')
}

async function settlesLate(store: Store, clock: VirtualClock): Promise<void> {
  const claim = { key: 'a', amount: 8, limit: 10, windowMs: 1000 }
  const id = await hold(store, [claim], 'a claim of 8 of 10')
  await clock.advance(1000)
  await hold(store, [{ ...claim, amount: 10 }], 'a claim of the whole window when the first has left it')
  await store.settle(id, [])
  equal((await store.acquire([{ ...claim, amount: 1 }], LEASE)).ok, false, 'a claim on the full window after a hold that had left it was settled')
}

async function countsApart(store: Store, clock: VirtualClock): Promise<void> {
  const claims = (amount: number): Claim[] => [
    { key: 'a', amount, limit: 10, windowMs: 1000 },
    { key: 'a', amount, limit: 15, windowMs: 5000 },
  ]
  const id = await hold(store, claims(9), 'a claim on two windows of one key')
  await store.settle(id, [{ key: 'a', amount: 6 }])
  await hold(store, claims(4), 'a claim of 4 after 6 were charged to both windows')
  equal(await store.acquire(claims(6), LEASE), { ok: false, key: 'a', retryAfterMs: 5000 }, 'a claim of 6 when the long window holds 10 of 15')
  await clock.advance(1000)
  await hold(store, claims(5), 'a claim of 5 when the short window is empty and the long one holds 10 of 15')
  equal(await store.add('a', 0), 0, 'the counter of all time, which nobody claimed')
}

interface Seen {
  readonly atMs: number
  readonly amount: number
}

/** What the port says, worked out the slow way. */
function expected(seen: readonly Seen[], { key, amount, limit, windowMs = Infinity }: Claim, nowMs: number): object {
  const sumAt = (ms: number) => seen.reduce((sum, one) => sum + (ms - one.atMs < windowMs ? one.amount : 0), 0)
  if (sumAt(nowMs) + amount <= limit) return { ok: true }
  const times = seen.map(one => one.atMs + windowMs).filter(ms => ms > nowMs && sumAt(ms) + amount <= limit)
  return { ok: false, key, ...(times.length > 0 && { retryAfterMs: Math.min(...times) - nowMs }) }
}

async function slides(store: Store, clock: VirtualClock): Promise<void> {
  const random = seededRandom(11)
  const pick = (most: number) => Math.floor(random() * most)
  const seen: Seen[] = []
  for (let step = 0; step < 400; step++) {
    const claim = { key: 'a', amount: pick(8), limit: 20, windowMs: 1000 }
    const nowMs = clock.now()
    const { holdId, ...verdict } = { holdId: '', ...(await store.acquire([claim], LEASE)) }
    equal(verdict, expected(seen, claim, nowMs), `claim ${step} of ${show(claim)}`)
    if (verdict.ok) {
      const charge = random() < 0.5 ? claim.amount : pick(claim.amount + 1)
      if (charge !== claim.amount || random() < 0.5) await store.settle(holdId, [{ key: 'a', amount: charge }])
      seen.push({ atMs: nowMs, amount: charge })
    }
    const waitMs = !verdict.ok && random() < 0.5 ? verdict.retryAfterMs : undefined
    await clock.advance(waitMs === undefined ? pick(250) : waitMs - (random() < 0.5 ? 1 : 0))
  }
}

export const windowChecks: readonly (readonly [string, StoreBody])[] = [
  ['a window is exact at its edges', edges],
  ['retryAfterMs is absent where no wait helps', neverFits],
  ['a settled claim keeps its place in the window', settlesInWindow],
  ['a late settle does not disturb a window', settlesLate],
  ['the windows of one key are counted apart', countsApart],
  ['a sliding window never exceeds and says exactly when there is room', slides],
]
