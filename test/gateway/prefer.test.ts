import { describe, expect, it } from 'vitest'
import { canary, cheapest, fallback, Gateway, route, weighted, when, type GatewayOptions, type Message, type Prefer, type RouteConfig } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type ScriptedDeployment, type ScriptedOptions } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'
import { thrown, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi', maxOutputTokens: 100 } as const
const TOOL = { name: 'look', inputSchema: { type: 'object' } }
const deployment = (id: string, more: Partial<ScriptedOptions> = {}): ScriptedDeployment => scripted({ id, answers: id, ...more })

function scene(target: RouteConfig, deployments: readonly ScriptedDeployment[], options: Partial<GatewayOptions> = {}) {
  const clock = virtualClock()
  const seen = witness()
  const gateway = new Gateway({ clock, random: seededRandom(3), plugins: [seen], ...options, routes: { smart: target } } as GatewayOptions)
  const idle = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined)
    await clock.runUntilIdle()
    return work
  }
  const answeredBy = async (prefer?: Prefer, request: object = {}): Promise<string> => (await idle(gateway.chat({ ...ASK, ...request }, prefer === undefined ? {} : { prefer }))).deployment
  return { clock, gateway, records: seen.records, idle, answeredBy, nothingLeft: () => expectNothingLeft({ gateway, clock, deployments }) }
}

