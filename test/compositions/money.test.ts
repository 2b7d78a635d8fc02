import { describe, expect, it } from 'vitest'
import { fallback, type BudgetOptions, type CallOptions, type GatewayOptions } from '../../src/index.js'
import type { ScriptedOptions } from '../../src/testing/index.js'
import { ask, BOUND, deployment, money, NANOS, OUTPUT_BOUND, says, usd, type MoneyOptions } from '../gateway/money-scene.js'
import { all, thrown } from '../gateway/support.js'

const TEAM: CallOptions = { principal: { team: 'search' } }
const DOWN = { fail: { status: 503 } } as const
/** Room for ten calls at their bound. */
const BUDGET: BudgetOptions = { name: 'b', of: { team: 'search' }, usd: usd(10 * BOUND), window: 'total' }
const KEY = 'budget:b:nanos::team=search'

function scene(answers: ScriptedOptions['answers'] = says(), other: ScriptedOptions['answers'] = says(), options: MoneyOptions = {}) {
  const [a, b] = [deployment('a', answers), deployment('b', other)]
  return { a, b, ...money(fallback(a, b), [a, b], { budgets: [BUDGET], ...options }) }
}
type Scene = ReturnType<typeof scene>
const RETRY: GatewayOptions['retry'] = { attempts: 2, baseMs: 10 }

/** The one budget holds exactly what the records say, and so does `spend()`. */
async function settled(at: Scene, nanos: number): Promise<void> {
  await at.gateway.flush()
  const [row] = await at.gateway.spend()
  expect({ recorded: at.recorded(), charged: await at.charged(), spent: row?.nanos }).toEqual({ recorded: nanos, charged: nanos, spent: nanos })
  await at.nothingLeft()
}

/** What is held at this moment, of the one budget. */
const held = async (at: Scene): Promise<number | undefined> => (await at.store.standings())[KEY]?.held

describe('what is held before is settled once, however a chat ends', () => {
  it('finished: its bound is held while it runs, and only its usage is charged', async () => {
    const at = scene(says('Hello', { latencyMs: 100 }))
    const chat = at.gateway.chat(ask(), TEAM)
    await at.clock.advance(50)
    expect([await held(at), at.gateway.health().ledger]).toEqual([BOUND, { holds: 1, pending: 0, failures: 0 }])
    expect((await at.idle(chat)).cost.nanos).toBe(NANOS)
    expect(at.records[0]).toMatchObject({ costNanos: NANOS, policy: { decision: 'allowed' } })
    await settled(at, NANOS)
  })

  it('failed without an answer: nothing is charged', async () => {
    const at = scene(DOWN, DOWN, { retry: { attempts: 1 } })
    await thrown(() => at.chat(ask(), TEAM))
    await settled(at, 0)
  })

  it('aborted before the store has answered: the hold that comes late is given back', async () => {
    const at = scene()
    at.store.broken.set('acquire', 'hang')
    const controller = new AbortController()
    const chat = at.gateway.chat(ask(), { ...TEAM, signal: controller.signal })
    chat.catch(() => undefined)
    await at.clock.advance(1)
    controller.abort()
    expect((await thrown(() => chat)).code).toBe('aborted')
    at.store.resume()
    await at.clock.advance(1)
    expect([at.a.calls.length, at.store.asked.settle]).toEqual([0, 1])
    await settled(at, 0)
  })

  it('aborted before commit: nothing came, so nothing is charged', async () => {
    const at = scene(says('Hello', { latencyMs: 100 }))
    const controller = new AbortController()
    const chat = at.gateway.chat(ask(), { ...TEAM, signal: controller.signal })
    chat.catch(() => undefined)
    await at.clock.advance(50)
    controller.abort()
    expect((await thrown(() => chat)).code).toBe('aborted')
    await settled(at, 0)
  })

  it('aborted at a second hold that the store does not answer: the try that never opened costs nothing', async () => {
    const at = scene([{ ...says('half an answer of it'), ...{ fail: 'cut', failAfter: 2 } }, says()], says(), { retry: { attempts: 1 }, chatWire: 'stream' })
    const controller = new AbortController()
    const chat = at.gateway.chat(ask(), { ...TEAM, signal: controller.signal })
    chat.catch(() => undefined)
    at.store.broken.set('acquire', 'hang')
    // The first claim hangs: let it through, then hold back the one of the fallback.
    await at.clock.advance(0)
    at.store.resume()
    at.store.broken.set('acquire', 'hang')
    await at.clock.advance(1_000)
    controller.abort()
    expect((await thrown(() => chat)).code).toBe('aborted')
    at.store.resume()
    await at.clock.advance(1)
    expect(at.b.calls).toHaveLength(0)
    const [first] = at.records
    expect(first?.costNanos).toBeGreaterThan(0)
    expect(first?.costNanos).toBeLessThan(BOUND)
    await settled(at, first?.costNanos ?? 0)
  })

  it('retried and fallen back: each try is covered before it opens, and all that billed are charged', async () => {
    const cut = { ...says('one two three four'), fail: 'cut', failAfter: 2 } as const
    const at = scene([cut, cut], says(), { retry: RETRY, chatWire: 'stream' })
    const result = await at.chat(ask(), TEAM)
    expect(result.attempts.map(({ deployment: id, outcome }) => `${id} ${outcome}`)).toEqual(['a failure', 'a failure', 'b success'])
    const costs = result.attempts.map(attempt => attempt.costNanos ?? 0)
    expect(costs.every(cost => cost > 0)).toBe(true)
    // Never more was held than what was used and the bound of one more try.
    expect(at.store.highest.get(KEY)).toBe((costs[0] ?? 0) + (costs[1] ?? 0) + BOUND)
    await settled(at, costs.reduce((sum, cost) => sum + cost, 0))
  })

  it('a retry after a try that did not bill needs no further hold', async () => {
    const at = scene([DOWN, says()], says(), { retry: RETRY })
    await at.chat(ask(), TEAM)
    expect([at.store.asked.acquire, at.store.highest.get(KEY)]).toEqual([1, BOUND])
    await settled(at, NANOS)
  })

  it('a fallback with no room left ends the walk, and is told as a refusal', async () => {
    const cut = { ...says('one two three four'), fail: 'cut', failAfter: 2 } as const
    const at = scene([cut], says(), { retry: { attempts: 1 }, chatWire: 'stream', budgets: [{ ...BUDGET, usd: usd(BOUND) }] })
    const error = await thrown(() => at.chat(ask(), TEAM))
    expect([error.code, error.policy, at.b.calls.length]).toEqual(['budget_exceeded', 'b', 0])
    expect(error.attempts?.map(({ deployment: id, outcome }) => `${id} ${outcome}`)).toEqual(['a failure', 'b skipped'])
    expect(at.records[0]?.policy).toEqual({ decision: 'refused', by: 'b', code: 'budget_exceeded' })
    expect(at.alerts.map(({ kind }) => kind)).toEqual(['exceeded'])
    await settled(at, at.records[0]?.costNanos ?? -1)
  })

  it('an answer repaired: both tries are charged', async () => {
    const at = scene([says('no JSON'), says('{"a":1}')])
    const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] } as const
    const standard = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const
    const result = await at.chat(ask({ output: { schema: standard, jsonSchema: schema } as never }), TEAM)
    expect([at.a.calls.length, result.cost.nanos]).toEqual([2, 2 * NANOS])
    await settled(at, 2 * NANOS)
  })
})

