import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type CallOptions, type CallRecord, type PolicyScope, type SpendQuery } from '../../src/index.js'
import { memoryStore, virtualClock } from '../../src/testing/index.js'
import { ask, books, BOUND, deployment, INPUT_BOUND, money, NANOS, OUTPUT_BOUND, says, usd } from './money-scene.js'
import { thrown } from './support.js'

/** Room for one call at its bound, and for none after it. */
const ONE = usd(BOUND + NANOS - 1)
const ANN: CallOptions = { principal: { team: 'search', project: 'web', user: 'ann', tags: ['beta', 'eu'] } }
const BOB: CallOptions = { principal: { team: 'ads', project: 'app', user: 'bob', tags: ['us'] } }
const budget = (of: PolicyScope, more: Partial<BudgetOptions> = {}): BudgetOptions => ({ name: 'b', of, usd: ONE, window: 'total', ...more })

describe('a budget counts those it is about, and nobody else', () => {
  it.each([
    [{ team: 'search' }, BOB],
    [{ team: '*' }, BOB],
    [{ project: 'web' }, BOB],
    [{ project: '*' }, BOB],
    [{ user: 'ann' }, BOB],
    [{ user: '*' }, BOB],
    [{ tag: 'beta' }, BOB],
    [{ tag: '*' }, BOB],
    [{ team: 'search', user: '*' }, { principal: { team: 'search', user: 'carl' } }],
    [{ team: 'search', route: 'smart' }, BOB],
  ] satisfies [PolicyScope, CallOptions][])('%j', async (of, other) => {
    const d = deployment('d')
    const at = money(d, [d], { budgets: [budget(of)] })
    await at.chat(ask(), ANN)
    const error = await thrown(() => at.chat(ask(), ANN))
    expect([error.code, error.policy]).toEqual(['budget_exceeded', 'b'])
    await at.chat(ask(), other)
    // Who has no such name is in no budget of it.
    await at.chat()
    expect(d.calls).toHaveLength(3)
    await at.nothingLeft()
  })

  it('{ route }: the one that was asked for', async () => {
    const [d, e] = [deployment('d'), deployment('e')]
    const at = money({ smart: d, cheap: e }, [d, e], { budgets: [budget({ route: '*' })] })
    await at.chat()
    expect((await thrown(() => at.chat())).code).toBe('budget_exceeded')
    expect((await at.chat(ask({ model: 'cheap' }))).deployment).toBe('e')
    expect(Object.keys(await at.store.standings())).toEqual(['budget:b:nanos::route=smart', 'budget:b:nanos::route=cheap'])
    await at.nothingLeft()
  })

  it('{ provider }: one that is used up leaves the others of the route', async () => {
    const [a, b] = [deployment('a'), deployment('b')]
    const at = money(fallback(a, b), [a, b], { budgets: [budget({ provider: 'p-a' })] })
    expect((await at.chat()).deployment).toBe('a')
    expect((await at.chat()).deployment).toBe('b')
    await at.gateway.flush()
    expect(at.records[1]?.excluded).toEqual([{ deployment: 'a', reason: 'budget "b" is used up' }])
    expect(await at.charged()).toBe(NANOS)
    await at.nothingLeft()
  })

  it('{ provider }: one that runs out in a fallback is passed over, and the walk goes on', async () => {
    const [a, b, c] = [deployment('a', { fail: { status: 500 } }), deployment('b'), deployment('c')]
    const at = money(fallback(a, b, c), [a, b, c], { budgets: [budget({ provider: 'p-b' }, { usd: 0 })], retry: { attempts: 1 } })
    const answer = await at.chat()
    expect(answer.attempts.map(({ deployment: id, outcome }) => [id, outcome])).toEqual([['a', 'failure'], ['b', 'skipped'], ['c', 'success']])
    await at.nothingLeft()
  })

  it('{ provider }: with nobody after it, the call says what failed and not that all of its money is spent', async () => {
    const [a, b] = [deployment('a', { fail: { status: 500 } }), deployment('b')]
    const at = money(fallback(a, b), [a, b], { budgets: [budget({ provider: 'p-b' }, { usd: 0 })], retry: { attempts: 1 } })
    expect((await thrown(() => at.chat())).code).toBe('attempts_failed')
    await at.nothingLeft()
  })

  it('{ route }: an alias is no way round it', async () => {
    const d = deployment('d')
    const at = money({ smart: d, cheap: 'smart' }, [d], { budgets: [budget({ route: 'smart' })] })
    await at.chat()
    expect((await thrown(() => at.chat(ask({ model: 'cheap' })))).code).toBe('budget_exceeded')
    await at.nothingLeft()
  })

  it('{ provider: "*" }: a fallback is charged to whom it went to', async () => {
    const [a, b] = [deployment('a', { ...says('one two three four'), fail: 'cut', failAfter: 2 }), deployment('b')]
    const at = money(fallback(a, b), [a, b], { budgets: [budget({ provider: '*' })], retry: { attempts: 1 }, chatWire: 'stream' })
    const { attempts } = await at.chat()
    const standings = await at.store.standings()
    expect([standings['budget:b:nanos::provider=p-a']?.charged, standings['budget:b:nanos::provider=p-b']?.charged]).toEqual(attempts.map(({ costNanos }) => costNanos))
    await at.nothingLeft()
  })

  it('several at once: the strictest refuses, and what it refused is in none of them', async () => {
    const d = deployment('d')
    const budgets = [budget({ team: '*' }, { name: 'team', usd: 1 }), budget({ user: '*' }, { name: 'user' }), budget({}, { name: 'all', usd: 1, window: 'day' })]
    const at = money(d, [d], { budgets })
    await at.chat(ask(), ANN)
    expect((await thrown(() => at.chat(ask(), ANN))).policy).toBe('user')
    expect(Object.values(await at.store.standings())).toEqual([{ charged: NANOS, held: 0 }, { charged: NANOS, held: 0 }, { charged: NANOS, held: 0 }])
    await at.nothingLeft()
  })

  it('soft: it never refuses, and says when it is passed', async () => {
    const d = deployment('d')
    const at = money(d, [d], { budgets: [budget({}, { hard: false, usd: usd(NANOS), alertAt: [1] })] })
    for (let i = 0; i < 3; i++) await at.chat()
    expect([await at.charged(), at.alerts.map(({ kind, share }) => [kind, share])]).toEqual([3 * NANOS, [['share', 1]]])
    await at.nothingLeft()
  })

  it('two names that differ only in what divides them do not share a counter', async () => {
    const d = deployment('d')
    const at = money(d, [d], { budgets: [budget({ team: '*', user: '*' })] })
    await at.chat(ask(), { principal: { team: 'a:b', user: 'c' } })
    await at.chat(ask(), { principal: { team: 'a', user: 'b:c' } })
    await at.chat(ask(), { principal: { team: 'a=', user: 'b' } })
    expect(Object.keys(await at.store.standings())).toHaveLength(3)
    await at.nothingLeft()
  })

  it('names as long as they may be fit the keys of the store, each with a counter of its own', async () => {
    const d = deployment('d')
    const at = money(d, [d], { budgets: [budget({ team: '*', user: '*', project: '*', tag: '*' }, { name: 'é'.repeat(200), alertAt: [0.01] })] })
    const who = (last: string): CallOptions => ({ principal: { team: 'ü'.repeat(200), user: 'ö'.repeat(200), project: 'ä'.repeat(200), tags: ['ß'.repeat(199) + last] } })
    await at.chat(ask(), who('a'))
    await at.chat(ask(), who('b'))
    expect((await thrown(() => at.chat(ask(), who('b')))).code).toBe('budget_exceeded')
    expect(at.alerts.map(({ kind }) => kind)).toEqual(['share', 'share', 'exceeded'])
    await at.nothingLeft()
  })

  it('setBudgets() holds from the next call on, and keeps what was spent under a name that stays', async () => {
    const d = deployment('d')
    const at = money(d, [d], { budgets: [budget({})] })
    await at.chat()
    at.gateway.setBudgets([budget({}, { usd: 1 })])
    await at.chat()
    at.gateway.setBudgets([budget({}, { usd: usd(2 * NANOS) })])
    expect((await thrown(() => at.chat())).code).toBe('budget_exceeded')
    at.gateway.setBudgets([])
    await at.chat()
    expect(await at.charged()).toBe(2 * NANOS)
    await at.nothingLeft()
  })
})

