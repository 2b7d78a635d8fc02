import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs, faultOf, isContextOverflow, retryAfterMs, type ErrorFacts } from '../../src/providers/faults.js'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const fault = (facts: Partial<ErrorFacts>) => faultOf({ provider: 'acme', status: 400, headers: {}, nowMs: NOW, ...facts })

describe('the class of an error answer', () => {
  it.each<[string, Partial<ErrorFacts>, string]>([
    ['a filtered prompt, though the status says bad request', { status: 400, code: 'content_filter' }, 'content_filter'],
    ['a filter that names itself in words of its own', { status: 400, code: 'ResponsibleAIPolicyViolation' }, 'content_filter'],
    ['an overloaded server', { status: 529 }, 'overloaded'],
    ['an overload told only by its type', { status: 200, type: 'overloaded_error' }, 'overloaded'],
    ['a service that is away', { status: 503, type: 'ServiceUnavailableException:http://internal.example/' }, 'overloaded'],
    ['UNAVAILABLE without a word of overload', { status: 503, type: 'UNAVAILABLE', message: 'Try later' }, 'upstream_error'],
    ['UNAVAILABLE by overload', { status: 503, type: 'UNAVAILABLE', message: 'The model is overloaded.' }, 'overloaded'],
    ['spent credit in a 429', { status: 429, code: 'insufficient_quota' }, 'quota_exhausted'],
    ['spent credit in a 400', { status: 400, message: 'Your credit balance is too low to access the API.' }, 'quota_exhausted'],
    ['payment required', { status: 402 }, 'quota_exhausted'],
    ['a spend limit in a 429', { status: 429, type: 'rate_limit_error', code: 'enforced_spend_limit_reached' }, 'quota_exhausted'],
    ['a plain 429', { status: 429 }, 'rate_limited'],
    ['throttling with a status of 400', { status: 400, type: 'ThrottlingException' }, 'rate_limited'],
    ['throttling named inside a stream', { status: 200, type: 'throttlingException' }, 'rate_limited'],
    ['a wrong key told with 400', { status: 400, type: 'INVALID_ARGUMENT', code: 'API_KEY_INVALID' }, 'credential_rejected'],
    ['a wrong key told in a sentence', { status: 400, code: 'invalid-argument', message: 'Incorrect API key provided: ***' }, 'credential_rejected'],
    ['a wrong key', { status: 401, type: 'invalid_request_error' }, 'credential_rejected'],
    ['a token that ran out', { status: 400, type: 'com.vendor#ExpiredTokenException:http://x.example/' }, 'credential_rejected'],
    ['no right', { status: 403 }, 'credential_rejected'],
    ['no such model', { status: 404 }, 'model_not_found'],
    ['no such model told with 400', { status: 400, code: 'model_not_found' }, 'model_not_found'],
    ['no such deployment', { status: 404, code: 'DeploymentNotFound' }, 'model_not_found'],
    ['an overflow by code', { status: 400, code: 'context_length_exceeded' }, 'context_length'],
    ['an overflow by sentence', { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 3333404 tokens > 200000 maximum' }, 'context_length'],
    ['an overflow told with 413', { status: 413, message: 'Please reduce the length of the messages.' }, 'context_length'],
    ['a body too large', { status: 413, type: 'request_too_large' }, 'invalid_request'],
    ['a request timeout', { status: 408 }, 'upstream_error'],
    ['a gateway timeout', { status: 504 }, 'upstream_error'],
    ['a server that failed', { status: 500, type: 'api_error' }, 'upstream_error'],
    ['a call the vendor cancelled', { status: 499, type: 'CANCELLED' }, 'upstream_error'],
    ['a model that failed with 424', { status: 424, type: 'ModelErrorException' }, 'upstream_error'],
    ['a conflict', { status: 409 }, 'upstream_error'],
    ['a conflict that will stay', { status: 409, headers: { 'x-should-retry': 'false' } }, 'invalid_request'],
    ['too early', { status: 425 }, 'upstream_error'],
    ['a redirect', { status: 302 }, 'upstream_error'],
    ['a request the server cannot process', { status: 422 }, 'invalid_request'],
    ['an error in a good answer with a status in its code', { status: 200, code: '429' }, 'rate_limited'],
    ['an error in a good answer with no word of what', { status: 200 }, 'upstream_error'],
    ['one vendor telling of an overflow by saying nothing', { provider: 'cerebras', status: 400 }, 'context_length'],
    ['the same silence of anyone else', { status: 400 }, 'invalid_request'],
  ])('%s', (_, facts, code) => {
    expect(fault(facts).code).toBe(code)
  })

  it('never tells the caller to wait where one request is larger than the allowance of a minute', () => {
    const error = fault({ status: 429, headers: { 'retry-after': '20' }, message: 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 42000.' })
    expect(error.code).toBe('rate_limited')
    expect(error.retryAfterMs).toBeUndefined()
    expect(error.message).toMatch(/smaller request/)
  })

  it('keeps what the provider said out of our sentence and out of JSON', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.stringMatching(/^[a-z]{12,30}$/), fc.stringMatching(/^[a-z]{12,30}$/), (status, message, type) => {
        const error = fault({ status, message, type })
        expect(error.message).not.toContain(message)
        expect(error.message).not.toContain(type)
        expect(JSON.stringify(error)).not.toContain(message)
        expect(error.upstream?.message).toBe(message)
        expect(error.upstream?.type).toBe(type)
      }),
    )
  })

  it('says who has to act, with status and request id, and names the provider', () => {
    const error = fault({ status: 401, headers: { 'x-request-id': 'req_1' } })
    expect(error).toMatchObject({ origin: 'upstream', status: 401, message: 'acme rejected the credential (401). Check the key.', upstream: { requestId: 'req_1' } })
  })

  it('answers some code of the closed set to whatever comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.option(fc.string(), { nil: undefined }), fc.option(fc.string(), { nil: undefined }), fc.dictionary(fc.string(), fc.string()), (status, type, message, headers) => {
        const error = faultOf({ status, headers, nowMs: NOW, ...(type !== undefined && { type }), ...(message !== undefined && { message }) })
        expect(error.origin).toBe('upstream')
        expect(error.retryAfterMs === undefined || error.retryAfterMs >= 0).toBe(true)
      }),
    )
  })
})

