import type { GatewayError } from '../../protocol/errors.js'
import { isObject, numberAt, stringAt, tryParseJson } from '../../protocol/json.js'
import type { Headers, RateLimits } from '../../protocol/ports.js'
import { faultOf } from '../faults.js'

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

function words(body: unknown): { type?: string; code?: string; message?: string; requestId?: string } {
  const parsed = typeof body === 'string' ? tryParseJson(body) : body
  if (!isObject(parsed)) {
    // A page of a proxy is no sentence anyone wants to read.
    const text = typeof body === 'string' && !body.trimStart().startsWith('<') ? body.trim().slice(0, 500) : ''
    return text === '' ? {} : { message: text }
  }
  const error = isObject(parsed['error']) ? parsed['error'] : parsed
  const message = stringAt(error, 'message') ?? stringAt(parsed, 'error') ?? stringAt(parsed, 'message') ?? stringAt(parsed, 'detail')
  const type = stringAt(error, 'type')
  const code = stringAt(error['details'], 'error_code') ?? stringAt(error, 'code') ?? numberAt(error, 'code')?.toString()
  const requestId = stringAt(parsed, 'request_id')
  return {
    ...(type !== undefined && type !== 'error' && { type }),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(requestId !== undefined && { requestId }),
  }
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

function put(out: Record<string, number>, key: keyof RateLimits, value: number | undefined): void {
  if (value !== undefined) out[key] = value
}

/** `anthropic-ratelimit-*`; of the token limits the joint one, else the one for input. */
export function limitsOf(headers: Headers, nowMs: number): RateLimits {
  const out: Record<string, number> = {}
  const tokens = headers['anthropic-ratelimit-tokens-limit'] === undefined && headers['anthropic-ratelimit-tokens-remaining'] === undefined ? 'input-tokens' : 'tokens'
  for (const [of, name] of [['Requests', 'requests'], ['Tokens', tokens]] as const) {
    put(out, `limit${of}`, amount(headers, `anthropic-ratelimit-${name}-limit`))
    put(out, `remaining${of}`, amount(headers, `anthropic-ratelimit-${name}-remaining`))
    put(out, `reset${of}Ms`, untilMs(headers, `anthropic-ratelimit-${name}-reset`, nowMs))
  }
  return out
}