type Way = 'chat' | 'stream' | 'left' | 'aborted' | 'failing'
const WAYS: readonly Way[] = ['chat', 'stream', 'left', 'aborted', 'failing']
const CALL = fc.record({
  atMs: fc.integer({ min: 0, max: 300 }),
  way: fc.constantFrom(...WAYS),
  input: fc.integer({ min: 0, max: INPUT_BOUND }),
  output: fc.integer({ min: 0, max: OUTPUT_BOUND }),
  latencyMs: fc.integer({ min: 0, max: 100 }),
  user: fc.constantFrom('ann', 'bob'),
})

describe('calls at once', () => {
  it('never pass a hard budget together, and in the end it holds the sum of the records', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(CALL, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 6 }), async (calls, room) => {
        let next = 0
        const d = deployment('d', (_attempt, request) => {
          const { way, input, output, latencyMs } = calls[Number(request.messages[0]?.content)] ?? calls[0]!
          const usage = { inputTokens: input, outputTokens: output }
          return way === 'failing' ? { text: 'one two three', usage, latencyMs, fail: 'cut', failAfter: next++ % 3 } : { text: 'one two three', usage, latencyMs, chunkMs: 10 }
        })
        const e = deployment('e', says('fine'))
        const limit = room * BOUND
        const at = money(fallback(d, e), [d, e], { budgets: [budget({}, { name: 'all', usd: usd(limit) }), budget({ user: '*' }, { name: 'user', usd: usd(3 * BOUND) })], retry: { attempts: 2, baseMs: 5 }, breaker: false })
        const under = calls.map(async ({ atMs, way, user }, index) => {
          await new Promise<void>(resolve => void at.clock.after(atMs, resolve))
          const controller = new AbortController()
          const options: CallOptions = { principal: { user }, signal: controller.signal }
          // The text is as long as that of `ask()` or shorter.
          const request = ask({ messages: String(index).padStart(2, '0') })
          if (way === 'aborted') at.clock.after(40, () => controller.abort())
          if (way === 'chat' || way === 'aborted') return at.gateway.chat(request as never, options)
          const stream = await at.gateway.stream(request as never, options)
          for await (const event of stream) if (way === 'left' && event.type === 'text-delta') break
          return undefined
        })
        await at.idle(Promise.allSettled(under))
        await at.gateway.flush()
        for (const [name, highest] of at.store.highest) expect(highest).toBeLessThanOrEqual(name.startsWith('budget:all') ? limit : 3 * BOUND)
        expect((await at.store.standings())['budget:all:nanos:']?.charged ?? 0).toBe(at.recorded())
        expect((await at.gateway.spend())[0]?.nanos).toBe(at.recorded())
        await at.nothingLeft()
      }),
      { numRuns: 40, seed: 11 },
    )
  }, 15_000)

  it('of two gateways on one store do not pass it either', async () => {
    const clock = virtualClock()
    const shared = memoryStore({ clock })
    const two = ['x', 'y'].map(id => {
      const d = deployment(id, says('slow', { latencyMs: 100 }))
      return money(d, [d], { clock, store: books(clock, shared), budgets: [budget({}, { usd: usd(3 * BOUND) })] })
    })
    const calls = Array.from({ length: 10 }, (_, at) => two[at % 2]!.gateway.chat(ask() as never))
    const ends = await two[0]!.idle(Promise.allSettled(calls))
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(two[0]!.store.highest.get('budget:b:nanos:')).toBe(3 * BOUND)
    for (const at of two) await at.nothingLeft()
  })
})

