import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallback, GatewayError, type CallOptions, type LimitAmounts, type LimitOptions, type PolicyScope } from '../../src/index.js'
import { ask, deployment, INPUT_BOUND, money, OUTPUT_BOUND, says } from './money-scene.js'
import { thrown } from './support.js'

const ANN: CallOptions = { principal: { team: 'search', user: 'ann', tags: ['beta'] } }
const SPANS = { Second: 1_000, Minute: 60_000, Hour: 3_600_000, Day: 86_400_000 } as const
const scene = (limits: readonly LimitOptions[], latencyMs = 0) => {
  const d = deployment('d', says('Hello', { latencyMs }))
  return { d, ...money(d, [d], { limits }) }
}
const limit = (amounts: LimitAmounts, of: PolicyScope = {}): LimitOptions => ({ name: 'l', of, ...amounts })

describe('retryAfterMs is exact', () => {
  const kinds = { requests: [1, 1], inputTokens: [INPUT_BOUND + 9, 10], outputTokens: [OUTPUT_BOUND + 4, 5], tokens: [INPUT_BOUND + OUTPUT_BOUND + 14, 15] } as const
  const rows = Object.entries(kinds).flatMap(([kind, [most, used]]) => Object.entries(SPANS).map(([span, spanMs]) => [`${kind}Per${span}`, most, used, spanMs] as const))

  it.each(rows)('%s: a millisecond earlier is refused, at that time it is let in', async (name, most, used, spanMs) => {
    const at = scene([limit({ [name]: most })])
    await at.soon(at.gateway.chat(ask() as never))
    await at.clock.advance(99)
    const error = await thrown(() => at.soon(at.gateway.chat(ask() as never)))
    // The first call began 100 ms before the second, and its millisecond has passed.
    expect([error.code, error.policy, error.retryAfterMs]).toEqual(['limit_exceeded', 'l', spanMs - 100])
    const [standing] = Object.values(await at.store.standings())
    expect(standing).toEqual({ charged: used, held: 0 })
    // That look took a millisecond of its own.
    await at.clock.advance(spanMs - 100 - 2)
    expect((await thrown(() => at.soon(at.gateway.chat(ask() as never)))).retryAfterMs).toBe(1)
    await at.soon(at.gateway.chat(ask() as never))
    expect(at.d.calls).toHaveLength(2)
    await at.nothingLeft()
  })
})

describe('a limit', () => {
  it.each([{ user: 'ann' }, { user: '*' }, { team: '*' }, { tag: 'beta' }, { route: 'smart' }] satisfies PolicyScope[])('of %j is for those alone', async of => {
    const at = scene([limit({ requestsPerMinute: 1 }, of)])
    await at.soon(at.gateway.chat(ask() as never, ANN))
    expect((await thrown(() => at.soon(at.gateway.chat(ask() as never, ANN)))).code).toBe('limit_exceeded')
    if (!('route' in of)) await at.soon(at.gateway.chat(ask() as never, { principal: { team: 'ads', user: 'bob' } }))
    await at.nothingLeft()
  })

  it('of several windows counts each call once in each', async () => {
    const at = scene([limit({ requestsPerSecond: 2, requestsPerMinute: 3 })])
    const now = (): Promise<unknown> => at.soon(at.gateway.chat(ask() as never))
    await now()
    await now()
    expect((await thrown(now)).retryAfterMs).toBe(998)
    await at.clock.advance(1_000)
    await now()
    expect((await thrown(now)).retryAfterMs).toBe(60_000 - 1_004)
    expect(await at.store.standings()).toMatchObject({ 'limit:l:requests:1000': { charged: 1 }, 'limit:l:requests:60000': { charged: 3 } })
    await at.nothingLeft()
  })

  it('of several kinds names the one that was reached, and a refusal uses nothing up of any', async () => {
    const at = scene([limit({ requestsPerMinute: 10, outputTokensPerMinute: OUTPUT_BOUND + 4, concurrency: 5 })])
    await at.soon(at.gateway.chat(ask() as never))
    for (let i = 0; i < 20; i++) expect((await thrown(() => at.soon(at.gateway.chat(ask() as never)))).message).toContain('of outputTokens is reached')
    expect(await at.store.standings()).toMatchObject({ 'limit:l:requests:60000': { charged: 1, held: 0 }, 'limit:l:outputTokens:60000': { charged: 5, held: 0 }, 'limit:l:concurrency:': { charged: 0, held: 0 } })
    await at.nothingLeft()
  })

  it('of calls at once frees its place with the end of the answer, not of the promise', async () => {
    const d = deployment('d', says('one two three', { chunkMs: 100 }))
    const at = money(d, [d], { limits: [limit({ concurrency: 1 })] })
    const stream = await at.soon(at.gateway.stream(ask() as never))
    const error = await thrown(() => at.soon(at.gateway.chat(ask() as never)))
    expect([error.code, error.retryAfterMs]).toEqual(['limit_exceeded', undefined])
    await at.idle(stream.result())
    await at.chat()
    await at.nothingLeft()
  })

  it('of tokens needs to know how long an answer may get', async () => {
    const at = scene([limit({ tokensPerMinute: 1_000 })])
    expect((await thrown(() => at.chat({ model: 'smart', messages: 'Hi' }))).message).toContain('Set maxOutputTokens')
    await at.nothingLeft()
  })

  it('of 0 lets nobody in', async () => {
    const at = scene([limit({ requestsPerMinute: 0 })])
    const error = await thrown(() => at.chat())
    expect([error.code, error.retryAfterMs, at.d.calls.length]).toEqual(['limit_exceeded', undefined, 0])
    await at.nothingLeft()
  })

  it('is told as no alert of money', async () => {
    const at = scene([limit({ requestsPerMinute: 1 })])
    await at.chat()
    await thrown(() => at.chat())
    expect(at.alerts).toEqual([])
    await at.nothingLeft()
  })
})

