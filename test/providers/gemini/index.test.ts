import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/protocol/secret.js'
import { geminiAdapter } from '../../../src/providers/gemini/adapter.js'
import { gemini } from '../../../src/providers/gemini/index.js'
import { faultOf, target } from './support.js'

const NOW = 0
const fault = (status: number, body: unknown, headers = {}) => geminiAdapter.fault(status, headers, body, NOW)
const rate = (quotaId: string) => ({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'You exceeded your current quota.', details: [{ violations: [{ quotaId }] }, { retryDelay: '34.4s' }] } })

describe('a deployment', () => {
  it('knows its server and its key, and sends a key from the environment to no other', () => {
    expect(gemini('gemini-3-pro')).toMatchObject({ id: 'google/gemini-3-pro', provider: 'google', reach: { baseUrl: 'https://generativelanguage.googleapis.com/v1beta', env: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'] } })
    expect(gemini('m', { baseUrl: 'https://proxy.example/v1beta' }).reach).not.toHaveProperty('env')
    expect(faultOf(() => gemini('m', { apikey: 'x' } as never)).code).toBe('invalid_config')
  })

  it('puts the key into one header and nowhere else', async () => {
    const call = { method: 'POST', url: 'https://x.example/', headers: { a: 'b' }, body: '{}' } as const
    expect(await geminiAdapter.authorize(call, new Secret('key'))).toEqual({ ...call, headers: { a: 'b', 'x-goog-api-key': 'key' } })
  })

  it('is probed by the list of models, which nobody bills', () => {
    expect(geminiAdapter.probe?.(target()).url).toBe('https://generativelanguage.googleapis.com/v1beta/models?pageSize=1')
  })
})

describe('an error answer', () => {
  it('about the key is no fault of the request, in spite of its 400', () => {
    const body = { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid.', details: [{ reason: 'API_KEY_INVALID' }] } }
    expect(fault(400, body)).toMatchObject({ code: 'credential_rejected', upstream: { type: 'INVALID_ARGUMENT', code: 'API_KEY_INVALID', message: 'API key not valid.' } })
  })

  it('about a limit of a minute says how long to wait; a quota of a day is used up', () => {
    expect(fault(429, rate('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'))).toMatchObject({ code: 'rate_limited', retryAfterMs: 34_400 })
    const day = fault(429, [rate('GenerateRequestsPerDayPerProjectPerModel-FreeTier')])
    expect(day).toMatchObject({ code: 'quota_exhausted', status: 429, upstream: { type: 'RESOURCE_EXHAUSTED', message: 'You exceeded your current quota.' } })
    expect(day.retryAfterMs).toBeUndefined()
    expect(day.upstream?.code).toBeUndefined()
    expect(fault(429, rate('x'), { 'retry-after': '2' }).retryAfterMs).toBe(2000)
  })

  it.each<[string, number, unknown, string]>([
    ['a page for a location that is none', 404, '<!DOCTYPE html><title>404</title>', 'model_not_found'],
    ['no right', 403, { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'IAM_PERMISSION_DENIED' }] } }, 'credential_rejected'],
    ['too long a prompt', 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).' } }, 'context_length'],
    ['overload', 503, { error: { code: 503, status: 'UNAVAILABLE', message: 'The model is overloaded. Please try again later.' } }, 'overloaded'],
    ['a call that was cancelled', 499, { error: { code: 499, status: 'CANCELLED' } }, 'upstream_error'],
    ['an error in a text', 400, '{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}', 'invalid_request'],
    ['details that are none', 400, { error: { status: 'INVALID_ARGUMENT', details: [null, 5, { violations: [null] }] } }, 'invalid_request'],
  ])('%s is classified', (_, status, body, code) => {
    expect(fault(status, body).code).toBe(code)
  })

  it('shows no page as what the provider said', () => {
    expect(fault(404, '<!DOCTYPE html>').upstream?.message).toBeUndefined()
  })
})
