import { describe, expect, it } from 'vitest'
import { anthropic, fallback, Gateway, openai, type BreakerSnapshot, type GatewayOptions, type RouteConfig } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type ScriptedDeployment, type ScriptedOptions, type VirtualClock } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'
import { rawServer } from '../compositions/raw.js'
import { until } from '../compositions/support.js'
import { KEY, thrown } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const
const DOWN = { fail: { status: 503 } } as const
const OPEN: BreakerSnapshot = { state: 'open', sinceMs: 0 }
const deployment = (id: string, answers: ScriptedOptions['answers'] = id, more: Partial<ScriptedOptions> = {}): ScriptedDeployment => scripted({ id, ...more, answers })

function scene(target: RouteConfig, deployments: readonly ScriptedDeployment[], options: Partial<GatewayOptions> & { readonly clock?: VirtualClock } = {}) {
  const clock = options.clock ?? virtualClock()
  const gateway = new Gateway({ random: seededRandom(3), ...options, clock, routes: { smart: target } } as GatewayOptions)
  const idle = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined)
    await clock.runUntilIdle()
    return work
  }
  const state = (at = 0) => gateway.health().deployments[at]?.state
  return { clock, gateway, idle, state, nothingLeft: () => expectNothingLeft({ gateway, clock, deployments }) }
}

describe('isolate and restore', () => {
  it('take a deployment out of the line and back in, and health() says why', async () => {
    const [a, b] = [deployment('a'), deployment('b')]
    const at = scene(fallback(a, b), [a, b])
    await at.gateway.isolate('a', 'maintenance')
    expect(at.gateway.health().deployments[0]).toMatchObject({ state: 'isolated', reason: 'isolated by hand: maintenance' })
    const result = await at.idle(at.gateway.chat(ASK))
    expect(result.attempts).toMatchObject([{ deployment: 'a', outcome: 'skipped', reason: 'isolated by hand: maintenance' }, { deployment: 'b', outcome: 'success' }])
    await at.clock.advance(3_600_000)
    expect((await at.idle(at.gateway.chat(ASK))).deployment).toBe('b')
    await at.gateway.restore('a')
    expect([at.state(), (await at.idle(at.gateway.chat(ASK))).deployment]).toEqual(['ready', 'a'])
    await at.nothingLeft()
  })

  it('let answers under way go on', async () => {
    const a = deployment('a', { text: 'one two', latencyMs: 100 })
    const at = scene(a, [a])
    const chat = at.gateway.chat(ASK)
    await at.clock.advance(50)
    await at.gateway.isolate('a')
    expect((await at.idle(chat)).text).toBe('one two')
    const error = await thrown(() => at.gateway.chat(ASK))
    expect([error.message.includes('isolated by hand'), a.calls.length]).toEqual([true, 1])
    await at.gateway.restore('a')
    await at.nothingLeft()
  })

  it('reach every deployment of that name, and restore() closes a circuit that is open', async () => {
    const [one, two] = [deployment('same', DOWN), deployment('same', 'two')]
    const at = scene(fallback(one, two), [one, two])
    await at.gateway.isolate('same')
    expect([at.state(0), at.state(1)]).toEqual(['isolated', 'isolated'])
    await at.gateway.restore('same')
    await at.idle(at.gateway.chat(ASK))
    expect(at.state(0)).toBe('open')
    await at.gateway.restore('same')
    expect(at.state(0)).toBe('ready')
    await at.nothingLeft()
  })

  it.each(['isolate', 'restore'] as const)('%s of a name that no route has suggests the nearest', async verb => {
    const at = scene(fallback(deployment('primary'), deployment('backup')), [])
    const error = await thrown(() => at.gateway[verb]('primry'))
    expect([error.code, error.origin]).toEqual(['invalid_request', 'caller'])
    expect(error.message).toContain('Did you mean "primary"?')
    expect((await thrown(() => at.gateway[verb]('zzzzzzzz'))).message).not.toContain('Did you mean')
    await at.nothingLeft()
  })

  it('say so where a deployment has no circuit, in place of suggesting its own name', async () => {
    const at = scene(deployment('a'), [], { breaker: false })
    const error = await thrown(() => at.gateway.isolate('a'))
    expect(error.message).toBe('The deployment "a" has no circuit: its key is missing, or "breaker" is false.')
    await at.nothingLeft()
  })
})