describe('how long to wait', () => {
  it('is not read off a good answer, where vendors send it all the time', () => {
    expect(fault({ status: 200, type: 'overloaded_error', headers: { 'retry-after': '30' } }).retryAfterMs).toBeUndefined()
    expect(fault({ status: 529, headers: { 'retry-after': '30' } }).retryAfterMs).toBe(30_000)
  })

  it.each<[string, Record<string, string>, number | undefined]>([
    ['milliseconds before seconds', { 'retry-after-ms': '250', 'retry-after': '3' }, 250],
    ['zero', { 'retry-after-ms': '0', 'retry-after': '1' }, 0],
    ['fractions of a second', { 'retry-after': '1.5' }, 1500],
    ['a date', { 'retry-after': 'Fri, 20 Nov 2026 10:00:07 GMT' }, 7000],
    ['a date that is past', { 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }, 0],
    ['a negative number', { 'retry-after': '-5' }, 0],
    ['a word', { 'retry-after': 'soon' }, undefined],
    ['a word that Date.parse would take for a date', { 'retry-after': 'apples 5' }, undefined],
    ['a number without end', { 'retry-after': '9'.repeat(400) }, undefined],
    ['Infinity', { 'retry-after': 'Infinity' }, undefined],
    ['nothing', {}, undefined],
    ['milliseconds that are none', { 'retry-after-ms': 'x', 'retry-after': '2' }, 2000],
  ])('%s', (_, headers, ms) => {
    expect(retryAfterMs(headers, NOW)).toBe(ms)
  })

  it('takes the reset of what ran out, on a 429 only', () => {
    const headers = { 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-remaining-requests': '12', 'x-ratelimit-reset-tokens': '17.399s', 'x-ratelimit-remaining-tokens': '0' }
    expect(fault({ status: 429, headers }).retryAfterMs).toBe(17_399)
    expect(fault({ status: 500, headers }).retryAfterMs).toBeUndefined()
    expect(fault({ status: 429, headers: { ...headers, 'x-ratelimit-remaining-requests': '0' } }).retryAfterMs).toBe(360_000)
    expect(fault({ status: 429, headers: { ...headers, 'retry-after': '2' } }).retryAfterMs).toBe(2000)
  })

  it.each<[string, number | undefined]>([
    ['12ms', 12],
    ['1s', 1000],
    ['6m0s', 360_000],
    ['17.399s', 17_399],
    ['1h2m', 3_720_000],
    ['1d', 86_400_000],
    ['7', 7000],
    ['', undefined],
    ['s', undefined],
    ['1x', undefined],
    ['1s and more', undefined],
    ['-3s', undefined],
  ])('reads the duration %j', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it('reads back any duration it could be given', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(59), fc.nat(59), fc.nat(999), (h, m, s, ms) => {
        expect(durationMs(`${h}h${m}m${s}s${ms}ms`)).toBe(((h * 60 + m) * 60 + s) * 1000 + ms)
      }),
    )
  })
})

describe('the sentences that tell of an overflow', () => {
  it.each([
    'Your input exceeds the context window of this model.',
    "This model's maximum context length is 128000 tokens.",
    'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).',
    'Input is too long for requested model.',
    'Input Tokens Exceeded: Number of input tokens exceeds maximum length.',
    "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
    'too many tokens: size limit exceeded',
    'Prompt contains 200000 tokens, too large for model with 131072 maximum context length',
    'The total length of all messages is too long.',
    'prompt too long; exceeded max context length by 5 tokens',
    'the request exceeds the available context size',
    'greater than the context length',
    'context window exceeds limit',
    'exceeded model token limit: 131072',
    'prompt token count of 140000 exceeds the limit of 128000',
  ])('%s', text => {
    expect(isContextOverflow(text)).toBe(true)
    expect(isContextOverflow(text.toUpperCase())).toBe(true)
  })

  it.each(['max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens', 'image exceeds the limit of 5 MB', 'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 42000.', ''])('not: %s', text => {
    expect(isContextOverflow(text)).toBe(false)
  })
})
