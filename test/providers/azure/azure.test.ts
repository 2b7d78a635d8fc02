import { describe, expect, it } from 'vitest'
import { collect } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { Adapter, Deployment } from '../../../src/protocol/ports.js'
import { Secret } from '../../../src/protocol/secret.js'
import { azure, type AzureOptions } from '../../../src/providers/azure/index.js'
import { adapterConformance } from '../../../src/testing/conformance/index.js'
import { chunk, completion, DONE, stop } from '../openai/support.js'
import { framesFor, response, text } from '../responses/support.js'

const HI = { messages: [{ role: 'user' as const, content: 'Hi' }] }

function reach(deployment: Deployment) {
  if (!('adapter' in deployment.reach)) throw new Error('No adapter.')
  return deployment.reach
}
async function adapterOf(deployment: Deployment): Promise<Adapter> {
  const { adapter } = reach(deployment)
  return typeof adapter === 'function' ? adapter() : adapter
}
async function sent(name: string, options: AzureOptions) {
  const deployment = azure(name, options)
  const adapter = await adapterOf(deployment)
  const target = { provider: 'azure', model: name, baseUrl: reach(deployment).baseUrl, capabilities: {} }
  const { call } = adapter.encode(HI, target, 'json')
  const { headers } = await adapter.authorize(call, new Secret('the-credential'))
  return { url: call.url, headers, body: JSON.parse(String(call.body)) as Record<string, unknown>, dialect: adapter.dialect, probe: adapter.probe?.(target).url }
}
function refused(name: string, options: unknown): string {
  try {
    azure(name, options as AzureOptions)
  } catch (error) {
    if (GatewayError.is(error) && error.code === 'invalid_config') return error.message
    throw error
  }
  throw new Error('Nothing was thrown.')
}

describe('where a deployment is asked', () => {
  it.each<[string, AzureOptions, string]>([
    ['the v1 API', { resource: 'res' }, 'https://res.openai.azure.com/openai/v1/chat/completions'],
    ['the v1 API, responses', { resource: 'res', api: 'responses' }, 'https://res.openai.azure.com/openai/v1/responses'],
    ['the v1 API, a preview of it', { resource: 'res', apiVersion: 'preview' }, 'https://res.openai.azure.com/openai/v1/chat/completions?api-version=preview'],
    ['classic', { resource: 'res', apiVersion: '2024-10-21' }, 'https://res.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21'],
    ['classic, responses', { resource: 'res', api: 'responses', apiVersion: '2025-03-01-preview' }, 'https://res.openai.azure.com/openai/responses?api-version=2025-03-01-preview'],
    ['Foundry', { resource: 'res', foundry: true }, 'https://res.services.ai.azure.com/openai/v1/chat/completions'],
    ['Foundry, the inference API', { resource: 'res', foundry: true, apiVersion: '2024-05-01-preview' }, 'https://res.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview'],
    ['Foundry, Claude', { resource: 'res', api: 'anthropic' }, 'https://res.services.ai.azure.com/anthropic/v1/messages'],
    ['an endpoint as the portal shows it', { baseUrl: 'https://res.openai.azure.com/' }, 'https://res.openai.azure.com/openai/v1/chat/completions'],
    ['such an endpoint, classic', { baseUrl: 'https://res.cognitiveservices.azure.com', apiVersion: '2024-10-21' }, 'https://res.cognitiveservices.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21'],
    ['a gateway in front of it', { baseUrl: 'https://apim.example/azure/openai', apiVersion: '2024-10-21' }, 'https://apim.example/azure/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21'],
    ['a whole address', { baseUrl: 'https://apim.example/llm/v1' }, 'https://apim.example/llm/v1/chat/completions'],
    ['an address with a query of its own', { baseUrl: 'https://apim.example/openai/v1?tenant=a', apiVersion: 'v1' }, 'https://apim.example/openai/v1/chat/completions?tenant=a&api-version=v1'],
  ])('%s', async (_, options, url) => {
    expect((await sent('my-gpt', options)).url).toBe(url)
  })

  it('a name with a slash and a colon stays one piece of the path', async () => {
    expect((await sent('a/b:c', { resource: 'res', apiVersion: '2024-10-21' })).url).toBe('https://res.openai.azure.com/openai/deployments/a%2Fb%3Ac/chat/completions?api-version=2024-10-21')
    expect(refused('..', { resource: 'res', apiVersion: '2024-10-21' })).toContain('name')
  })

  it('the list of models is only asked for where there is one', async () => {
    expect((await sent('x', { resource: 'res' })).probe).toBe('https://res.openai.azure.com/openai/v1/models')
    for (const options of [{ apiVersion: '2024-10-21' }, { api: 'anthropic' as const }]) expect((await sent('x', { resource: 'res', ...options })).probe).toBeUndefined()
  })
})

describe('credentials', () => {
  it('a key is an api-key, a token is a bearer, never both', async () => {
    for (const api of ['chat', 'responses'] as const) {
      expect((await sent('x', { resource: 'res', api })).headers).toMatchObject({ 'api-key': 'the-credential' })
      expect((await sent('x', { resource: 'res', api })).headers).not.toHaveProperty('authorization')
      const { headers } = await sent('x', { resource: 'res', api, token: () => 'unused' })
      expect(headers).toMatchObject({ authorization: 'Bearer the-credential' })
      expect(headers).not.toHaveProperty('api-key')
    }
    expect((await sent('x', { resource: 'res', api: 'anthropic' })).headers).toMatchObject({ 'x-api-key': 'the-credential' })
    const { headers } = await sent('x', { resource: 'res', api: 'anthropic', token: () => 'unused' })
    expect(headers).toMatchObject({ authorization: 'Bearer the-credential' })
    expect(headers).not.toHaveProperty('x-api-key')
  })

  it('a token is asked for at each try, for it expires', () => {
    const token = () => Promise.resolve('t')
    expect(reach(azure('x', { resource: 'res', token })).keys).toBe(token)
  })

  it('the key of the environment goes to hosts of Azure and to no other', () => {
    const env = ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY']
    for (const options of [{ resource: 'res' }, { resource: 'res', foundry: true }, { baseUrl: 'https://res.openai.azure.com/openai/v1' }]) expect(reach(azure('x', options))).toMatchObject({ env, home: true })
    for (const baseUrl of ['https://apim.example', 'http://res.openai.azure.com', 'https://res.openai.azure.com.example/', 'https://example/?x=.openai.azure.com/', 'https://res.openai.azure.com:444/openai/v1']) {
      expect(reach(azure('x', { baseUrl }))).not.toHaveProperty('env')
      expect(reach(azure('x', { baseUrl }))).not.toHaveProperty('home')
    }
  })
})

