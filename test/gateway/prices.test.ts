import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { anthropic, compatible, fallback, Gateway, openai, type Deployment, type GatewayOptions, type Price } from '../../src/index.js'
import { PriceTable } from '../../src/providers/prices/lookup.js'
import { scripted, virtualClock } from '../../src/testing/index.js'
import { provider, until } from '../compositions/support.js'
import { ask } from './cache-scene.js'
import { all, fakeFetch, thrown, witness } from './support.js'

const MODEL = 'gpt-4.1'
const OTHER_HOST = 'https://proxy.example/v1'
/** What {@link fakeFetch} answers with: 3 tokens in, 2 out. */
const nanosAt = ({ input, output }: Price): number => Math.round(3 * input * 1_000 + 2 * output * 1_000)
const listed = (name: string, model: string): Price => {
  const found = new PriceTable().priceOf(name, model)?.price
  if (found === undefined) throw new Error(`${name}/${model} is not in the table: take another model for this test`)
  return found
}

beforeEach(() => {
  for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GROQ_API_KEY']) vi.stubEnv(name, 'a-key')
})
afterEach(() => void vi.unstubAllEnvs())

async function costOf(target: Deployment, options: Omit<GatewayOptions, 'routes'> = {}) {
  const gateway = new Gateway({ routes: { smart: target }, fetch: fakeFetch().fetch, ...options })
  const { cost } = await gateway.chat(ask())
  await gateway.close()
  return cost
}

describe('the price of a deployment', () => {
  it('is that of the table, where it says none', async () => {
    expect(await costOf(openai(MODEL))).toMatchObject({ nanos: nanosAt(listed('openai', MODEL)), source: 'priced', estimated: false })
    expect(await costOf(openai(MODEL, { apiKey: 'k', id: 'mine' }))).toMatchObject({ nanos: nanosAt(listed('openai', MODEL)) })
    expect(await costOf(compatible('groq', 'openai/gpt-oss-120b'))).toMatchObject({ nanos: nanosAt(listed('groq', 'openai/gpt-oss-120b')) })
  })

  it('a dated name has the price of the name', async () => {
    expect(await costOf(openai('gpt-4.1-2025-04-14'))).toMatchObject({ nanos: nanosAt(listed('openai', MODEL)) })
  })

  it('of the option "prices" wins over the table: the exact name, else the closest glob', async () => {
    const prices = { 'openai/*': { input: 1, output: 1 }, 'openai/gpt-4*': { input: 2, output: 2 }, 'openai/gpt-4.1': { input: 3, output: 3 }, '*/x': { input: 4, output: 4 } }
    const paid = await Promise.all([openai('gpt-4.1'), openai('gpt-4.1-mini'), openai('o3'), compatible({ name: 'mine', baseUrl: OTHER_HOST }, 'x', { apiKey: 'k' })].map(target => costOf(target, { prices })))
    expect(paid.map(({ nanos }) => nanos)).toEqual([15_000, 10_000, 5_000, 20_000])
  })

  it('of its own wins over both', async () => {
    expect(await costOf(openai(MODEL, { price: { input: 7, output: 7 } }), { prices: { 'openai/*': { input: 1, output: 1 } } })).toMatchObject({ nanos: 35_000 })
  })

  it('at another host is not that of the table, but may be given', async () => {
    const elsewhere = () => openai(MODEL, { apiKey: 'k', baseUrl: OTHER_HOST })
    expect(await costOf(elsewhere())).toMatchObject({ usd: null, nanos: null, source: 'unknown' })
    expect(await costOf(elsewhere(), { prices: { 'openai/gpt-4.1': { input: 1, output: 1 } } })).toMatchObject({ nanos: 5_000 })
  })

  it('that nobody knows is unknown and never nothing; in the record, too', async () => {
    const seen = witness()
    expect(await costOf(openai('a-model-of-tomorrow'), { plugins: [seen] })).toMatchObject({ usd: null, nanos: null, source: 'unknown', parts: {} })
    expect(seen.records[0]).toMatchObject({ costNanos: null })
    expect(seen.records[0]?.attempts[0]).not.toHaveProperty('costNanos')
  })

  it('of 0 is a price', async () => {
    expect(await costOf(openai(MODEL, { price: { input: 0, output: 0 } }))).toMatchObject({ usd: 0, nanos: 0, source: 'priced' })
    expect(await costOf(openai(MODEL), { prices: { 'openai/*': { input: 0, output: 0 } } })).toMatchObject({ usd: 0, source: 'priced' })
  })

  it('that the provider reports wins over every other', async () => {
    const cost = await costOf(scripted({ answers: { text: 'Hi', usage: { inputTokens: 1, outputTokens: 1, reportedCostUsd: 0.00125 } }, price: { input: 1, output: 1 } }))
    expect(cost).toMatchObject({ usd: 0.00125, nanos: 1_250_000, source: 'reported', parts: { reported: 1_250_000 } })
  })

  it.each([
    ['the first calls come at once', async (gateway: Gateway) => void (await Promise.all([1, 2, 3].map(() => gateway.chat({ model: 'listed', messages: 'Hi' }))))],
    ['health() was asked before it was read', async (gateway: Gateway) => void (await gateway.chat({ model: 'own', messages: 'Hi' }), gateway.health())],
    ['it was isolated before its first call', async (gateway: Gateway) => void (await gateway.isolate('openai/gpt-4.1'), await gateway.restore('openai/gpt-4.1'))],
  ])('of the table is found where %s', async (_, before) => {
    const seen = witness()
    const gateway = new Gateway({ routes: { listed: openai(MODEL), own: scripted({ answers: 'x', price: { input: 1, output: 1 } }) }, fetch: fakeFetch().fetch, plugins: [seen] })
    await before(gateway as unknown as Gateway)
    await gateway.chat({ model: 'listed', messages: 'Hi' })
    const nanos = nanosAt(listed('openai', MODEL))
    expect(seen.records.filter(({ model }) => model === 'listed').every(({ costNanos }) => costNanos === nanos)).toBe(true)
    await gateway.close()
  })
})

