import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { Json } from '../../../src/protocol/json.js'
import type { Claim, Store, Tally } from '../../../src/protocol/ports.js'
import { memoryStore } from '../../../src/state/memory.js'
import { redisStore, type RedisClient } from '../../../src/state/redis.js'
import { clients, describeRedis, Opened } from './clients.js'
import { startServer } from './servers.js'

const START = 1_767_225_600_000
// Names that two encodings sort, or tell apart, differently.
const KEYS = ['a', 'b', 'all:a', '\ud800', '\udfff', '\u{1f600}', '\uffff', '\ud7ff', '\ue000', '']

type Step =
  | { readonly kind: 'acquire'; readonly claims: readonly Claim[]; readonly ttlMs: number; readonly owner?: string; readonly tallies: readonly Tally[] }
  | { readonly kind: 'settle'; readonly hold: number; readonly charges: readonly { readonly key: string; readonly amount: number }[]; readonly tallies: readonly Tally[] }
  | { readonly kind: 'renew'; readonly hold: number; readonly ttlMs: number }
  | { readonly kind: 'add'; readonly key: string; readonly amount: number }
  | { readonly kind: 'tally'; readonly tallies: readonly Tally[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'set'; readonly key: string; readonly value: Json; readonly ttlMs: number | undefined }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'scan'; readonly prefix: string; readonly start: string; readonly end: string; readonly limit: number }
  | { readonly kind: 'tallies'; readonly start: string; readonly end: string }

const key = fc.constantFrom(...KEYS)
const text = fc.oneof(key, fc.string({ unit: 'binary', maxLength: 3 }))
const amount = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 9 }) }, { weight: 1, arbitrary: fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 3) })
const limit = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 30 }) }, { weight: 1, arbitrary: fc.constant(Number.MAX_SAFE_INTEGER) })
const shape: fc.Arbitrary<Partial<Claim>> = fc.oneof(
  fc.constant({}),
  fc.record({ windowMs: fc.constantFrom(1, 40, 100.5, 1000, 1e300) }),
  fc.record({ periods: fc.constantFrom([START, START + 500, START + 1000, START + 1e9], [START - 50, START + 300, START + 1e9]) }),
)
const claim: fc.Arbitrary<Claim> = fc.tuple(shape, fc.record({ key: fc.constantFrom('a', 'b', '\ud800'), amount, limit }), fc.constantFrom({}, { onLapsed: 'release' as const }, { onLapsed: 'charge' as const })).map(([one, two, three]) => ({ ...one, ...two, ...three }))
const tallies = fc.array(fc.record({ group: key, field: text, amount: fc.integer({ min: 0, max: 9 }) }), { maxLength: 3 })
const ttlMs = fc.constantFrom(1, 50, 99.5, 400, 2000)
const hold = fc.nat({ max: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('acquire' as const), claims: fc.array(claim, { maxLength: 4 }), ttlMs, owner: text, tallies }, { requiredKeys: ['kind', 'claims', 'ttlMs', 'tallies'] }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), hold, charges: fc.array(fc.record({ key: fc.constantFrom('a', 'b', '\ud800'), amount }), { maxLength: 3 }), tallies }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), hold, ttlMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('add' as const), key, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tally' as const), tallies }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 150 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), key: text, value: fc.jsonValue() as fc.Arbitrary<Json>, ttlMs: fc.option(ttlMs, { nil: undefined }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('scan' as const), prefix: fc.constantFrom('', '', 'a', '\ud800', '\ud83d'), start: text, end: text, limit: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tallies' as const), start: text, end: text }) },
)

/** Does the steps; what it gives names holds by their number. */
async function play(store: Store, clock: { nowMs: number }, steps: readonly Step[]): Promise<unknown[]> {
  const holds: string[] = []
  // A hold of old or of late, or one that never was.
  const idOf = (back: number) => holds.at(-1 - back) ?? 'none'
  const numbered = (id: string) => holds.indexOf(id)
  const acquire = async ({ claims, ttlMs, owner, tallies }: Extract<Step, { kind: 'acquire' }>) => {
    const verdict = await store.acquire(claims, { ttlMs, ...(owner !== undefined && { owner }), tallies })
    if (verdict.ok) holds.push(verdict.holdId)
    const lapsed = verdict.lapsed?.map(one => ({ ...one, holdId: numbered(one.holdId) })).sort((one, two) => one.holdId - two.holdId)
    return { ...verdict, ...(verdict.ok && { holdId: numbered(verdict.holdId) }), lapsed }
  }
  const acts: { readonly [K in Step['kind']]: (step: Extract<Step, { kind: K }>) => Promise<unknown> } = {
    acquire,
    settle: step => store.settle(idOf(step.hold), step.charges, step.tallies),
    renew: step => store.renew(idOf(step.hold), step.ttlMs),
    add: step => store.add(step.key, step.amount),
    tally: step => store.tally(step.tallies),
    wait: async step => void (clock.nowMs += step.ms),
    set: step => store.set(step.key, step.value, step.ttlMs === undefined ? {} : { ttlMs: step.ttlMs }),
    get: step => store.get(step.key),
    delete: step => store.delete(step.key),
    scan: step => store.scan(step.prefix, { start: step.start, end: step.end, limit: step.limit }),
    tallies: step => store.tallies(step),
  }
  const act = (step: Step): Promise<unknown> => acts[step.kind](step as never)
  const seen: unknown[] = []
  for (const one of steps) seen.push(await act(one).catch((error: unknown) => (GatewayError.is(error) ? [error.code, error.message] : error)))
  return [...seen, await store.scan(''), await store.tallies({ start: '', end: '\uffff\uffff' })]
}

describeRedis('the redis store does what the memory store does', () => {
  const opened = new Opened()
  let client: RedisClient
  let stores = 0
  beforeAll(async () => {
    client = await opened.node(clients.node(opened.server(await startServer()).port))
  })

  test('whatever happens, in whatever order', { timeout: 60_000 }, async () => {
    const hand = () => {
      const clock = { nowMs: START, now: () => clock.nowMs, after: () => ({ cancel: () => undefined }) }
      return clock
    }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async steps => {
        const [one, two] = [hand(), hand()]
        const expected = await play(memoryStore({ clock: one }), one, steps)
        const found = await play(redisStore(client, { prefix: `diff ${++stores}`, now: two.now }), two, steps)
        expect(found).toEqual(expected)
      }),
      { numRuns: Number(process.env['REDIS_RUNS'] ?? 150) },
    )
  })
})
