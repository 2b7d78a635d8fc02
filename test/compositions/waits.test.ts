import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway, openai } from '../../src/index.js'
import type { Deployment, Group } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type ScriptedDeployment } from '../../src/testing/index.js'
import { expectNothingLeft } from './left-behind.js'
import { ASK, failure, pair, PRICE, staged, starts, TEXT, until } from './support.js'

const COMPLETION = { id: 'c1', object: 'chat.completion', model: 'm-1', choices: [{ index: 0, message: { role: 'assistant', content: 'well' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1 } }

/** A deployment over a `fetch` that refuses its first request with these headers; times count from the first request. */
async function refusedOnce(headers: Record<string, string>, options: { status?: number; totalMs?: number } = {}): Promise<{ times: number[]; backup: number }> {
  const clock = virtualClock(Date.UTC(2026, 0, 1))
  const times: number[] = []
  const fetch = (): Promise<Response> => {
    times.push(clock.now())
    const first = times.length === 1
    const body = JSON.stringify(first ? { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } } : COMPLETION)
    return Promise.resolve(new Response(body, { status: first ? (options.status ?? 429) : 200, headers: { 'content-type': 'application/json', ...(first ? headers : {}) } }))
  }
  const backup = scripted({ id: 'backup', answers: TEXT })
  const gateway = new Gateway({ clock, fetch, random: () => 0, routes: { smart: fallback(openai('gpt-4.1', { apiKey: 'k' }), backup) } })
  const chat = gateway.chat({ model: 'smart', messages: ASK }, { deadlines: { totalMs: options.totalMs ?? 600_000 } })
  chat.catch(() => undefined)
  // An adapter is loaded with its first call, and that takes real time.
  await until(() => times.length > 0)
  await clock.runUntilIdle()
  await chat
  await expectNothingLeft({ gateway, clock, deployments: [backup] })
  return { times: times.map(at => at - (times[0] ?? 0)), backup: backup.calls.length }
}

describe('a wait that an upstream asks for', () => {
  const date = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toUTCString()
  it.each([
    ['seconds', { 'retry-after': '2' }, 2_000],
    ['a fraction of a second', { 'retry-after': '0.25' }, 250],
    ['an HTTP date', { 'retry-after': date(4) }, 4_000],
    ['an HTTP date that is past', { 'retry-after': date(-60) }, 0],
    ['milliseconds', { 'retry-after-ms': '350' }, 350],
    ['milliseconds, which beat seconds', { 'retry-after-ms': '350', 'retry-after': '9' }, 350],
    ['zero', { 'retry-after': '0' }, 0],
    ['a negative number', { 'retry-after': '-5' }, 0],
    ['a word', { 'retry-after': 'soon' }, 0],
    ['nothing', {}, 0],
    ['the reset of a rate limit', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1.5s' }, 1_500],
    ['exactly the cap', { 'retry-after': '10' }, 10_000],
  ] as const)('is read from %s and kept', async (_form, headers, waitMs) => {
    expect(await refusedOnce(headers)).toEqual({ times: [0, waitMs], backup: 0 })
  })

  it.each([['an hour', '3600'], ['a date a day off', date(86_400)], ['more than the cap by a little', '10.1'], ['more seconds than a number holds', '9'.repeat(40)]])(
    'of %s means the next candidate, now',
    async (_form, header) => {
      expect(await refusedOnce({ 'retry-after': header })).toEqual({ times: [0], backup: 1 })
    },
  )

  it('beyond the deadline of the call means the next candidate, now', async () => {
    expect(await refusedOnce({ 'retry-after': '5' }, { totalMs: 4_000 })).toEqual({ times: [0], backup: 1 })
  })

  it('is heeded on a 503 as on a 429', async () => {
    expect(await refusedOnce({ 'retry-after': '3' }, { status: 503 })).toEqual({ times: [0, 3_000], backup: 0 })
  })
})

describe('a thousand clients', () => {
  it.each([['told two seconds', 2_000], ['told nothing', 0]])('that fail at once and are %s do not come back in the same 100 ms', async (_told, retryAfterMs) => {
    const scene = pair((attempt: number) => (attempt <= 1_000 ? { fail: { status: 429, ...(retryAfterMs > 0 && { retryAfterMs }) } } : 'well'))
    const calls = Array.from({ length: 1_000 }, () => scene.gateway.chat({ model: 'json', messages: ASK }))
    await scene.clock.runUntilIdle()
    expect((await Promise.all(calls)).every(result => result.deployment === 'primary')).toBe(true)
    const back = starts(scene.primary).slice(1_000)
    expect(back).toHaveLength(1_000)
    expect(Math.min(...back)).toBeGreaterThanOrEqual(retryAfterMs)
    const buckets = new Map<number, number>()
    for (const at of back) buckets.set(Math.floor(at / 100), (buckets.get(Math.floor(at / 100)) ?? 0) + 1)
    expect(Math.max(...buckets.values())).toBeLessThanOrEqual(300)
    await scene.nothingLeft()
  })
})

describe('the budget of tries', () => {
  const dead = (id: string): ScriptedDeployment => scripted({ id, answers: { fail: { status: 503 } } })
  const tries = (deployments: readonly ScriptedDeployment[]): readonly number[] => deployments.map(({ calls }) => calls.length)

  it('is one over nested routes: two retries on three dead targets give six tries, one kept for each', async () => {
    const [a, b, c] = [dead('a'), dead('b'), dead('c')]
    const scene = staged([a, b, c], {}, fallback(fallback(a, b), fallback(c)))
    const { error } = await scene.go('chat on JSON')
    expect(tries([a, b, c])).toEqual([3, 2, 1])
    expect([error?.code, error?.attempts?.length]).toEqual(['overloaded', 6])
    await scene.nothingLeft()
  })

  it('is kept by every shape of tree and every setting', async () => {
    const leaf = fc.constant(0)
    const tree = fc.letrec<{ node: unknown }>(tie => ({ node: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('node'), { minLength: 1, maxLength: 3 })) })).node
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }), async (shape, attempts, maxAttempts) => {
        const leaves: ScriptedDeployment[] = []
        const grow = (node: unknown): Deployment | Group => {
          if (Array.isArray(node)) return fallback(...node.map(grow))
          leaves.push(dead(`d${leaves.length}`))
          return leaves.at(-1) as ScriptedDeployment
        }
        const target = grow(shape)
        // A circuit that opens would end the tries of a dead deployment before the budget does.
        const scene = staged(leaves, { breaker: false, retry: { attempts, maxAttempts } }, target)
        await scene.go('chat on JSON')
        const made = tries(leaves)
        expect(made.reduce((sum, one) => sum + one, 0)).toBe(Math.min(maxAttempts, attempts * leaves.length))
        expect(Math.max(...made)).toBeLessThanOrEqual(attempts)
        expect(made.filter(one => one > 0)).toHaveLength(Math.min(leaves.length, made.reduce((sum, one) => sum + one, 0)))
        await scene.nothingLeft()
      }),
      { numRuns: 60, seed: 3 },
    )
  })

  it('holds where every fault is of another kind, and names each of them', async () => {
    const kinds = [{ status: 503 }, 'reset', 'html', { status: 404 }] as const
    const deployments = kinds.map((fail, at) => scripted({ id: `d${at}`, answers: { fail } }))
    const scene = staged(deployments)
    const { error } = await scene.go('chat on a stream')
    expect(error?.code).toBe('attempts_failed')
    expect(new Set(error?.attempts?.map(({ code }) => code))).toEqual(new Set(['overloaded', 'network', 'malformed_response', 'model_not_found']))
    expect(tries(deployments).reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(6)
    await scene.nothingLeft()
  })

  it('is not shared by calls: eight at once with the first model down are eight answers', async () => {
    const scene = pair({ fail: { status: 503 } })
    const calls = Array.from({ length: 8 }, (_, at) => scene.gateway.chat({ model: at % 2 === 0 ? 'json' : 'stream', messages: ASK }))
    await scene.clock.runUntilIdle()
    expect((await Promise.all(calls)).map(({ text, deployment }) => [text, deployment])).toEqual(Array.from({ length: 8 }, () => [TEXT, 'backup']))
    // Eight failures open the circuit, so nobody tries the dead one again.
    expect(tries([scene.primary, scene.backup])).toEqual([8, 8])
    await scene.nothingLeft()
  })
})