const NAMES: readonly NonNullable<SpendQuery['by']>[] = ['team', 'project', 'user', 'key', 'tag', 'route', 'provider', 'model', 'deployment']
/** The value of a record for one `by`, as its attempts were billed. */
function rowsOf(records: readonly CallRecord[], by: (typeof NAMES)[number]): Map<string | null, number> {
  const rows = new Map<string | null, number>()
  for (const { principal, route, attempts } of records) for (const { deployment: id, provider, model, costNanos } of attempts) {
    if (costNanos === undefined) continue
    const { tags = [], ...who } = principal ?? {}
    const own: Record<string, string | undefined> = { ...who, route, deployment: id, provider, model }
    const values = by === 'tag' ? (tags.length === 0 ? [undefined] : [...new Set(tags)]) : [own[by]]
    for (const value of values) rows.set(value ?? null, (rows.get(value ?? null) ?? 0) + costNanos)
  }
  return rows
}

describe('spend()', () => {
  it('equals the sum of the call records to the nano-dollar, by everything it can be asked by', async () => {
    const name = fc.option(fc.constantFrom('a', 'b', '__proto__', 'null'), { nil: undefined })
    const who = fc.record({ team: name, project: name, user: name, tags: fc.option(fc.array(fc.constantFrom('x', 'y'), { maxLength: 3 }), { nil: undefined }) })
    const call = fc.record({ who, route: fc.constantFrom('smart' as const, 'cheap' as const), input: fc.integer({ min: 0, max: 1_000 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), async calls => {
        const answers = (attempt: number) => ({ text: 'one two three', usage: { inputTokens: calls[0]!.input, outputTokens: attempt }, ...(attempt % 3 === 0 && { fail: 'cut' as const, failAfter: 1 }) })
        const [a, b] = [deployment('a', answers), deployment('b', answers)]
        const at = money({ smart: fallback(a, b), cheap: b }, [a, b], { retry: { attempts: 1 }, chatWire: 'stream', breaker: false })
        for (const { who: { team, project, user, tags }, route } of calls) {
          const principal = { ...(team !== undefined && { team }), ...(project !== undefined && { project }), ...(user !== undefined && { user }), ...(tags !== undefined && { tags }) }
          await at.chat(ask({ model: route }), { principal }).catch(() => undefined)
        }
        for (const by of NAMES) {
          const rows = await at.gateway.spend({ by })
          expect(new Map(rows.map(({ of, nanos }) => [of, nanos]))).toEqual(rowsOf(at.records, by))
        }
        expect((await at.gateway.spend())[0]?.nanos).toBe(at.recorded())
        await at.nothingLeft()
      }),
      { numRuns: 25, seed: 3 },
    )
  })

  it('takes calls by when they started, in quarters of an hour, and only those that fit all of "where"', async () => {
    const d = deployment('d', says('Hello', { latencyMs: 200_000 }))
    const at = money(d, [d])
    const startMs = at.clock.now()
    await at.chat(ask(), ANN)
    await at.clock.advance(900_000 - 200_001)
    await at.chat(ask(), ANN)
    await at.chat(ask(), BOB)
    const sum = async (query: SpendQuery) => (await at.gateway.spend(query))[0]?.nanos
    // The second began a millisecond before the quarter and ended after it.
    expect(await sum({ to: startMs + 900_000 })).toBe(2 * NANOS)
    expect(await sum({ from: new Date(startMs + 900_000) })).toBe(NANOS)
    expect(await sum({ where: { team: 'search', tag: 'eu' } })).toBe(2 * NANOS)
    expect(await sum({ where: { team: 'search', user: 'bob' } })).toBe(0)
    expect(await at.gateway.spend({ by: 'tag', where: { team: 'search' } })).toMatchObject([{ of: 'beta', nanos: 2 * NANOS, attempts: 2 }, { of: 'eu', nanos: 2 * NANOS }])
    await at.nothingLeft()
  })

  it.each([
    [{ from: 1 }, /"from" must lie on a quarter of an hour/],
    [{ to: new Date(900_001) }, /"to" must lie on a quarter/],
    [{ from: -900_000 }, /"from" must be a Date/],
    [{ from: new Date(NaN) }, /"from" must be a Date/],
    [{ by: 'teem' }, /"by" must be one of team/],
    [{ were: {} }, /Did you mean "where"/],
    [{ where: { teem: 'x' } }, /Did you mean "team"/],
    [{ where: 5 }, /"where" must be an object/],
    ['team', /takes an object/],
  ])('refuses %j', async (query, says) => {
    const d = deployment('d')
    const at = money(d, [d])
    const error = await thrown(() => at.gateway.spend(query as never))
    expect([error.code, error.message]).toEqual(['invalid_request', expect.stringMatching(says)])
    await at.nothingLeft()
  })
})