describe('a hedge', () => {
  it('holds both sides, and charges the winner and what the loser had said', async () => {
    const at = scene(says('slow to come', { latencyMs: 1_000 }), says('fast'), { hedge: { afterMs: 100, budget: 1 } })
    const chat = at.gateway.chat(ask(), TEAM)
    await at.clock.advance(100)
    const both = at.store.highest.get(KEY)
    expect((await at.idle(chat)).text).toBe('fast')
    expect(both).toBe(2 * BOUND)
    await settled(at, NANOS)
  })

  it('charges a loser that was cut in the middle of its answer', async () => {
    const at = scene(says('one two three four', { chunkMs: 100 }), says('fast'), { hedge: { afterMs: 250, budget: 1 }, chatWire: 'stream' })
    const result = await at.chat(ask(), TEAM)
    expect(result.text).toBe('fast')
    const lost = result.attempts.find(({ outcome }) => outcome === 'aborted')?.costNanos ?? 0
    expect(lost).toBeGreaterThan(0)
    await settled(at, NANOS + lost)
  })

  it('whose claim is still on its way when the first answers is given back, and opens nothing', async () => {
    const at = scene(says('first', { latencyMs: 500 }), says('second'), { hedge: { afterMs: 100, budget: 1 } })
    const chat = at.gateway.chat(ask(), TEAM)
    await at.clock.advance(50)
    at.store.broken.set('acquire', 'hang')
    expect((await at.idle(chat)).text).toBe('first')
    at.store.resume()
    await at.clock.advance(1)
    expect(at.b.calls).toHaveLength(0)
    await settled(at, NANOS)
  })

  it('that has no room is not made, and the first answer is not refused for it', async () => {
    const at = scene(says('first', { latencyMs: 500 }), says('second'), { hedge: { afterMs: 100, budget: 1 }, budgets: [{ ...BUDGET, usd: usd(BOUND) }] })
    expect((await at.chat(ask(), TEAM)).text).toBe('first')
    expect([at.b.calls.length, at.alerts]).toEqual([0, []])
    await settled(at, NANOS)
  })
})

