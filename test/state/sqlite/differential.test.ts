import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Claim, ClaimVerdict, Standing, Store } from '../../../src/protocol/ports.js'
import { memoryStore } from '../../../src/state/memory.js'
import { sqliteStore } from '../../../src/state/sqlite.js'
import { ENGINES, folder, WHY_SKIPPED, type Engine } from './engine.js'

const START = 1_767_225_600_000
const KEYS = ['a', 'b', '\u{1F600}', '\uFFFD', '\uD800']
const GROUPS = ['g1', 'g2', '\u{10000}', '\uFF5E']
const key = fc.constantFrom(...KEYS)
const amount = fc.integer({ min: 0, max: 6 })
const span = fc.record(
  { windowMs: fc.constantFrom(100, 1000, 2500.5), periods: fc.constant('second' as const), onLapsed: fc.constantFrom('charge' as const, 'release' as const), all: fc.constant(true) },
  { requiredKeys: [] },
)
const tallies = fc.array(fc.record({ group: fc.constantFrom(...GROUPS), field: key, amount }), { maxLength: 3 })
const claims = fc.array(fc.record({ key, amount, limit: fc.integer({ min: 0, max: 25 }), span }), { maxLength: 4 })
const charges = fc.array(fc.record({ key, amount }), { maxLength: 3 })
const which = fc.nat(12)
const ttlMs = fc.constantFrom(1, 300, 1000, 5000.25)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ verb: fc.constant('acquire' as const), claims, ttlMs, owner: fc.option(fc.string({ unit: 'binary', maxLength: 5 }), { nil: undefined }), tallies: fc.option(tallies, { nil: undefined }) }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('settle' as const), which, charges, tallies }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('renew' as const), which, ttlMs }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('tally' as const), tallies }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('tallies' as const), start: fc.constantFrom('', ...GROUPS), end: fc.constantFrom(...GROUPS, '\uFFFF') }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('add' as const), key, amount }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant('set' as const), key, value: fc.jsonValue() as fc.Arbitrary<never>, ttlMs: fc.option(ttlMs, { nil: undefined }) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('scan' as const), prefix: fc.constantFrom('', ...KEYS), range: fc.record({ start: key, end: key, limit: fc.nat(3) }, { requiredKeys: [] }) }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('wait' as const), ms: fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.double({ min: 0, max: 400, noNaN: true })) }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('reopen' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
type Verb = Exclude<Step, { verb: 'wait' | 'reopen' }>

/** A store whose ids of holds are numbers in the order of making. */
class Side {
  readonly #ids: string[] = []
  store: Store

  constructor(store: Store) {
    this.store = store
  }

  async do(asked: Verb, nowMs: number): Promise<unknown> {
    const { store } = this
    switch (asked.verb) {
      case 'acquire': {
        const { ttlMs, owner, tallies: left } = asked
        const lease = { ttlMs, ...(owner !== undefined && { owner }), ...(left !== undefined && { tallies: left }) }
        return this.#plain(await store.acquire(asked.claims.map(claim => claimOf(claim, nowMs)), lease))
      }
      case 'settle':
        return (await store.settle(this.#id(asked.which), asked.charges, asked.tallies)) satisfies readonly Standing[] | undefined
      case 'renew':
        return store.renew(this.#id(asked.which), asked.ttlMs)
      case 'tally':
        return store.tally(asked.tallies)
      case 'tallies':
        return store.tallies(asked)
      case 'add':
        return store.add(asked.key, asked.amount)
      case 'set':
        return store.set(asked.key, asked.value, asked.ttlMs === undefined ? {} : { ttlMs: asked.ttlMs })
      case 'delete':
        return store.delete(asked.key)
      case 'get':
        return store.get(asked.key)
      default:
        return store.scan(asked.prefix, asked.range)
    }
  }

  #plain(verdict: ClaimVerdict): unknown {
    if (verdict.ok) this.#ids.push(verdict.holdId)
    const lapsed = (verdict.lapsed ?? []).map(({ holdId, owner }) => ({ hold: this.#ids.indexOf(holdId), owner })).sort((a, b) => a.hold - b.hold)
    return { ...verdict, holdId: undefined, lapsed }
  }

  // From the end: most are of holds that live.
  #id(at: number): string {
    return this.#ids.at(-1 - at) ?? 'no such hold'
  }
}

function claimOf({ span: { all: _, periods, windowMs, onLapsed }, ...claim }: { key: string; amount: number; limit: number; span: { all?: true; windowMs?: number; periods?: 'second'; onLapsed?: 'charge' | 'release' } }, nowMs: number): Claim {
  const second = Math.floor(nowMs / 1000) * 1000
  const how = periods !== undefined ? { periods: [second - 1000, second, second + 1000, second + 2000] } : windowMs !== undefined ? { windowMs } : {}
  return { ...claim, ...how, ...(onLapsed !== undefined && { onLapsed }) }
}

async function told(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => ({ code: (error as { code?: unknown }).code }))
}

async function same(engine: Engine, steps: readonly Step[], path: string): Promise<void> {
  let nowMs = START
  const now = () => nowMs
  const memory = new Side(memoryStore({ clock: { now, after: () => ({ cancel: () => undefined }) } }))
  let db = engine.open(path)
  const sqlite = new Side(sqliteStore(db, { now }))
  try {
    for (const [at, asked] of steps.entries()) {
      if (asked.verb === 'wait') nowMs += asked.ms
      else if (asked.verb === 'reopen') {
        await sqlite.store.close?.()
        db.close()
        db = engine.open(path)
        sqlite.store = sqliteStore(db, { now })
      } else expect(await told(sqlite.do(asked, nowMs)), `step ${at}`).toEqual(await told(memory.do(asked, nowMs)))
    }
  } finally {
    db.close()
  }
}

if (ENGINES.length === 0) test.skip(WHY_SKIPPED)

describe.each(ENGINES)('the same history, the same answers as in memory: $name', engine => {
  test('claims, settles, lapses, tallies and values, with the file opened anew in between', async () => {
    const { path, remove } = folder(true)
    let run = 0
    try {
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), steps => same(engine, steps, path(`${++run}.db`))), { numRuns: 120 })
    } finally {
      remove()
    }
  })
})
