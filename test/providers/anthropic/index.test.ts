import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import { Secret } from '../../../src/protocol/secret.js'
import { anthropicAdapter } from '../../../src/providers/anthropic/adapter.js'
import { anthropic } from '../../../src/providers/anthropic/index.js'
import { traitsOf } from '../../../src/providers/anthropic/models.js'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (GatewayError.is(error)) return error.code
    throw error
  }
  return 'nothing was thrown'
}

describe('a deployment', () => {
  it('knows its server, its key and its headers', () => {
    const deployment = anthropic('claude-opus-5', { version: '2026-10-21', betas: ['context-1m-2025-08-07', 'x-2'], headers: { 'X-Mine': '1' } })
    expect(deployment).toMatchObject({ id: 'anthropic/claude-opus-5', provider: 'anthropic', model: 'claude-opus-5', headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'context-1m-2025-08-07,x-2', 'x-mine': '1' }, reach: { baseUrl: 'https://api.anthropic.com/v1', env: ['ANTHROPIC_API_KEY'] } })
    expect(anthropic('claude-opus-5').headers).toBeUndefined()
    expect(anthropic('m', { baseUrl: 'https://proxy.example/anthropic' }).reach).not.toHaveProperty('env')
  })

  it('assumes of a model only what its name tells, and the user has the last word', () => {
    expect(anthropic('claude-opus-5').capabilities).toEqual({ tools: true, images: true, files: true, audio: false, jsonSchema: true, reasoning: true })
    expect(anthropic('claude-opus-5', { capabilities: { images: false, contextWindow: 9 } }).capabilities).toMatchObject({ images: false, contextWindow: 9, tools: true })
    expect(anthropic('claude-3-opus-20240229').capabilities).toEqual({ tools: true, images: true, audio: false, prefill: true })
    expect(anthropic('some-other-model').capabilities).toEqual({})
  })

  it.each<[string, () => unknown]>([
    ['a version that is no word', () => anthropic('m', { version: 'a\r\nb' })],
    ['betas that are no list', () => anthropic('m', { betas: 'a' as never })],
    ['a beta that would split the header', () => anthropic('m', { betas: ['a,b\n'] })],
    ['the beta header given twice', () => anthropic('m', { betas: ['a'], headers: { 'Anthropic-Beta': 'b' } })],
    ['options that are none', () => anthropic('m', null as never)],
    ['an option nobody knows', () => anthropic('m', { betaz: [] } as never)],
    ['capabilities that are none', () => anthropic('claude-opus-5', { capabilities: null as never })],
    ['no model', () => anthropic(undefined as never)],
  ])('refuses %s', (_, run) => {
    expect(codeOf(run)).toBe('invalid_config')
  })

  it('puts the key into one header and nowhere else', async () => {
    const call = { method: 'POST', url: 'https://api.anthropic.com/v1/messages', headers: { a: 'b' }, body: '{}' } as const
    expect(await anthropicAdapter.authorize(call, new Secret('sk-x'))).toEqual({ ...call, headers: { a: 'b', 'x-api-key': 'sk-x' } })
    expect(call.headers).toEqual({ a: 'b' })
  })
})

describe('the generation of a model, told from its name', () => {
  it.each<[string, number | undefined]>([
    ['claude-3-opus-20240229', 300],
    ['claude-3-5-sonnet-latest', 305],
    ['claude-3.7-sonnet', 307],
    ['claude-opus-4-20250514', 400],
    ['claude-opus-4-1-20250805', 401],
    ['claude-haiku-4-5-20251001', 405],
    ['claude-sonnet-4.6', 406],
    ['us.anthropic.claude-opus-4-10-v1:0', 410],
    ['claude-sonnet-5', 500],
    ['claude-2.1', 201],
    ['minimax-m2', undefined],
  ])('%s', (model, version) => {
    expect(traitsOf(model).version).toBe(version)
  })
})

describe('an error answer', () => {
  const fault = (status: number, body: unknown, headers = {}) => anthropicAdapter.fault(status, headers, body, NOW)

  it('is read in the shape of the dialect, with the stable code beside the type', () => {
    const body = { type: 'error', error: { type: 'rate_limit_error', message: 'Spend', details: { error_code: 'enforced_spend_limit_reached' } }, request_id: 'req_1' }
    expect(fault(429, body, { 'retry-after': '60' })).toMatchObject({ code: 'quota_exhausted', status: 429, retryAfterMs: 60_000, upstream: { type: 'rate_limit_error', code: 'enforced_spend_limit_reached', requestId: 'req_1', message: 'Spend' } })
  })

  it.each<[string, number, unknown, string]>([
    ['a page of a proxy', 502, '<html><body>Incorrect API key, prompt is too long</body></html>', 'upstream_error'],
    ['an empty body', 529, '', 'overloaded'],
    ['no body', 401, undefined, 'credential_rejected'],
    ['JSON that arrived as text', 400, '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}', 'context_length'],
    ['an error that is a text', 400, { error: 'nope' }, 'invalid_request'],
    ['a list', 404, [1], 'model_not_found'],
    ['a plain sentence', 503, 'upstream connect error', 'upstream_error'],
    ['an error that is null', 500, { error: null }, 'upstream_error'],
  ])('%s is classified all the same', (_, status, body, code) => {
    expect(fault(status, body).code).toBe(code)
  })

  it('shows no page of a proxy as what the provider said', () => {
    expect(fault(502, ' <html>').upstream?.message).toBeUndefined()
    expect(fault(503, 'upstream connect error').upstream?.message).toBe('upstream connect error')
  })
})

describe('limits', () => {
  it('are read off the headers, times as milliseconds from now', () => {
    const headers = { 'anthropic-ratelimit-requests-limit': '50', 'anthropic-ratelimit-requests-remaining': '49', 'anthropic-ratelimit-requests-reset': '2026-11-20T10:00:02Z', 'anthropic-ratelimit-tokens-limit': '80000', 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2026-11-20T09:00:00Z', 'anthropic-ratelimit-input-tokens-limit': '1' }
    expect(anthropicAdapter.limits?.(headers, NOW)).toEqual({ limitRequests: 50, remainingRequests: 49, resetRequestsMs: 2000, limitTokens: 80_000, remainingTokens: 0, resetTokensMs: 0 })
  })

  it('fall back to the input tokens, and ignore what is no number or time', () => {
    expect(anthropicAdapter.limits?.({ 'anthropic-ratelimit-input-tokens-limit': '7', 'anthropic-ratelimit-requests-limit': '-1', 'anthropic-ratelimit-requests-reset': 'soon', 'anthropic-ratelimit-requests-remaining': '' }, NOW)).toEqual({ limitTokens: 7 })
    expect(anthropicAdapter.limits?.({}, NOW)).toEqual({})
  })
})