describe('circuits', () => {
  const written = ({ gateway }: Pick<ReturnType<typeof scene>, 'gateway'>): Record<string, BreakerSnapshot> => {
    const circuits = gateway.health().deployments.flatMap(({ id, circuit }) => (circuit === undefined ? [] : [[id, circuit] as const]))
    return JSON.parse(JSON.stringify(Object.fromEntries(circuits))) as Record<string, BreakerSnapshot>
  }

  it('that are open stay open in the next gateway, up to the same probe', async () => {
    const clock = virtualClock()
    const [a, b] = [deployment('a', attempt => (attempt <= 3 ? DOWN : 'a')), deployment('b')]
    const first = scene(fallback(a, b), [a, b], { clock })
    await first.idle(first.gateway.chat(ASK))
    const circuits = written(first)
    expect(circuits['a']?.state).toBe('open')
    await first.nothingLeft()
    await clock.advance(5_000)
    const second = scene(fallback(a, b), [a, b], { clock, circuits })
    const result = await second.idle(second.gateway.chat(ASK))
    expect(result.attempts[0]).toMatchObject({ deployment: 'a', outcome: 'skipped', reason: expect.stringMatching(/circuit is open.*next probe in (9|10) s/) as string })
    expect(a.calls).toHaveLength(3)
    await clock.advance(10_000)
    expect((await second.idle(second.gateway.chat(ASK))).deployment).toBe('a')
    expect(second.state()).toBe('ramp')
    await second.nothingLeft()
  })

  it('are seen in health() before the first call, so that they are not lost by a process that makes none', async () => {
    const clock = virtualClock()
    const a = deployment('a', DOWN)
    const first = scene(a, [a], { clock })
    await thrown(() => first.idle(first.gateway.chat(ASK)))
    const circuits = written(first)
    const second = scene(a, [a], { clock, circuits })
    expect(second.gateway.health().deployments[0]).toMatchObject({ state: 'open', reason: expect.stringContaining('3 failures in a row') as string })
    expect(written(second)).toEqual(circuits)
    await first.nothingLeft()
    await second.nothingLeft()
  })

  it('that are isolated stay isolated until somebody restores them', async () => {
    const [a, b] = [deployment('a'), deployment('b')]
    const first = scene(fallback(a, b), [a, b])
    await first.gateway.isolate('a', 'moved')
    const second = scene(fallback(a, b), [a, b], { circuits: written(first) })
    expect([second.state(), (await second.idle(second.gateway.chat(ASK))).deployment]).toEqual(['isolated', 'b'])
    await second.clock.advance(3_600_000)
    expect(second.state()).toBe('isolated')
    await second.gateway.restore('a')
    expect((await second.idle(second.gateway.chat(ASK))).deployment).toBe('a')
    await first.nothingLeft()
    await second.nothingLeft()
  })

  it('of deployments that are gone mean nothing; what is no circuit is refused at construction', async () => {
    const a = deployment('a')
    const at = scene(a, [a], { circuits: { gone: OPEN, constructor: OPEN } as Record<string, BreakerSnapshot> })
    expect([(await at.idle(at.gateway.chat(ASK))).deployment, at.state()]).toEqual(['a', 'ready'])
    for (const circuits of [{ a: { state: 'opened', sinceMs: 0 } }, { a: null }, { a: { state: 'open' } }, []]) {
      expect((await thrown(() => scene(a, [], { circuits } as never))).code).toBe('invalid_config')
    }
    await at.nothingLeft()
  })
})