describe('an answer that does not fit its schema', () => {
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => (typeof (value as { n?: unknown })?.n === 'number' ? { value } : { issues: [{ message: 'must be a number', path: ['n'] }] }) } } as const
  const output = { schema, jsonSchema: { type: 'object' } }
  const ask = async (scene: ReturnType<typeof pair>) => {
    const chat = scene.gateway.chat({ model: 'json', messages: ASK, output })
    chat.catch(() => undefined)
    await scene.clock.runUntilIdle()
    return chat
  }

  it('is repaired once, by saying what was wrong, and both tries are paid', async () => {
    const scene = pair(['{"n":"one"}', '{"n":1}'])
    const result = await ask(scene)
    expect([result.output, result.deployment]).toEqual([{ n: 1 }, 'primary'])
    const [, repair] = scene.primary.calls
    expect(repair?.request.messages.slice(1)).toMatchObject([{ role: 'assistant', content: '{"n":"one"}' }, { role: 'user', content: expect.stringContaining('n: must be a number') as string }])
    expect(result.attempts.map(({ outcome, code, costNanos }) => [outcome, code, (costNanos ?? 0) > 0])).toEqual([['failure', 'output_invalid', true], ['success', undefined, true]])
    expect(result.cost.nanos).toBe(result.attempts.reduce((sum, attempt) => sum + (attempt.costNanos ?? 0), 0))
    await scene.nothingLeft()
  })

  it('goes to the next candidate after one repair, with the request as it was', async () => {
    const scene = pair('no JSON at all', { backup: '{"n":2}' })
    expect((await ask(scene)).output).toEqual({ n: 2 })
    expect([scene.primary.calls.length, scene.backup.calls.length]).toEqual([2, 1])
    expect(scene.backup.calls[0]?.request.messages).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('is a typed error with the answer in it where nobody fits', async () => {
    const scene = pair('{"n":"x"}', { backup: '{"n":"y"}', options: { retry: { maxAttempts: 4 } }, other: { price: PRICE } })
    const error = await failure(ask(scene))
    expect([error.code, error.partial?.text]).toEqual(['output_invalid', '{"n":"y"}'])
    expect(scene.primary.calls.length + scene.backup.calls.length).toBeLessThanOrEqual(4)
    await scene.nothingLeft()
  })
})

describe('two gateways', () => {
  it('do not share what they learned of a key', async () => {
    const refuse = (): Promise<Response> => Promise.resolve(new Response('{"error":{"message":"no","code":"invalid_api_key"}}', { status: 401, headers: { 'content-type': 'application/json' } }))
    const deployment = openai('gpt-4.1', { apiKey: 'k', id: 'shared' })
    const make = () => new Gateway({ clock: virtualClock(), fetch: refuse, random: seededRandom(1), routes: { smart: deployment } })
    const [one, two] = [make(), make()]
    expect((await failure(one.chat({ model: 'smart', messages: ASK }))).code).toBe('credential_rejected')
    expect([one.health().deployments[0]?.state, two.health().deployments[0]?.state]).toEqual(['cooling', 'ready'])
    await expectNothingLeft({ gateway: one })
    await expectNothingLeft({ gateway: two })
  })
})
