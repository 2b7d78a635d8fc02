import { describe, expect, it, test } from 'vitest'
import { openrouter } from '../../../src/index.js'
import type { Adapter, Deployment } from '../../../src/protocol/ports.js'
import type { Message } from '../../../src/protocol/request.js'
import type { OpenRouterOptions } from '../../../src/providers/openrouter/index.js'
import { adapterConformance, type AdapterFixture } from '../../../src/testing/conformance/index.js'
import { ASK, Bench, caught, checkLine, framesOf, recorded } from '../support.js'

const MODEL = 'anthropic/claude-sonnet-5'

/** The adapter as the gateway would load it. */
async function loaded({ reach, provider, model, capabilities, headers }: Deployment): Promise<Bench> {
  if (!('adapter' in reach)) throw new Error('It is reached by an upstream of its own.')
  const adapter: Adapter = typeof reach.adapter === 'function' ? await reach.adapter() : reach.adapter
  return new Bench(adapter, { provider, model, baseUrl: reach.baseUrl, capabilities, ...(headers !== undefined && { headers }) })
}
const bench = (options?: OpenRouterOptions) => loaded(openrouter(MODEL, options))

const user: Message = { role: 'user', content: 'Hello' }
const chunk = (delta: unknown, choice: object = {}, more: object = {}) => ({ id: 'gen-1', provider: 'Anthropic', model: MODEL, choices: [{ index: 0, delta, finish_reason: null, native_finish_reason: null, ...choice }], ...more })
const END = { finish_reason: 'stop', native_finish_reason: 'end_turn' }
const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120, cost: 0.0012, is_byok: false, prompt_tokens_details: { cached_tokens: 60 }, completion_tokens_details: { reasoning_tokens: 5 } }
const details = [{ type: 'reasoning.text', text: 'Hm.', signature: 'sig', index: 0, format: 'anthropic-claude-v1' }]
const DONE = { data: '[DONE]' }

const fixtures: AdapterFixture[] = [
  {
    name: 'reasoning details, text, cost',
    request: ASK,
    json: { id: 'gen-1', provider: 'Anthropic', model: MODEL, choices: [{ index: 0, message: { role: 'assistant', content: 'Four.', reasoning: 'Hm.', reasoning_details: details }, ...END }], usage },
    frames: framesOf(
      chunk({ role: 'assistant', content: '', reasoning: 'Hm.', reasoning_details: [{ ...details[0], signature: undefined }] }),
      chunk({ content: '', reasoning: null, reasoning_details: [{ type: 'reasoning.text', signature: 'sig', index: 0 }] }),
      chunk({ content: 'Four.' }),
      chunk({ content: '' }, END),
      chunk({ content: '', role: 'assistant' }, END, { usage }),
    ),
    expect: { text: 'Four.', reasoning: 'Hm.', finishReason: 'stop', usage: { inputTokens: 100, outputTokens: 20, cachedInputTokens: 60, reasoningTokens: 5, reportedCostUsd: 0.0012 } },
  },
]
const conforming = await bench()

describe('the adapter', () => {
  for (const check of adapterConformance(conforming.adapter, fixtures)) test(check.name, () => check.run())
})

describe('recorded answers come out as a correct client reads them', () => {
  it.for(recorded('openai-chat.jsonl').filter(([, { vendor }]) => vendor === 'openrouter'))('%s', ([, line]) => {
    const got = checkLine(conforming, line)
    expect(got.finish?.usage.reportedCostUsd).toBeGreaterThan(0)
    expect(got.providerMetadata['openai']).toMatchObject({ provider: expect.any(String), native_finish_reason: expect.any(String) })
  })
})

describe('a request', () => {
  it('says who may serve, in the words of OpenRouter, and who asks', async () => {
    const provider = { order: ['anthropic', 'google-vertex'], allow_fallbacks: false, require_parameters: true, data_collection: 'deny', zdr: true, sort: 'price', max_price: { prompt: 1, completion: 2 }, quantizations: ['fp8'], only: ['anthropic'], ignore: ['azure'], preferred_min_throughput: 50, preferred_max_latency: 2 } as const
    const { call, body } = (await bench({ models: ['openai/gpt-5.6'], provider, referer: 'https://app.example', title: 'My app' })).encode()
    expect(body).toEqual({ model: MODEL, messages: [user], models: ['openai/gpt-5.6'], provider })
    expect(call).toMatchObject({ url: 'https://openrouter.ai/api/v1/chat/completions', headers: { 'http-referer': 'https://app.example', 'x-title': 'My app' } })
  })
  it('asks for nothing where nothing was said', async () => {
    expect((await bench()).encode().body).toEqual({ model: MODEL, messages: [user] })
  })
  it('lets the call have the last word about the routing', async () => {
    const { body } = (await bench({ provider: { sort: 'price' } })).encode({ providerOptions: { openrouter: { provider: { sort: 'latency' } } } })
    expect(body['provider']).toEqual({ sort: 'latency' })
  })
  it('keeps the routing it was made with, whatever becomes of the object', async () => {
    const order = ['anthropic']
    const made = openrouter(MODEL, { provider: { order } })
    order.push('azure')
    expect((await loaded(made)).encode().body['provider']).toEqual({ order: ['anthropic'] })
  })
  it('sends reasoning back as it came, to the model that wrote it', async () => {
    const content = [{ type: 'reasoning', text: 'Hm.', providerData: { openai: { reasoning_details: details } } }, { type: 'text', text: 'Four.' }] as const
    const turn = async (model: string) => ((await bench()).encode({ messages: [user, { role: 'assistant', content, origin: { provider: 'openrouter', model, deployment: 'd' } }, user] }).body['messages'] as unknown[])[1]
    expect(await turn(MODEL)).toEqual({ role: 'assistant', content: 'Four.', reasoning_details: details })
    expect(await turn('openai/gpt-5.6')).toEqual({ role: 'assistant', content: 'Four.' })
  })
})

