import { afterEach, expect, it } from 'vitest'
import { startProvider, type Fault, type LoopbackProvider, type ProviderOptions } from '../../../scripts/loopback/index.js'
import { anthropic, fallback, Gateway, openai, type ChatEvent, type Deployment, type Group } from '../../../src/index.js'
import { fromAiSdk } from '../../../src/providers/ai-sdk/index.js'
import { scripted } from '../../../src/testing/index.js'
import { describePackages, FAMILIES, real, type Family } from './packages.js'
import { failure, VERSIONS } from './support.js'

const TEXT = Array.from({ length: 40 }, (_, at) => `${at === 0 ? '' : ' '}w${at + 1}`).join('')
const ALL = VERSIONS.flatMap(version => FAMILIES.map(family => [family, version] as const))
const PRICE = { input: 2, output: 10 }
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function server(family: Family, plan?: ProviderOptions['plan']): Promise<LoopbackProvider> {
  const started = await startProvider({ dialect: family === 'anthropic' ? 'anthropic' : 'openai', words: TEXT, paceMs: 0, ...(plan !== undefined && { plan }) })
  ends.push(() => started.stop())
  return started
}

function gatewayOf(route: Deployment | Group): Gateway<{ smart: Deployment | Group }> {
  const made = new Gateway({ routes: { smart: route }, retry: { attempts: 1 } })
  ends.push(() => made.close())
  return made
}

async function scene(family: Family, version: string, fault?: Fault, extra?: Deployment): Promise<{ provider: LoopbackProvider; gateway: ReturnType<typeof gatewayOf> }> {
  const provider = await server(family, () => fault)
  const first = fromAiSdk(real(family, version, provider.baseUrl), { id: 'sdk', price: PRICE })
  return { provider, gateway: gatewayOf(extra === undefined ? first : fallback(first, extra)) }
}

const ask = { model: 'smart', messages: 'Say the words.', maxOutputTokens: 100 } as const

async function read(stream: AsyncIterable<ChatEvent>): Promise<string> {
  let text = ''
  for await (const event of stream) {
    if (event.type === 'restart') text = ''
    else if (event.type === 'text-delta') text += event.text
  }
  return text
}

describePackages('a model of a real package', () => {
  it.each(ALL)('answers on both wires, with usage, cost and limits (%s %s)', async (family, version) => {
    const { gateway, provider } = await scene(family, version)
    const whole = await gateway.chat(ask)
    const stream = await gateway.stream(ask)
    expect(await read(stream)).toBe(TEXT)
    for (const result of [whole, await stream.result()]) {
      expect(result).toMatchObject({ text: TEXT, finishReason: 'stop', deployment: 'sdk', warnings: [] })
      expect(result.usage).toMatchObject({ outputTokens: 40 })
      expect(result.usage.inputTokens).toBeGreaterThan(0)
      expect(result.cost.usd).toBeCloseTo(((result.usage.inputTokens ?? 0) * 2 + 400) / 1e6, 9)
      expect(result.response.id).toMatch(/^(msg_|chatcmpl-)/)
    }
    expect(provider.requests.map(({ body }) => (body as { stream?: boolean }).stream === true)).toEqual([false, true])
    expect(provider.openRequests).toBe(0)
  })

  const FAULTS: readonly (readonly [Fault, code: string])[] = [
    [{ status: 429, retryAfter: '7' }, 'rate_limited'],
    [{ status: 401 }, 'credential_rejected'],
    [{ status: 503 }, 'upstream_error'],
    [{ status: 529 }, 'overloaded'],
    ['contextLength', 'context_length'],
    ['contentFilter', 'content_filter'],
    ['reset', 'network'],
    ['html200', 'malformed_response'],
    [{ status: 404 }, 'model_not_found'],
  ]
  it.each(ALL.flatMap(([family, version]) => FAULTS.map(([fault, code]) => [family, version, fault, code] as const)))('%s %s: %j is %s on both wires', async (family, version, fault, code) => {
    const { gateway } = await scene(family, version, fault)
    for (const work of [() => gateway.chat(ask), async () => (await gateway.stream(ask)).result()]) {
      const error = await failure(work)
      expect(error.attempts?.map(attempt => attempt.code)).toEqual([code])
      if (code === 'rate_limited') expect(error.retryAfterMs).toBe(7_000)
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/not-a-key|Say the words/)
    }
  })

  it.each(ALL)('%s %s: a server that is not there is a fault of the network', async (family, version) => {
    const { gateway, provider } = await scene(family, version)
    await provider.stop()
    expect((await failure(() => gateway.chat(ask))).attempts).toMatchObject([{ code: 'network' }])
  })

  const CUTS: readonly Fault[] = [{ cutAfter: 10 }, { truncateAfter: 10 }, 'errorEvent', 'errorAfter:10', { garbageAfter: 10 }]
  it.each(ALL.flatMap(([family, version]) => CUTS.map(fault => [family, version, fault] as const)))('%s %s: a stream broken by %j is rescued, and never taken for whole', async (family, version, fault) => {
    const { gateway } = await scene(family, version, fault, scripted({ id: 'sturdy', capabilities: { prefill: true }, answers: { text: TEXT } }))
    for (const recover of ['restart', 'continue'] as const) {
      const stream = await gateway.stream(ask, { recover })
      expect(await read(stream)).toBe(TEXT)
      expect(await stream.result()).toMatchObject({ text: TEXT, deployment: 'sturdy' })
    }
  })

  it.each(ALL)('%s %s: who stops reading closes the connection', async (family, version) => {
    const { gateway, provider } = await scene(family, version, { stallAfter: 5 })
    for await (const event of await gateway.stream(ask)) if (event.type === 'text-delta') break
    await expect.poll(() => provider.closedByClient).toBe(1)
    const leave = new AbortController()
    const stream = await gateway.stream(ask, { signal: leave.signal })
    leave.abort()
    expect((await failure(() => stream.result())).code).toBe('aborted')
    await expect.poll(() => provider.closedByClient).toBe(2)
    expect(gateway.health().calls).toBe(0)
  })

  it.each(ALL)('%s %s: stands before and behind a deployment of our own in a fallback', async (family, version) => {
    const down = await server(family, () => ({ status: 503 }))
    const well = await server(family)
    const native = (baseUrl: string) => (family === 'anthropic' ? anthropic('claude-sonnet-4-5', { apiKey: 'k', baseUrl, id: 'native' }) : openai('gpt-4o', { apiKey: 'k', baseUrl, id: 'native' }))
    const sdk = (baseUrl: string) => fromAiSdk(real(family, version, baseUrl), { id: 'sdk' })
    for (const [first, second, answered] of [
      [sdk(down.baseUrl), native(well.baseUrl), 'native'],
      [native(down.baseUrl), sdk(well.baseUrl), 'sdk'],
    ] as const) {
      const gateway = gatewayOf(fallback(first, second))
      expect(await gateway.chat(ask)).toMatchObject({ text: TEXT, deployment: answered })
      expect(await read(await gateway.stream(ask))).toBe(TEXT)
    }
  })
})