describe('a stream', () => {
  const SLOW = says('one two three four', { chunkMs: 100 })

  it('read to its end is settled with the end, not with the promise', async () => {
    const at = scene(SLOW)
    const stream = await at.soon(at.gateway.stream(ask(), TEAM))
    expect(await held(at)).toBe(BOUND)
    await at.idle(all(stream))
    await settled(at, NANOS)
  })

  it('left early is charged for the prompt and what came, as an estimate', async () => {
    const at = scene(SLOW)
    const stream = await at.soon(at.gateway.stream(ask(), TEAM))
    for await (const event of stream) if (event.type === 'text-delta') break
    await at.gateway.flush()
    const [record] = at.records
    expect(record).toMatchObject({ outcome: 'aborted', code: 'aborted' })
    expect(record?.costNanos).toBeGreaterThan(0)
    expect(record?.costNanos).toBeLessThan(BOUND)
    await settled(at, record?.costNanos ?? -1)
  })

  it('aborted after commit is settled by the abort', async () => {
    const at = scene(SLOW)
    const controller = new AbortController()
    const stream = await at.soon(at.gateway.stream(ask(), { ...TEAM, signal: controller.signal }))
    controller.abort()
    await thrown(() => all(stream))
    await at.gateway.flush()
    expect(at.records[0]?.costNanos).toBeGreaterThan(0)
    await settled(at, at.records[0]?.costNanos ?? -1)
  })

  it('that nobody reads is settled by the abandon deadline', async () => {
    const at = scene(SLOW, says(), { deadlines: { abandonMs: 5_000 } })
    await at.soon(at.gateway.stream(ask(), TEAM))
    // Looked at when the idle deadline would pass.
    await at.clock.advance(61_000)
    await at.gateway.flush()
    expect(at.records).toMatchObject([{ code: 'timeout' }])
    expect(at.records[0]?.costNanos).toBeGreaterThan(0)
    await settled(at, at.records[0]?.costNanos ?? -1)
  })

  it('restarted by the next deployment pays for both answers', async () => {
    const at = scene({ ...says('one two three four'), fail: 'cut', failAfter: 2 }, says('whole'), { recover: 'restart' })
    const stream = await at.soon(at.gateway.stream(ask(), TEAM))
    const events = await at.idle(all(stream))
    const result = await stream.result()
    expect([events.some(({ type }) => type === 'restart'), result.text]).toEqual([true, 'whole'])
    expect(result.cost.nanos).toBeGreaterThan(NANOS)
    await settled(at, result.cost.nanos ?? -1)
  })

  it('longer than a lease keeps its hold, and nobody is told of a death', async () => {
    const at = scene(says('one two three four', { chunkMs: 50_000 }), says(), { deadlines: { totalMs: 3_600_000 } })
    const stream = await at.soon(at.gateway.stream(ask(), TEAM))
    const reading = all(stream)
    reading.catch(() => undefined)
    await at.clock.advance(120_000)
    // Whoever claims next clears away what has lapsed: this one has not.
    const other = at.gateway.chat(ask(), TEAM)
    await at.idle(Promise.all([reading, other]))
    expect(at.records.map(({ system }) => system)).toEqual([undefined, undefined])
    await settled(at, 2 * NANOS)
  })

  it('longer than a lease survives a renewal that hangs and one that fails', async () => {
    const at = scene(says('one two three four', { chunkMs: 50_000 }), says(), { deadlines: { totalMs: 3_600_000 } })
    const stream = await at.soon(at.gateway.stream(ask(), TEAM))
    const reading = all(stream)
    at.store.broken.set('renew', 'hang')
    await at.clock.advance(15_000)
    at.store.broken.set('renew', 'reject')
    await at.clock.advance(15_000)
    at.store.broken.delete('renew')
    await at.idle(reading)
    at.store.resume()
    expect([at.records.length, at.gateway.health().ledger?.failures]).toEqual([1, 1])
    await settled(at, NANOS)
  })
})

describe('a gateway that is closed', () => {
  it('in the middle settles what is open: a chat, a stream that is read, one that is not, and one that waits for the store', async () => {
    const at = scene(says('one two three four', { chunkMs: 1_000 }))
    const read = await at.soon(at.gateway.stream(ask(), TEAM))
    const reading = all(read)
    reading.catch(() => undefined)
    await at.soon(at.gateway.stream(ask(), TEAM))
    const chat = at.gateway.chat(ask({ maxOutputTokens: OUTPUT_BOUND }), TEAM)
    chat.catch(() => undefined)
    await at.clock.advance(500)
    expect(at.gateway.health().ledger?.holds).toBe(3)
    await at.gateway.close()
    expect((await thrown(() => chat)).code).toBe('closed')
    await thrown(() => reading)
    const health = at.gateway.health()
    expect([at.records.length, health.calls, health.ledger, at.clock.pending, at.store.open]).toEqual([3, 0, { holds: 0, pending: 0, failures: 0 }, 0, 0])
    expect(await at.charged()).toBe(at.recorded())
    expect(await held(at)).toBe(0)
  })
})

describe('a call that ends between its hold and its flight', () => {
  it('for a header that cannot be sent gives its hold back', async () => {
    const at = scene()
    const error = await thrown(() => at.chat(ask(), { ...TEAM, headers: { 'x-bad': 'two\r\nlines' } }))
    expect(error.code).toBe('invalid_request')
    await settled(at, 0)
  })
})