describe('what is wrong is said with its fix', () => {
  it.each<[string, unknown, RegExp]>([
    ['no resource', {}, /give resource .* or baseUrl/],
    ['no options', undefined, /give resource/],
    ['both', { resource: 'res', baseUrl: 'https://x.example' }, /or baseUrl/],
    ['a whole address as resource', { resource: 'https://res.openai.azure.com' }, /give resource/],
    ['a resource that leads elsewhere', { resource: 'evil.example/' }, /give resource/],
    ['key and token', { resource: 'res', apiKey: 'k', token: () => 't' }, /not both/],
    ['a token that is text', { resource: 'res', token: 'ey' }, /function/],
    ['a version that is none', { resource: 'res', apiVersion: '2024' }, /date such as/],
    ['a version that leads elsewhere', { resource: 'res', apiVersion: '2024-10-21&x=1' }, /date such as/],
    ['a version of the messages API', { resource: 'res', api: 'anthropic', apiVersion: '2024-10-21' }, /anthropic/],
    ['another api', { resource: 'res', api: 'embeddings' }, /api must be/],
    ['foundry as text', { resource: 'res', foundry: 'yes' }, /foundry/],
    ['an unknown option', { resource: 'res', deployment: 'x' }, /deployment/],
  ])('%s', (_, options, message) => {
    expect(refused('x', options)).toMatch(message)
  })
})

describe('what Azure sends', () => {
  it('filter chunks without id, model or delta change nothing; what the filters found is kept (traps 1, 4, 45)', async () => {
    const adapter = await adapterOf(azure('x', { resource: 'res' }))
    const reader = adapter.decode({ request: HI, target: { provider: 'azure', model: 'x', baseUrl: 'https://res.openai.azure.com', capabilities: {} }, wire: 'stream', status: 200, headers: {} })
    const results = { hate: { filtered: true, severity: 'high' } }
    const frames = [
      { data: JSON.stringify({ id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] }) },
      chunk({ content: 'Hel' }),
      { data: JSON.stringify({ id: '', model: '', choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 1 }, content_filter_results: results }] }) },
      stop('content_filter'),
      DONE,
    ]
    expect(collect(frames.flatMap(frame => reader.frame(frame)))).toMatchObject({ id: 'c1', model: 'm1', text: 'Hel', finish: { finishReason: 'content-filter' }, providerMetadata: { openai: { content_filter_results: results } } })
  })

  it('a filtered prompt is a content_filter, with status 400 and in the body of a 200', async () => {
    const adapter = await adapterOf(azure('x', { resource: 'res' }))
    const body = { error: { code: 'content_filter', param: 'prompt', message: 'm', status: 400, innererror: { code: 'ResponsibleAIPolicyViolation' } } }
    expect(adapter.fault(400, {}, body, 0).code).toBe('content_filter')
    const reader = adapter.decode({ request: HI, target: { provider: 'azure', model: 'x', baseUrl: 'https://res.openai.azure.com', capabilities: {} }, wire: 'json', status: 200, headers: {} })
    expect(() => reader.json(body)).toThrow(expect.objectContaining({ code: 'content_filter', status: 400 }) as Error)
  })

  it('milliseconds come before seconds, and 0 of them is no wish for a tight loop but for the usual wait', async () => {
    const adapter = await adapterOf(azure('x', { resource: 'res' }))
    const body = { error: { code: 'RateLimitReached', message: 'm' } }
    expect(adapter.fault(429, { 'retry-after': '60', 'retry-after-ms': '1500' }, body, 0)).toMatchObject({ code: 'rate_limited', retryAfterMs: 1500 })
    const { backoffMs } = await import('../../../src/resilience/backoff.js')
    const { retryAfterMs } = adapter.fault(429, { 'retry-after': '1', 'retry-after-ms': '0' }, body, 0)
    expect(backoffMs(1, retryAfterMs, { attempts: 3, maxAttempts: 6, baseMs: 500, maxMs: 8000, retryAfterCapMs: 10_000 }, () => 0.5)).toBeGreaterThanOrEqual(100)
  })
})

describe('each of its dialects keeps to the contract of adapters', async () => {
  const body = completion({ role: 'assistant', content: 'Hello' })
  const chat = { name: 'chat', request: HI, json: body, frames: [chunk({ content: 'Hel' }), chunk({ content: 'lo' }), stop(), DONE] }
  const answer = response([text('Hello')])
  const way = { resource: 'res', apiVersion: '2025-03-01-preview' }
  for (const check of adapterConformance(await adapterOf(azure('x', way)), [chat])) it(check.name, () => check.run())
  for (const check of adapterConformance(await adapterOf(azure('x', { ...way, api: 'responses' })), [{ name: 'responses', request: HI, json: answer, frames: framesFor(answer) }])) it(check.name, () => check.run())
})
