import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type CallOptions, type LimitOptions } from '../../src/index.js'
import type { ScriptedOptions } from '../../src/testing/index.js'
import { ask, BOUND, deployment, money, NANOS, says, usd } from '../gateway/money-scene.js'
import { all, thrown } from '../gateway/support.js'

const TEAM: CallOptions = { principal: { team: 'search' } }
const BUDGET: BudgetOptions = { name: 'b', of: { team: '*' }, usd: usd(10 * BOUND), window: 'total' }
const CALLS: LimitOptions = { name: 'l', of: { team: '*' }, requestsPerMinute: 2 }
const REQUESTS = 'limit:l:requests:60000:team=search'

function scene(answers: ScriptedOptions['answers'], limits: readonly LimitOptions[] = [CALLS], other: ScriptedOptions['answers'] = says()) {
  const [a, b] = [deployment('a', answers), deployment('b', other)]
  return { a, b, ...money(fallback(a, b), [a, b], { budgets: [BUDGET], limits, cache: true, retry: { attempts: 1 } }) }
}

describe('an answer from the cache', () => {
  it('costs nothing, holds no money, and counts as a request', async () => {
    const at = scene(says())
    await at.chat(ask(), TEAM)
    const hit = await at.chat(ask(), TEAM)
    expect([hit.cached, hit.cost.nanos]).toEqual(['hit', 0])
    const error = await thrown(() => at.chat(ask(), TEAM))
    expect([error.code, error.policy]).toEqual(['limit_exceeded', 'l'])
    await at.gateway.flush()
    expect(at.records.map(({ costNanos, cached }) => [costNanos, cached])).toEqual([[NANOS, undefined], [0, 'hit'], [0, 'hit']])
    expect(await at.store.standings()).toMatchObject({ [REQUESTS]: { charged: 2, held: 0 } })
    expect([await at.charged(), (await at.gateway.spend())[0]]).toMatchObject([NANOS, { nanos: NANOS, attempts: 1 }])
    await at.nothingLeft()
  })

  it('is given where the budget is used up: nothing is left to pay', async () => {
    const at = scene(says(), [])
    await at.chat(ask(), TEAM)
    at.gateway.setBudgets([{ ...BUDGET, usd: usd(NANOS) }])
    expect((await at.chat(ask(), TEAM)).cached).toBe('hit')
    await at.nothingLeft()
  })

  it('takes a place among the calls at once until it was read', async () => {
    const at = scene(says('one two three'), [{ name: 'l', concurrency: 1 }])
    await at.idle((await at.soon(at.gateway.stream(ask() as never, TEAM))).result())
    const replayed = await at.soon(at.gateway.stream(ask() as never, TEAM))
    expect((await thrown(() => at.soon(at.gateway.chat(ask() as never, TEAM)))).policy).toBe('l')
    await at.idle(all(replayed))
    await at.chat(ask(), TEAM)
    await at.nothingLeft()
  })
})

describe('calls that share a flight', () => {
  const SLOW = says('one two three', { latencyMs: 100 })

  it('are charged once, and each counts as a request', async () => {
    const at = scene(SLOW, [{ ...CALLS, requestsPerMinute: 3 }])
    const results = await at.idle(Promise.all([1, 2, 3].map(() => at.gateway.chat(ask() as never, TEAM))))
    expect(results.map(({ cached, cost }) => [cached, cost.nanos])).toEqual([[false, NANOS], ['joined', 0], ['joined', 0]])
    expect(await at.store.standings()).toMatchObject({ [REQUESTS]: { charged: 3, held: 0 } })
    expect([at.a.calls.length, await at.charged()]).toEqual([1, NANOS])
    await at.nothingLeft()
  })

  it('one that its limit refuses leaves its place: the flight does not go on for nobody', async () => {
    const at = scene(SLOW, [{ ...CALLS, requestsPerMinute: 1 }])
    const controller = new AbortController()
    const first = at.gateway.chat(ask() as never, { ...TEAM, signal: controller.signal })
    first.catch(() => undefined)
    await at.clock.advance(10)
    expect((await thrown(() => at.soon(at.gateway.chat(ask() as never, TEAM)))).code).toBe('limit_exceeded')
    controller.abort()
    await at.clock.advance(0)
    expect(at.a.open).toBe(0)
    await thrown(() => first)
    await at.nothingLeft()
  })

  it('the one that opened it may leave: the fallback for the others is covered all the same', async () => {
    const at = scene({ fail: 'reset', latencyMs: 100 }, [], says('rescued'))
    const controller = new AbortController()
    const first = at.gateway.chat(ask() as never, { ...TEAM, signal: controller.signal })
    first.catch(() => undefined)
    await at.clock.advance(10)
    const second = at.gateway.chat(ask() as never, TEAM)
    await at.clock.advance(10)
    // The fallback has to ask the store again: the budget was lost from sight meanwhile.
    controller.abort()
    const result = await at.idle(second)
    expect([result.text, result.cost.nanos]).toEqual(['rescued', NANOS])
    await thrown(() => first)
    await at.gateway.flush()
    expect([await at.charged(), at.recorded()]).toEqual([NANOS, NANOS])
    await at.nothingLeft()
  })

  it('the one that opened it may leave after a try that billed: the next hold is not refused for it', async () => {
    const cut = { ...says('one two three four'), fail: 'cut', failAfter: 2, latencyMs: 100 } as const
    const [a, b] = [deployment('a', cut), deployment('b', says('rescued'))]
    const at = money(fallback(a, b), [a, b], { budgets: [BUDGET], cache: true, retry: { attempts: 1 }, chatWire: 'stream' })
    const controller = new AbortController()
    const first = at.gateway.chat(ask() as never, { ...TEAM, signal: controller.signal })
    first.catch(() => undefined)
    await at.clock.advance(10)
    const second = at.gateway.chat(ask() as never, TEAM)
    await at.clock.advance(10)
    controller.abort()
    expect((await at.idle(second)).text).toBe('rescued')
    await thrown(() => first)
    await at.gateway.flush()
    expect(at.store.asked.acquire).toBe(2)
    expect(await at.charged()).toBe(at.recorded())
    await at.nothingLeft()
  })

  it('all may leave: what came is charged once', async () => {
    const at = scene(says('one two three', { chunkMs: 100 }), [])
    const streams = [await at.soon(at.gateway.stream(ask() as never, TEAM)), await at.soon(at.gateway.stream(ask() as never, TEAM))]
    for (const stream of streams) for await (const event of stream) if (event.type === 'text-delta') break
    await at.gateway.flush()
    expect(at.records.filter(({ costNanos }) => (costNanos ?? 0) > 0)).toHaveLength(1)
    expect(await at.charged()).toBe(at.recorded())
    await at.nothingLeft()
  })
})