describe('a bad price is refused at construction', () => {
  it.each<[string, unknown, RegExp]>([
    ['a name without a provider', { 'gpt-4.1': { input: 1, output: 1 } }, /must be named "provider\/model"/],
    ['a price without its output', { 'openai/gpt-4.1': { input: 1 } }, /output/],
    ['an amount below 0', { 'openai/gpt-4.1': { input: -1, output: 1 } }, /input/],
    ['an unknown kind', { 'openai/gpt-4.1': { input: 1, output: 1, cachedInputs: 1 } }, /Did you mean "cachedInput"/],
    ['a number', 5, /prices/],
  ])('%s', async (_, prices, says) => {
    const error = await thrown(() => new Gateway({ routes: { smart: scripted('x') }, prices: prices as never }))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringMatching(says)])
  })
})

describe('what is paid', () => {
  const price = { input: 1, output: 2 }

  it('failed tries cost nothing', async () => {
    const [first, second] = [scripted({ id: 'first', answers: [{ fail: { status: 503 } }, { fail: 'reset' }, { fail: 'html' }], price }), scripted({ id: 'second', answers: { text: 'Hi', usage: { inputTokens: 3, outputTokens: 2 } }, price })]
    const clock = virtualClock()
    const gateway = new Gateway({ routes: { smart: fallback(first, second) }, clock, retry: { attempts: 3 } })
    const asking = gateway.chat(ask())
    await clock.runUntilIdle()
    const { cost, attempts } = await asking
    expect([cost.nanos, cost.estimated, first.calls.length]).toEqual([7_000, false, 3])
    expect(attempts.map(({ costNanos }) => costNanos)).toEqual([undefined, undefined, undefined, 7_000])
  })

  it('a try that had no price beside one that has makes the whole unknown', async () => {
    const [first, second] = [scripted({ id: 'first', answers: { text: 'a b c d', fail: 'cut' } }), scripted({ id: 'second', answers: 'Hi', price })]
    const gateway = new Gateway({ routes: { smart: { use: fallback(first, second), chatWire: 'stream' } }, clock: virtualClock(), retry: { attempts: 1 } })
    expect((await gateway.chat(ask())).cost).toMatchObject({ usd: null, source: 'unknown' })
  })

  it('a stream that was cut is billed by what arrived, and says that it is estimated', async () => {
    const text = 'four'.repeat(5)
    const seen = witness()
    const gateway = new Gateway({ routes: { smart: scripted({ answers: { chunks: [text, text, text], fail: 'cut', failAfter: 2 }, price }) }, clock: virtualClock(), plugins: [seen], retry: { attempts: 1 } })
    await thrown(async () => all(await gateway.stream(ask('Hello...'))))
    // 8 characters asked, 40 arrived: 2 tokens in, 10 out.
    expect(seen.records[0]).toMatchObject({ outcome: 'failure', costNanos: 2 * 1_000 + 10 * 2_000, attempts: [{ usage: { inputTokens: 2, outputTokens: 10 }, costNanos: 22_000 }] })
  })

  it('over a socket, too: cut by the server, or left by the reader', async () => {
    const server = await provider({ dialect: 'anthropic', paceMs: 5, plan: attempt => (attempt === 1 ? { cutAfter: 10 } : undefined) })
    const rates = listed('anthropic', 'claude-haiku-4-5')
    const seen = witness()
    const gateway = new Gateway({ routes: { smart: anthropic('claude-haiku-4-5', { apiKey: 'k', baseUrl: server.baseUrl }) }, prices: { 'anthropic/claude-haiku-4-5': rates }, plugins: [seen], retry: { attempts: 1 } })
    await thrown(async () => all(await gateway.stream(ask())))
    let read = 0
    for await (const event of await gateway.stream(ask())) if (event.type === 'text-delta' && ++read === 5) break
    await until(() => seen.records.length === 2)
    for (const { attempts, costNanos } of seen.records) {
      const usage = attempts[0]?.usage
      expect(usage?.outputTokens).toBeGreaterThan(0)
      expect(costNanos).toBe(Math.round((usage?.inputTokens ?? 0) * rates.input * 1_000 + (usage?.outputTokens ?? 0) * rates.output * 1_000))
    }
    await gateway.close()
  })

  it('an answer without usage is estimated, and says so', async () => {
    const { cost } = await new Gateway({ routes: { smart: scripted({ answers: { text: 'x'.repeat(40), usage: {} }, price }) } }).chat(ask('Hello...'))
    expect(cost).toMatchObject({ nanos: 22_000, estimated: true, source: 'priced' })
  })
})