describe('prefer', () => {
  const three = () => [deployment('a', { provider: 'one', model: 'x', price: { input: 9, output: 9 } }), deployment('b', { provider: 'two', model: 'y', price: { input: 1, output: 1 }, dataPolicy: ['no-training'] }), deployment('c', { provider: 'two', model: 'z', capabilities: { tools: true } })]

  it.each<[string, Prefer, string]>([
    ['order, by id', { order: ['c'] }, 'c'],
    ['order, by provider', { order: ['two'] }, 'b'],
    ['order, by provider and model', { order: ['two/z', 'a'] }, 'c'],
    ['order, with a name that nobody has', { order: ['nobody'] }, 'a'],
    ['only', { only: ['two'] }, 'b'],
    ['ignore', { ignore: ['a', 'b'] }, 'c'],
    ['sort by price, what is unknown last', { sort: 'price' }, 'b'],
    ['a price that is enough', { maxPrice: 0.01 }, 'a'],
    ['a price that is not enough for the first', { maxPrice: 0.000_2 }, 'b'],
    ['a promise about data', { dataPolicy: 'no-training' }, 'b'],
    ['a latency nobody has measured', { maxLatencyMs: 1 }, 'a'],
    ['a throughput nobody has measured', { minThroughput: 1_000 }, 'a'],
  ])('%s chooses who is asked first', async (_wish, prefer, expected) => {
    const at = scene(fallback(...three()), [])
    expect(await at.answeredBy(prefer)).toBe(expected)
    await at.nothingLeft()
  })

  it('keeps the others behind as fallbacks, in their order', async () => {
    const [a, b, c] = [deployment('a', { answers: { fail: { status: 404 } } }), deployment('b'), deployment('c', { answers: { fail: { status: 404 } } })]
    const at = scene(fallback(a, b, c), [a, b, c])
    const result = await at.idle(at.gateway.chat(ASK, { prefer: { order: ['c'] } }))
    expect(result.attempts.map(one => one.deployment)).toEqual(['c', 'a', 'b'])
    await at.nothingLeft()
  })

  it.each<[string, Prefer, RegExp]>([
    ['only', { only: ['nobody'] }, /not among prefer\.only/],
    ['ignore', { ignore: ['one', 'two'] }, /prefer\.ignore names it/],
    ['maxPrice', { maxPrice: 0 }, /more than prefer\.maxPrice|price is not known/],
    ['dataPolicy', { dataPolicy: ['no-training', 'zero-retention'] }, /does not promise/],
    ['requireParameters', { requireParameters: true }, /not known to take an output schema/],
  ])('%s that leaves nobody says what excluded each, and asks nobody', async (_wish, prefer, reason) => {
    const deployments = three()
    const at = scene(fallback(...deployments), deployments)
    const error = await thrown(() => at.gateway.chat({ ...ASK, output: { type: 'object' } }, { prefer }))
    expect([error.code, error.excluded?.length]).toEqual(['no_candidates', 3])
    for (const one of error.excluded ?? []) {
      expect(one.reason).toMatch(reason)
      expect(error.message).toContain(`${one.deployment}: ${one.reason}`)
    }
    expect(deployments.every(({ calls }) => calls.length === 0)).toBe(true)
    expect(at.records).toMatchObject([{ outcome: 'failure', code: 'no_candidates', excluded: error.excluded }])
    await at.nothingLeft()
  })

  it('says in the record who was left out of a call that was answered', async () => {
    const at = scene(fallback(...three()), [])
    await at.answeredBy({ requireParameters: true }, { tools: [TOOL] })
    expect(at.records).toMatchObject([{ deployment: 'c', excluded: [{ deployment: 'a', reason: expect.stringMatching(/tools.*requireParameters/) as string }, { deployment: 'b' }] }])
    await at.nothingLeft()
  })

  it('demotes who is known to be slow, and fails no call where all are', async () => {
    const [slow, quick] = [deployment('slow', { answers: { text: 'x', latencyMs: 2_000 } }), deployment('quick', { answers: { text: 'x', latencyMs: 50 } })]
    const at = scene(fallback(slow, quick), [slow, quick])
    for (const id of ['slow', 'quick']) await at.answeredBy({ only: [id] })
    expect(await at.answeredBy()).toBe('slow')
    expect(await at.answeredBy({ maxLatencyMs: 500 })).toBe('quick')
    expect(await at.answeredBy({ sort: 'latency' })).toBe('quick')
    expect(await at.answeredBy({ maxLatencyMs: 1 })).toBe('slow')
    await at.nothingLeft()
  })

  it('reorders what a strategy ordered', async () => {
    const [dear, cheap] = [deployment('dear', { price: { input: 5, output: 5 } }), deployment('cheap', { price: { input: 1, output: 1 } })]
    const at = scene(cheapest(dear, cheap), [dear, cheap])
    expect([await at.answeredBy(), await at.answeredBy({ order: ['dear'] })]).toEqual(['cheap', 'dear'])
    await at.nothingLeft()
  })

  it.each([
    ['an unknown wish', { olny: ['a'] }, /Did you mean "only"/],
    ['an unknown order', { sort: 'prise' }, /Did you mean "price"/],
    ['a text for a list', { only: 'a' }, /list/],
    ['a negative price', { maxPrice: -1 }, /0 or more/],
  ])('refuses %s before anybody is asked', async (_what, prefer, message) => {
    const a = deployment('a')
    const at = scene(a, [a])
    const error = await thrown(() => at.gateway.chat(ASK, { prefer } as never))
    expect([error.code, a.calls.length]).toEqual(['invalid_request', 0])
    expect(error.message).toMatch(message)
    await at.nothingLeft()
  })
})

describe('a tool loop', () => {
  const looks = { toolCalls: [{ name: 'look', input: {} }] }
  async function begun(at: ReturnType<typeof scene>, prefer?: Prefer): Promise<{ messages: Message[]; deployment: string }> {
    const { message, toolCalls, deployment: by } = await at.idle(at.gateway.chat({ ...ASK, tools: [TOOL] }, prefer === undefined ? {} : { prefer }))
    return { deployment: by, messages: [{ role: 'user', content: 'Hi' }, message, { role: 'tool', toolCallId: toolCalls[0]?.id ?? '', content: 'seen' }] }
  }

  it('stays on the deployment that asked for the tools, whatever the strategy would draw', async () => {
    const [a, b] = [deployment('a', { answers: looks }), deployment('b', { answers: looks })]
    const at = scene(weighted([a, 1], [b, 1]), [a, b])
    for (let round = 0; round < 20; round++) {
      const { messages, deployment: first } = await begun(at)
      expect((await at.idle(at.gateway.chat({ ...ASK, messages, tools: [TOOL] }))).deployment).toBe(first)
    }
    expect(a.calls.length * b.calls.length).toBeGreaterThan(0)
    await at.nothingLeft()
  })

  it('moves on while that deployment has an open circuit, and comes back after', async () => {
    const [a, b] = [deployment('a', { answers: looks }), deployment('b', { answers: looks })]
    const at = scene(fallback(a, b), [a, b])
    const { messages } = await begun(at, { order: ['b'] })
    const next = () => at.idle(at.gateway.chat({ ...ASK, messages, tools: [TOOL] }))
    expect((await next()).deployment).toBe('b')
    await at.gateway.isolate('b')
    const moved = await next()
    expect([moved.deployment, moved.attempts[0]]).toMatchObject(['a', { deployment: 'b', outcome: 'skipped', reason: expect.stringContaining('isolated') as string }])
    await at.gateway.restore('b')
    expect((await next()).deployment).toBe('b')
    await at.nothingLeft()
  })

  it('that the caller ended starts anew', async () => {
    const [a, b] = [deployment('a'), deployment('b', { answers: looks })]
    const at = scene(fallback(a, b), [a, b])
    const { messages } = await begun(at, { order: ['b'] })
    expect(await at.answeredBy(undefined, { messages: [...messages, { role: 'user', content: 'Another thing' }] })).toBe('a')
    await at.nothingLeft()
  })
})