describe('an error inside a good answer', () => {
  const broken = (error: object) => framesOf(chunk({ content: 'Fo' }), chunk({ content: '' }, { finish_reason: 'error' }, { error }))
  it.each<[string, object, string, number]>([
    ['a limit of the provider', { code: 429, message: 'Provider returned error', metadata: { provider_name: 'X', raw: 'slow down' } }, 'rate_limited', 429],
    ['no credit', { code: 402, message: 'Insufficient credits' }, 'quota_exhausted', 402],
    ['a provider that is down', { code: 502, message: 'Provider disconnected' }, 'upstream_error', 502],
    ['a flagged prompt', { code: 403, message: 'flagged', metadata: { reasons: ['x'], flagged_input: 'y' } }, 'content_filter', 403],
    ['an overflow told by the provider', { code: 400, message: 'Provider returned error', metadata: { raw: 'prompt is too long: 9 tokens' } }, 'context_length', 400],
  ])('is %s, in a chunk that has choices too', (_, error, code, status) => {
    expect(caught(() => conforming.stream(broken(error)))).toMatchObject({ code, status })
    expect(caught(() => conforming.json({ error, user_id: 'u' }))).toMatchObject({ code, status })
  })
  it('is one by its finish reason alone', () => {
    expect(caught(() => conforming.stream(framesOf(chunk({ content: '' }, { finish_reason: 'error', native_finish_reason: 'error' })))).code).toBe('upstream_error')
  })
})

describe('what OpenRouter adds', () => {
  it('is read with a finish reason that is said twice, or not at all', () => {
    expect(conforming.stream([...framesOf(chunk({ content: 'a' }), chunk({ content: '' }, END), chunk({ content: '' }, END, { usage })), DONE])).toMatchObject({ text: 'a', finish: { finishReason: 'stop', rawFinishReason: 'stop', usage: { reportedCostUsd: 0.0012 } } })
    expect(conforming.stream([...framesOf(chunk({ content: 'a' }), chunk({ content: '' }, {}, { usage })), DONE]).finish).toMatchObject({ finishReason: 'stop', rawFinishReason: null })
  })
  it('adds the provider’s own price where the key is the caller’s', () => {
    const byok = { ...usage, cost: 0.01, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } }
    expect(conforming.stream([...framesOf(chunk({ content: 'a' }, END, { usage: byok })), DONE]).finish?.usage.reportedCostUsd).toBeCloseTo(0.21)
  })
})

describe('a deployment', () => {
  it('knows its server and its key', () => {
    expect(openrouter(MODEL)).toMatchObject({ id: `openrouter/${MODEL}`, provider: 'openrouter', reach: { baseUrl: 'https://openrouter.ai/api/v1', env: ['OPENROUTER_API_KEY'], home: true } })
    expect(openrouter(MODEL).headers).toBeUndefined()
  })
  it.each<[string, unknown]>([
    ['options that are none', null],
    ['an option nobody knows', { route: 'fallback' }],
    ['no models in the list', { models: [] }],
    ['a model that is no text', { models: [7] }],
    ['a title that no header takes', { title: 'Zürich\n' }],
    ['a referer that is no text', { referer: 7 }],
    ['a routing that is no object', { provider: 'anthropic' }],
    ['a routing nobody knows', { provider: { allowFallbacks: true } }],
    ['an order that is no list', { provider: { order: 'anthropic' } }],
    ['a yes that is no yes', { provider: { allow_fallbacks: 'yes' } }],
    ['a policy nobody knows', { provider: { data_collection: 'maybe' } }],
    ['a sort nobody knows', { provider: { sort: 'fast' } }],
    ['a price below 0', { provider: { max_price: { prompt: -1 } } }],
    ['a price of something else', { provider: { max_price: { words: 1 } } }],
    ['a throughput that is no number', { provider: { preferred_min_throughput: Infinity } }],
  ])('refuses %s', (_, options) => {
    expect(caught(() => openrouter(MODEL, options as OpenRouterOptions)).code).toBe('invalid_config')
  })
})