describe('active probes', () => {
  it('bring a recovered deployment back within two intervals, without traffic', async () => {
    let well = false
    const asked: number[] = []
    const clock = virtualClock()
    const a = deployment('a', () => (well ? 'a' : DOWN), { probe: () => (asked.push(clock.now()), well) })
    const at = scene(fallback(a, deployment('b')), [a], { clock, probes: { intervalMs: 5_000 } })
    expect(at.gateway.health().deployments).toHaveLength(2)
    const first = at.gateway.chat(ASK)
    await clock.advance(3_000)
    expect((await first).deployment).toBe('b')
    await clock.advance(60_000)
    expect(asked.length).toBeGreaterThanOrEqual(9)
    for (const [index, ms] of asked.slice(1).entries()) expect(Math.abs(ms - (asked[index] ?? 0) - 5_000)).toBeLessThanOrEqual(1_000)
    expect([at.state(), a.calls.length]).toEqual(['half_open', 3])
    well = true
    await clock.advance(10_000)
    expect([at.state(), a.calls.length, clock.pending]).toEqual(['ramp', 3, 0])
    expect((await at.idle(at.gateway.chat(ASK))).deployment).toBe('a')
    await at.nothingLeft()
  })

  it('arm no timer while every circuit is closed, and leave none after close()', async () => {
    let asked = 0
    const a = deployment('a', attempt => (attempt === 1 ? 'a' : DOWN), { probe: () => (asked++, false) })
    const at = scene(a, [a], { probes: true })
    await at.idle(at.gateway.chat(ASK))
    expect(at.clock.pending).toBe(0)
    await at.clock.advance(600_000)
    expect(asked).toBe(0)
    const down = thrown(() => at.gateway.chat(ASK))
    await at.clock.advance(5_000)
    await down
    expect([at.state(), at.clock.pending]).toEqual(['open', 1])
    await at.gateway.close()
    expect(at.clock.pending).toBe(0)
    await at.clock.advance(600_000)
    expect(asked).toBe(0)
    await at.nothingLeft()
  })

  it('that hang are ended by their timeout, and by close()', async () => {
    const a = deployment('a', DOWN, { probe: () => new Promise(() => undefined) })
    const at = scene(a, [a], { probes: { intervalMs: 5_000, timeoutMs: 1_000 } })
    const down = thrown(() => at.gateway.chat(ASK))
    await at.clock.advance(3_000)
    await down
    await at.clock.advance(60_000)
    expect(at.state()).toBe('half_open')
    await at.gateway.close()
    expect(at.clock.pending).toBe(0)
  })

  it('are not made for an isolated deployment', async () => {
    let asked = 0
    const a = deployment('a', 'a', { probe: () => (asked++, true) })
    const at = scene(a, [a], { probes: true })
    await at.gateway.isolate('a')
    await at.clock.advance(600_000)
    expect([asked, at.state()]).toEqual([0, 'isolated'])
    await at.nothingLeft()
  })

  it.each([
    ['openai' as const, 'authorization', `Bearer ${KEY}`, '/v1/models'],
    ['anthropic' as const, 'x-api-key', KEY, '/v1/models?limit=1'],
  ])('ask a server of %s for its models, with its key, and nothing else', async (dialect, header, credential, path) => {
    let well = false
    const probes: unknown[] = []
    const server = await rawServer((res, _body, req) => {
      if (req.method === 'GET') probes.push([req.url, req.headers[header]])
      res.writeHead(well ? 200 : 503, { 'content-type': 'application/json' })
      res.end(well ? '{"data":[]}' : '{"error":{"message":"down","type":"overloaded_error"}}')
    })
    const make = dialect === 'openai' ? openai : anthropic
    const target = make('m-1', { apiKey: KEY, baseUrl: server.baseUrl, id: 'a' })
    const at = scene(target, [], { probes: true, breaker: { failures: 1 }, retry: { attempts: 1 } })
    await thrown(() => at.gateway.chat(ASK))
    const posts = server.requests
    // An interval is at most 18 s: the answer of a real socket takes no virtual time.
    await at.clock.advance(18_000)
    await until(() => probes.length === 1 && server.openRequests === 0 && at.clock.pending === 1)
    expect(at.state()).toBe('half_open')
    well = true
    await at.clock.advance(18_000)
    await until(() => at.state() === 'ramp')
    expect(probes).toEqual([[path, credential], [path, credential]])
    expect([server.requests - posts, at.clock.pending]).toEqual([2, 0])
    await expectNothingLeft({ gateway: at.gateway, clock: at.clock, providers: [server] })
  })
})
