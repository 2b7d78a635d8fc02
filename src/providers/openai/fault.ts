import type { GatewayError } from '../../protocol/errors.js'
import { isObject, numberAt } from '../../protocol/json.js'
import type { Headers, RateLimits } from '../../protocol/ports.js'
import { wordsOf } from '../common/words.js'
import { durationMs, faultOf, type ErrorFacts } from '../faults.js'
import type { Quirks } from './quirks.js'

const REQUEST_ID = ['x-request-id', 'apim-request-id', 'x-ds-trace-id', 'mistral-correlation-id', 'x-generation-id'] as const

/** Classifies an error answer of any server of the dialect. */
export function fault(status: number, headers: Headers, body: unknown, nowMs: number, quirks: Quirks): GatewayError {
  const { status: named, waitMs, ...words } = wordsOf(body)
  const requestId = REQUEST_ID.map(name => headers[name]).find(id => id !== undefined)
  const bare = quirks.bareOverflow === true && Object.keys(words).length === 0 && (status === 400 || status === 413)
  const facts: ErrorFacts = { status: status >= 400 ? status : (named ?? status), headers: waitMs === undefined || 'retry-after' in headers ? headers : { ...headers, 'retry-after-ms': String(waitMs) }, nowMs, ...words, ...(bare && { code: 'context_length_exceeded' }), ...(requestId !== undefined && { requestId }) }
  return faultOf(facts)
}

/** True where a 200 body or a chunk is an error all the same. */
export function isError(body: Record<string, unknown>): boolean {
  const { error, base_resp: base, x_groq: groq } = body
  if (isObject(error) || (typeof error === 'string' && error !== '')) return true
  return (numberAt(base, 'status_code') ?? 0) !== 0 || (isObject(groq) && (isObject(groq['error']) || typeof groq['error'] === 'string'))
}

/** The fault inside an answer that began well. Its headers belong to the good part and ask for no wait. */
export function faultInside(body: unknown, quirks: Quirks): GatewayError {
  return fault(200, {}, body, 0, quirks)
}

function whole(headers: Headers, name: string, other: string): number | undefined {
  const text = headers[name] ?? headers[other]
  return text !== undefined && WHOLE.test(text) ? Number(text) : undefined
}

const WHOLE = /^\d{1,15}$/
// Whole names, since a name that is put together for each answer costs more than the look at it.
const RATES = [
  { limit: ['x-ratelimit-limit-requests', 'x-ratelimit-limit-req-minute', 'limitRequests'], remaining: ['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-req-minute', 'remainingRequests'], reset: ['x-ratelimit-reset-requests', 'resetRequestsMs'] },
  { limit: ['x-ratelimit-limit-tokens', 'x-ratelimit-limit-tokens-minute', 'limitTokens'], remaining: ['x-ratelimit-remaining-tokens', 'x-ratelimit-remaining-tokens-minute', 'remainingTokens'], reset: ['x-ratelimit-reset-tokens', 'resetTokensMs'] },
] as const

/** Rate-limit state from the headers, in the several spellings vendors use. */
export function limits(headers: Headers): RateLimits {
  const found: Record<string, number> = {}
  for (const { limit, remaining, reset } of RATES) {
    const most = whole(headers, limit[0], limit[1])
    if (most !== undefined) found[limit[2]] = most
    const left = whole(headers, remaining[0], remaining[1])
    if (left !== undefined) found[remaining[2]] = left
    const text = headers[reset[0]]
    const resetMs = text === undefined ? undefined : durationMs(text)
    if (resetMs !== undefined) found[reset[1]] = resetMs
  }
  return found
}
