import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/protocol/errors.js'
import { ask, context, failure, model, upstreamOf, ASK } from './support.js'

/** As the packages make them: marked, so that any copy of the class is known. */
function sdkError(name: string, more: object = {}): Error {
  return Object.assign(new Error('the prompt was: secret words'), { name, [Symbol.for('vercel.ai.error')]: true, [Symbol.for(`vercel.ai.error.${name}`)]: true }, more)
}
const api = (more: object) => sdkError('AI_APICallError', { url: 'https://x.test', requestBodyValues: { prompt: 'secret words' }, ...more })
const caused = (code: string) => Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('x'), { code }) })

const THROWN: readonly (readonly [string, () => unknown, string, object?])[] = [
  ['a rate limit with its wait', () => api({ statusCode: 429, responseHeaders: { 'Retry-After': '3' }, responseBody: '{"error":{"type":"rate_limit_error","message":"slow"}}', isRetryable: true }), 'rate_limited', { status: 429, retryAfterMs: 3000, upstream: { type: 'rate_limit_error' } }],
  ['a prompt that is too long', () => api({ statusCode: 400, responseBody: '{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}' }), 'context_length'],
  ['a page of a proxy', () => api({ statusCode: 502, responseBody: '<html>secret words</html>' }), 'upstream_error'],
  ['a bad body under a good status', () => api({ statusCode: 200, responseBody: '<html>' }), 'malformed_response'],
  ['an error under a good status', () => api({ statusCode: 200, responseBody: '{"error":{"code":"insufficient_quota","message":"m"}}' }), 'quota_exhausted'],
  ['no answer at all', () => api({ isRetryable: true, cause: caused('ECONNREFUSED').cause }), 'network'],
  ['a fetch that failed', () => caused('ENOTFOUND'), 'network'],
  ['a certificate', () => caused('ERR_TLS_CERT_ALTNAME_INVALID'), 'network'],
  ['a fetch without a code', () => new TypeError('Failed to fetch'), 'network'],
  ['a bug of the package', () => Object.assign(new TypeError('secret words'), { code: 'ERR_INVALID_ARG_TYPE' }), 'upstream_error'],
  ['a missing key', () => sdkError('AI_LoadAPIKeyError'), 'credential_rejected'],
  ['a model that is not there', () => sdkError('AI_NoSuchModelError'), 'model_not_found'],
  ['something it cannot do', () => sdkError('AI_UnsupportedFunctionalityError'), 'invalid_request'],
  ['an argument', () => sdkError('AI_InvalidArgumentError'), 'invalid_request'],
  ['an answer it cannot read', () => sdkError('AI_TypeValidationError'), 'malformed_response'],
  ['a text', () => 'secret words', 'upstream_error'],
  ['nothing', () => undefined, 'upstream_error'],
  ['an object of the wire', () => ({ type: 'overloaded_error', message: 'm' }), 'overloaded'],
  ['an object around one', () => ({ type: 'error', error: { type: 'error', code: 'server_error', message: 'm' } }), 'upstream_error'],
  ['an error of a gateway below', () => new GatewayError('budget_exceeded', 'No.'), 'budget_exceeded'],
]

describe('what a model throws', () => {
  it.each(THROWN.map(([what, make, code, more = {}]) => ({ what, make, code, more })))('$what is classified, before the answer and within it', async ({ make, code, more }) => {
    const before = await failure(() => ask(model({ fails: make })))
    expect(before).toMatchObject({ code, ...more })
    const part = make()
    const within = await failure(() => ask(model({ parts: [{ type: 'error', error: part }] }), 'stream'))
    expect(within.code).toBe(code)
    for (const error of [before, within]) expect(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/secret/)
    if (part instanceof Error && !GatewayError.is(part)) expect((await failure(() => ask(model({ parts: [part] }), 'stream'))).code).toBe(code)
  })

  it('a cause that is its own cause does not hang', async () => {
    const error = new Error('x')
    error.cause = error
    expect((await failure(() => ask(model({ fails: () => error })))).code).toBe('upstream_error')
  })

  it('an abort from outside is what the caller gave, whatever the package makes of it', async () => {
    for (const wire of ['json', 'stream'] as const) {
      const at = context(wire)
      const reason = new GatewayError('timeout', 'Too late.', { deadline: 'total' })
      const work = failure(() => upstreamOf(model({ fails: () => (at.abort_.abort(reason), new DOMException('aborted', 'AbortError')) })).open('chat', ASK, at))
      expect(await work).toBe(reason)
    }
    const at = context('json')
    at.abort_.abort()
    const made = model()
    expect((await failure(() => upstreamOf(made).open('chat', ASK, at))).code).toBe('aborted')
    expect(made.asked).toEqual([])
  })
})
