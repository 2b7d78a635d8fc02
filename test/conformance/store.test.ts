import { describe, test } from 'vitest'
import type { Claim, ClaimVerdict, Clock, Store } from '../../src/protocol/ports.js'
import { memoryStore } from '../../src/state/memory.js'
import { storeConformance } from '../../src/testing/conformance/index.js'
import { expectCaught } from './caught.js'

type Charges = Parameters<Store['settle']>[1]

/** A sound store to break in one place. */
function broken(change: (store: Store, clock: Clock) => Partial<Store>): (clock: Clock) => Store {
  return clock => {
    const store = memoryStore({ clock })
    return { ...store, ...change(store, clock) }
  }
}

/** Asks first and takes afterwards: two callers at once both find room. */
function asksFirst(store: Store): Partial<Store> {
  const taken = new Map<string, number>()
  return {
    acquire: async (claims, lease) => {
      const full = claims.find(({ key, amount, limit }) => (taken.get(key) ?? 0) + amount > limit)
      await Promise.resolve()
      if (full !== undefined) return { ok: false, key: full.key }
      for (const { key, amount } of claims) taken.set(key, (taken.get(key) ?? 0) + amount)
      return store.acquire([], lease)
    },
  }
}

/** One hold per claim: what fitted stays taken when a later claim does not fit. */
function oneByOne(store: Store): Partial<Store> {
  return {
    acquire: async (claims, lease) => {
      let verdict: ClaimVerdict = await store.acquire([], lease)
      for (const claim of claims) {
        verdict = await store.acquire([claim], lease)
        if (!verdict.ok) break
      }
      return verdict
    },
  }
}

/** Windows that begin at round times: twice the limit fits around an edge. */
function fixedWindows(store: Store, clock: Clock): Partial<Store> {
  const moved = ({ windowMs, key, ...rest }: Claim): Claim => ({ ...rest, key: windowMs === undefined ? key : `${key}@${Math.floor(clock.now() / windowMs)}` })
  return { acquire: (claims, lease) => store.acquire(claims.map(moved), lease) }
}

function waiting(change: (ms: number) => number | undefined): (store: Store) => Partial<Store> {
  return store => ({
    acquire: async (claims, lease) => {
      const verdict = await store.acquire(claims, lease)
      if (verdict.ok || verdict.retryAfterMs === undefined) return verdict
      const retryAfterMs = change(verdict.retryAfterMs)
      return { ok: false, key: verdict.key, ...(retryAfterMs !== undefined && { retryAfterMs }) }
    },
  })
}

/** Books the charges on top of what was held, at every call. */
function settlesAgain(store: Store): Partial<Store> {
  return {
    settle: async (holdId, charges) => {
      const standing = await store.settle(holdId, [])
      for (const { key, amount } of charges) await store.add(key, amount)
      return standing
    },
  }
}

const plainObject = (store: Store): Partial<Store> => {
  const counters: Record<string, number> = {}
  return { ...store, add: async (key, amount) => (counters[key] = (counters[key] ?? 0) + amount) }
}

