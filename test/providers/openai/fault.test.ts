import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import { openaiAdapter } from '../../../src/providers/openai/adapter.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'

function fault(status: number, body: unknown, headers: Record<string, string> = {}, quirks: Quirks = {}): GatewayError {
  return openaiAdapter(quirks).fault(status, headers, body, 0)
}

describe('error answers', () => {
  it.each<[string, number, unknown, string, object]>([
    ['an error object', 400, { error: { message: 'm', type: 't', param: 'p', code: 'unsupported_value' } }, 'invalid_request', { type: 't', param: 'p', code: 'unsupported_value', message: 'm' }],
    ['no quota', 429, { error: { message: 'm', type: 'insufficient_quota', code: 'insufficient_quota' } }, 'quota_exhausted', { code: 'insufficient_quota' }],
    ['an error that is text', 400, { code: 'invalid-argument', error: 'Incorrect API key provided: x' }, 'credential_rejected', { code: 'invalid-argument', message: 'Incorrect API key provided: x' }],
    ['a number for a code', 429, { error: { code: 429, message: 'Provider returned error', metadata: { raw: 'slow down' } } }, 'rate_limited', { message: 'Provider returned error: slow down' }],
    ['an overflow told by the router’s upstream', 400, { error: { code: 400, message: 'Provider returned error', metadata: { raw: 'prompt is too long: 9 tokens' } } }, 'context_length', {}],
    ['a flagged prompt', 403, { error: { code: 403, message: 'flagged', metadata: { flagged_input: 'x' } } }, 'content_filter', {}],
    ['a detail', 401, { detail: 'Invalid API Key' }, 'credential_rejected', { message: 'Invalid API Key' }],
    ['a list of details', 422, { detail: [{ loc: ['body', 'n'], msg: 'bad', type: 'value_error' }] }, 'invalid_request', { message: 'bad', param: 'body.n', type: 'value_error' }],
    ['a message at the top', 400, { object: 'error', message: 'm', type: 'BadRequestError', code: '3280' }, 'invalid_request', { message: 'm', type: 'BadRequestError', code: '3280' }],
    ['an inner error', 400, { error: { code: '400', message: 'm', innererror: { code: 'ResponsibleAIPolicyViolation' } } }, 'content_filter', { code: 'ResponsibleAIPolicyViolation' }],
    ['a filter in an answer of 200', 200, { error: { code: 'content_filter', status: 400, message: 'm' } }, 'content_filter', {}],
    ['a list round the error', 400, [{ error: { code: 400, message: 'API key not valid', status: 'INVALID_ARGUMENT' } }], 'invalid_request', { type: 'INVALID_ARGUMENT' }],
    ['JSON in text', 402, '{"error":{"message":"Insufficient Balance"}}', 'quota_exhausted', { message: 'Insufficient Balance' }],
    ['a page', 502, '<html><body>Bad gateway</body></html>', 'upstream_error', { message: undefined }],
    ['plain text', 404, 'Not found', 'model_not_found', { message: 'Not found' }],
    ['nothing', 503, undefined, 'upstream_error', { message: undefined }],
    ['an empty text', 500, '', 'upstream_error', { message: undefined }],
  ])('reads %s', (_, status, body, code, upstream) => {
    const error = fault(status, body)
    expect(error).toMatchObject({ code, origin: 'upstream' })
    expect({ ...error.upstream, message: error.upstream?.message }).toMatchObject(upstream)
  })
  it('keeps the call that came out wrong, for a repair, and prints it nowhere', () => {
    const error = fault(400, { error: { message: 'Failed to call a function.', code: 'tool_use_failed', failed_generation: '<f>{"a":' } })
    for (const each of [error, error.with({ status: 400 })]) {
      expect([each.upstream?.code, each.upstream?.message, each.upstream?.generated]).toEqual(['tool_use_failed', 'Failed to call a function.', '<f>{"a":'])
      expect(JSON.stringify(each)).not.toContain('<f>')
    }
  })
  it('keeps the provider’s sentence out of its own message and out of logs', () => {
    const error = fault(400, { error: { message: 'Your prompt "my secret" is bad', failed_generation: 'my secret' } })
    expect(error.message + JSON.stringify(error)).not.toContain('my secret')
  })
  it('takes a bare refusal for an overflow only where that is the custom', () => {
    expect(fault(400, undefined, {}, QUIRKS.cerebras).code).toBe('context_length')
    expect(fault(413, '', {}, QUIRKS.cerebras).code).toBe('context_length')
    expect(fault(400, undefined).code).toBe('invalid_request')
    expect(fault(400, { error: { message: 'm' } }, {}, QUIRKS.cerebras).code).toBe('invalid_request')
  })
  it('reads the wait and the request id from the headers', () => {
    expect(fault(429, {}, { 'retry-after-ms': '250', 'x-request-id': 'req_1' })).toMatchObject({ retryAfterMs: 250, upstream: { requestId: 'req_1' } })
  })
  it('takes the wait out of a list of details where no header has one', () => {
    const body = { error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED', details: [{ reason: 'RATE_LIMIT_EXCEEDED' }, { retryDelay: '34.4s' }] } }
    expect(fault(429, [body])).toMatchObject({ code: 'rate_limited', retryAfterMs: 34_400 })
    expect(fault(429, [body], { 'retry-after': '2' })).toMatchObject({ retryAfterMs: 2000 })
  })
  it('survives any body', () => {
    for (const body of [null, 7, true, [], [null], [[]], { error: null }, { error: [] }, { error: { code: {} } }, { detail: [7] }, { detail: [{ loc: [{ toString: 1 }, 'a'] }] }, { base_resp: 'x' }, { error: { metadata: 7, innererror: [] } }]) {
      expect(GatewayError.is(fault(400, body))).toBe(true)
    }
  })
})

describe('rate-limit headers', () => {
  const limits = (headers: Record<string, string>) => openaiAdapter().limits?.(headers, 0)
  it('reads durations, bare seconds and the spellings by minute', () => {
    const named = { 'x-ratelimit-limit-requests': '100', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-limit-tokens': '9000', 'x-ratelimit-remaining-tokens': '10' }
    expect(limits({ ...named, 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-reset-tokens': '12ms' })).toEqual({ limitRequests: 100, remainingRequests: 0, resetRequestsMs: 360_000, limitTokens: 9000, remainingTokens: 10, resetTokensMs: 12 })
    expect(limits({ 'x-ratelimit-reset-requests': '1' })).toEqual({ resetRequestsMs: 1000 })
    expect(limits({ 'x-ratelimit-limit-req-minute': '60', 'x-ratelimit-remaining-tokens-minute': '5' })).toEqual({ limitRequests: 60, remainingTokens: 5 })
  })
  it('makes nothing of what is no number', () => {
    expect(limits({ 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': 'soon' })).toEqual({})
  })
})
