import type { GatewayError } from '../../protocol/errors.js'
import { isObject, numberAt, stringAt, tryParseJson } from '../../protocol/json.js'
import type { Headers, RateLimits } from '../../protocol/ports.js'
import { faultOf, present, type ErrorFacts } from '../faults.js'

const STATUS: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

/** Who answered, for the sentence of the error. */
export interface ErrorContext {
  readonly provider: string
  readonly status: number
  readonly headers: Headers
  readonly nowMs: number
}

type Said = Pick<ErrorFacts, 'type' | 'code' | 'message' | 'requestId'>

// A page of a proxy is no sentence anyone wants to read.
function sentence(text: string): Said {
  const trimmed = text.trim()
  return trimmed === '' || trimmed.startsWith('<') ? {} : { message: trimmed.slice(0, 500) }
}

function words(body: unknown): Said {
  const parsed = typeof body === 'string' ? tryParseJson(body) : body
  if (!isObject(parsed)) return typeof body === 'string' ? sentence(body) : {}
  const error = isObject(parsed['error']) ? parsed['error'] : parsed
  const type = stringAt(error, 'type')
  return present({
    type: type === 'error' ? undefined : type,
    code: stringAt(error['details'], 'error_code') ?? stringAt(error, 'code') ?? numberAt(error, 'code')?.toString(),
    message: stringAt(error, 'message') ?? stringAt(parsed, 'error') ?? stringAt(parsed, 'detail'),
    requestId: stringAt(parsed, 'request_id'),
  })
}

/** An error answer: `{ type: 'error', error: { type, message, details }, request_id }`, or whatever a proxy put there. */
export function faultFrom(body: unknown, context: ErrorContext): GatewayError {
  return faultOf({ ...context, ...words(body) })
}

/**
 * An error inside an answer that began well: the status is the one its type stands for, and the headers say nothing of
 * it, least of all how long to wait.
 */
export function faultWithin(body: unknown, provider: string, headers: Headers): GatewayError {
  const said = words(body)
  const requestId = said.requestId ?? headers['request-id']
  return faultOf({ provider, nowMs: 0, headers: {}, ...said, status: STATUS.get(said.type ?? '') ?? (/^[45]\d\d$/.test(said.code ?? '') ? Number(said.code) : 500), ...(requestId !== undefined && { requestId }) })
}

function amount(headers: Headers, name: string): number | undefined {
  const text = headers[name]?.trim()
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function untilMs(headers: Headers, name: string, nowMs: number): number | undefined {
  const text = headers[name]
  const at = text !== undefined && /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isFinite(at) ? Math.max(0, at - nowMs) : undefined
}

/** `anthropic-ratelimit-*`; of the token limits the joint one, else the one for input. */
export function limitsOf(headers: Headers, nowMs: number): RateLimits {
  const tokens = headers['anthropic-ratelimit-tokens-limit'] === undefined && headers['anthropic-ratelimit-tokens-remaining'] === undefined ? 'input-tokens' : 'tokens'
  return present({
    limitRequests: amount(headers, 'anthropic-ratelimit-requests-limit'),
    remainingRequests: amount(headers, 'anthropic-ratelimit-requests-remaining'),
    resetRequestsMs: untilMs(headers, 'anthropic-ratelimit-requests-reset', nowMs),
    limitTokens: amount(headers, `anthropic-ratelimit-${tokens}-limit`),
    remainingTokens: amount(headers, `anthropic-ratelimit-${tokens}-remaining`),
    resetTokensMs: untilMs(headers, `anthropic-ratelimit-${tokens}-reset`, nowMs),
  })
}