const BROKEN: readonly (readonly [string, (store: Store, clock: Clock) => Partial<Store>, string])[] = [
  ['forgets deletes', () => ({ delete: async () => undefined }), 'get gives what set was given, until delete'],
  ['loses null', store => ({ get: async key => (await store.get(key)) ?? undefined }), 'get gives what set was given, until delete'],
  ['ignores ttlMs', store => ({ set: (key, value) => store.set(key, value) }), 'a ttlMs ends to the millisecond'],
  ['rounds ttlMs to seconds', store => ({ set: (key, value, options) => store.set(key, value, options?.ttlMs === undefined ? {} : { ttlMs: options.ttlMs + 1 }) }), 'a ttlMs ends to the millisecond'],
  ['scans in any order', store => ({ scan: async (...args) => [...(await store.scan(...args))].reverse() }), 'scan is by prefix, in key order, within its range'],
  ['scans one too far', store => ({ scan: (prefix, { end, ...range } = {}) => store.scan(prefix, { ...range, ...(end !== undefined && { end: `${end}\u0001` }) }) }), 'scan is by prefix, in key order, within its range'],
  ['counts in a plain object', plainObject, 'hostile keys are keys like others'],
  ['counts past 2^53', plainObject, 'add counts exactly and refuses beyond 2^53-1'],
  ['deletes counters with values', store => ({ ...store, add: async (key, amount) => ((await store.get(key)) === undefined ? amount : store.add(key, amount)) }), 'values and counters of one key are kept apart'],
  ['asks first', asksFirst, 'parallel acquires never exceed the limit'],
  ['asks first, over several keys', asksFirst, 'parallel acquires over several keys never exceed and never stall'],
  ['takes claims one by one', oneByOne, 'acquire takes all claims or none'],
  ['counts a key once', store => ({ acquire: (claims, lease) => store.acquire([...new Map(claims.map(claim => [claim.key, claim])).values()], lease) }), 'claims on one counter add up'],
  ['keeps adds apart', store => ({ add: (key, amount) => store.add(`sum:${key}`, amount) }), 'what was added counts against a limit'],
  ['never settles', () => ({ settle: async () => undefined }), 'settle replaces what was held by the charges'],
  ['settles what was held only', store => ({ settle: (id: string, charges: Charges) => store.settle(id, charges.filter(charge => charge.key !== 'other')) }), 'settle replaces what was held by the charges'],
  ['settles again', settlesAgain, 'settle is idempotent'],
  ['settles in part', settlesAgain, 'a settle is done whole or not at all'],
  ['never lapses', store => ({ acquire: (claims, lease) => store.acquire(claims, { ...lease, ttlMs: lease.ttlMs * 1000 }) }), 'a lapsed hold is charged at its bound'],
  ['lapses early', store => ({ acquire: (claims, lease) => store.acquire(claims, { ...lease, ttlMs: lease.ttlMs - 1 }) }), 'a lapsed hold is charged at its bound'],
  ['renews in word only', () => ({ renew: async () => true }), 'renew extends a lease, and only a living one'],
  ['never renews', () => ({ renew: async () => false }), 'renew extends a lease, and only a living one'],
  ['takes anything', store => ({ acquire: (claims, lease) => store.acquire(claims.map(claim => ({ ...claim, amount: Math.max(0, Math.trunc(claim.amount) || 0) })), lease) }), 'claims that make no sense are refused'],
  ['has fixed windows', fixedWindows, 'a sliding window never exceeds and says exactly when there is room'],
  ['is off by one at the edge', store => ({ acquire: (claims, lease) => store.acquire(claims.map(claim => (claim.windowMs === undefined ? claim : { ...claim, windowMs: claim.windowMs + 1 })), lease) }), 'a window is exact at its edges'],
  ['says one millisecond too little', waiting(ms => ms - 1), 'a sliding window never exceeds and says exactly when there is room'],
  ['names no time', waiting(() => undefined), 'a window is exact at its edges'],
  ['names a time for what never fits', store => ({ acquire: async (claims, lease) => ({ retryAfterMs: 1, ...(await store.acquire(claims, lease)) }) as ClaimVerdict }), 'retryAfterMs is absent where no wait helps'],
  ['forgets what was settled', store => ({ settle: id => store.settle(id, []) }), 'a settled claim keeps its place in the window'],
  ['mixes windows', store => ({ acquire: (claims, lease) => store.acquire(claims.map(claim => ({ ...claim, windowMs: 5000 })), lease) }), 'the windows of one key are counted apart'],
]

describe('a broken store is caught', () => {
  test.each(BROKEN)('%s', async (_title, change, name) => {
    await expectCaught(storeConformance(broken(change)), name)
  })

  test('hands out what it keeps', async () => {
    const make = (clock: Clock): Store => {
      const kept = new Map<string, Parameters<Store['set']>[1]>()
      return { ...memoryStore({ clock }), get: async key => kept.get(key), set: async (key, value) => void kept.set(key, value) }
    }
    await expectCaught(storeConformance(make), 'what is kept cannot be changed from outside')
  })

  test('frees a window when a late settle comes', async () => {
    const make = broken(store => {
      const claims = new Map<string, readonly Claim[]>()
      return {
        acquire: async (asked, lease) => {
          const verdict = await store.acquire(asked.map(({ windowMs: _, ...claim }) => ({ ...claim, limit: claim.limit + 8 })), lease)
          if (verdict.ok) claims.set(verdict.holdId, asked)
          return verdict
        },
      }
    })
    await expectCaught(storeConformance(make), 'a late settle does not disturb a window')
  })
})