describe('a limit of a deployment', () => {
  const pair = (amounts: LimitAmounts, more: Partial<Parameters<typeof money>[2]> = {}) => {
    const [a, b] = [deployment('a', says('a', { latencyMs: 10 })), deployment('b', says('b'))]
    return { a, b, ...money(fallback(a, b), [a, b], { limits: [limit(amounts, { deployment: 'a' })], ...more }) }
  }

  it.each([{}, { retry: { attempts: 1, maxAttempts: 1 } }])('moves on to the next candidate at once, with %j', async more => {
    const at = pair({ requestsPerSecond: 1 }, more)
    const began = at.clock.now()
    const [one, two] = await at.idle(Promise.all([at.gateway.chat(ask() as never), at.gateway.chat(ask() as never)]))
    expect([one?.deployment, two?.deployment, at.clock.now() - began]).toEqual(['a', 'b', 10])
    await at.gateway.flush()
    expect(at.records.find(record => record.deployment === 'b')?.excluded).toEqual([{ deployment: 'a', reason: 'limit "l" is used up' }])
    await at.nothingLeft()
  })

  it.each([{}, { retry: { attempts: 1, maxAttempts: 2 } }])('that is reached by a fallback is passed over too, with %j', async more => {
    const [a, b, c] = [deployment('a', { fail: { status: 404 } }), deployment('b'), deployment('c')]
    const at = money(fallback(a, b, c), [a, b, c], { limits: [limit({ requestsPerSecond: 1 }, { deployment: 'b' })], ...more })
    const began = at.clock.now()
    const results = [await at.idle(at.gateway.chat(ask() as never)), await at.idle(at.gateway.chat(ask() as never))]
    expect([results.map(({ deployment: id }) => id), at.clock.now() - began]).toEqual([['b', 'c'], 0])
    expect(results[1]?.attempts.map(({ deployment: id, outcome }) => `${id} ${outcome}`)).toEqual(['a failure', 'b skipped', 'c success'])
    await at.nothingLeft()
  })

  it('counts no request for one that was reserved and not asked', async () => {
    const at = pair({ requestsPerMinute: 2 })
    await at.chat()
    await at.gateway.isolate('a')
    await at.chat()
    expect((await at.store.standings())['limit:l:requests:60000:deployment=a']).toEqual({ charged: 1, held: 0 })
    await at.nothingLeft()
  })

  it('where nobody is left tells the wait of the one that is free first', async () => {
    const [a, b] = [deployment('a'), deployment('b')]
    const at = money(fallback(a, b), [a, b], { limits: [limit({ requestsPerMinute: 1 }, { deployment: 'a' }), { name: 'm', of: { deployment: 'b' }, requestsPerSecond: 1 }] })
    await at.soon(at.gateway.chat(ask() as never))
    await at.soon(at.gateway.chat(ask() as never))
    const error = await thrown(() => at.soon(at.gateway.chat(ask() as never)))
    expect([error.code, error.policy, error.retryAfterMs]).toEqual(['rate_limited', 'm', 999])
    await at.nothingLeft()
  })
})

describe('any window of its length', () => {
  it('never holds more than the limit, whenever calls come, and whoever is refused is let in after the wait it was told', async () => {
    const call = fc.record({ gapMs: fc.integer({ min: 0, max: 700 }), output: fc.integer({ min: 0, max: OUTPUT_BOUND }) })
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 15 }), fc.integer({ min: 1, max: 4 }), async (calls, most) => {
        const d = deployment('d', attempt => ({ text: 'x', usage: { inputTokens: 1, outputTokens: calls[attempt - 1]?.output ?? 0 } }))
        const at = money(d, [d], { limits: [limit({ requestsPerSecond: most, outputTokensPerSecond: 3 * OUTPUT_BOUND })] })
        for (const { gapMs } of calls) {
          await at.clock.advance(gapMs)
          const first = await at.gateway.chat(ask() as never).catch((error: unknown) => error)
          if (!GatewayError.is(first)) continue
          const waitMs = first.retryAfterMs ?? Number.NaN
          await at.clock.advance(waitMs - 1)
          const early = await thrown(() => at.gateway.chat(ask() as never))
          expect(early.retryAfterMs).toBe(1)
          await at.clock.advance(1)
          await at.gateway.chat(ask() as never)
        }
        const starts = d.calls.map(({ startedMs }) => startedMs)
        for (const from of starts) {
          const inside = d.calls.filter(({ startedMs }) => startedMs >= from && startedMs < from + 1_000)
          expect(inside.length).toBeLessThanOrEqual(most)
          const tokens = inside.reduce((sum, one) => sum + (calls[d.calls.indexOf(one)]?.output ?? 0), 0)
          expect(tokens).toBeLessThanOrEqual(3 * OUTPUT_BOUND)
        }
        await at.nothingLeft()
      }),
      { numRuns: 25, seed: 9 },
    )
  })
})