describe('experiments and rules', () => {
  it.each([
    ['weighted', (a: ScriptedDeployment, b: ScriptedDeployment) => weighted({ use: a, weight: 1, variant: 'short' }, { use: b, weight: 1, variant: 'long' }), ['short', 'long']],
    ['canary', (a: ScriptedDeployment, b: ScriptedDeployment) => canary(a, b, { share: 0.5 }), ['stable', 'canary']],
  ])('%s names the branch that answered on the result and on the record', async (_name, group, [first, second]) => {
    const [a, b] = [deployment('a'), deployment('b')]
    const at = scene(group(a, b), [a, b])
    for (let call = 0; call < 20; call++) {
      const result = await at.idle(at.gateway.chat(ASK))
      expect(result.variant).toBe(result.deployment === 'a' ? first : second)
      expect(at.records.at(-1)?.note).toEqual({ variant: result.variant })
      expect(result.attempts[0]?.note).toEqual({ variant: result.variant })
    }
    expect(a.calls.length * b.calls.length).toBeGreaterThan(0)
    await at.nothingLeft()
  })

  it('a fallback into the other branch names that one', async () => {
    const [a, b] = [deployment('a', { answers: { fail: { status: 404 } } }), deployment('b')]
    const at = scene(canary(a, b, { share: 0 }), [a, b])
    expect(await at.idle(at.gateway.chat(ASK))).toMatchObject({ variant: 'canary', attempts: [{ note: { variant: 'stable' } }, { note: { variant: 'canary' } }] })
    await at.nothingLeft()
  })

  it('sticky users stay on their branch, in another gateway too', async () => {
    const [a, b] = [deployment('a'), deployment('b')]
    const target = weighted([a, 1], [b, 1], { sticky: 'user' })
    const [one, two] = [scene(target, [a, b]), scene(target, [a, b], { random: seededRandom(99) })]
    const sides = new Set<string>()
    for (let user = 0; user < 20; user++) {
      const options = { principal: { user: `user-${user}` } }
      const { deployment: side } = await one.idle(one.gateway.chat(ASK, options))
      expect((await two.idle(two.gateway.chat(ASK, options))).deployment).toBe(side)
      sides.add(side)
    }
    expect(sides.size).toBe(2)
    await one.nothingLeft()
    await two.nothingLeft()
  })

  it('route() reads the tags of the principal, and says so where nobody is meant', async () => {
    const [vip, plain] = [deployment('vip'), deployment('plain')]
    const at = scene(route(when({ tags: 'vip' }, vip), when({ principal: { team: 'search' } }, plain)), [vip, plain])
    const by = async (principal: object): Promise<string> => (await at.idle(at.gateway.chat(ASK, { principal }))).deployment
    expect([await by({ tags: ['beta', 'vip'] }), await by({ team: 'search' })]).toEqual(['vip', 'plain'])
    expect((await thrown(() => at.gateway.chat(ASK, { principal: { team: 'ads' } }))).code).toBe('no_candidates')
    await at.nothingLeft()
  })
})
