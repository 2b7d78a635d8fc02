import { GatewayError, type Code, type UpstreamWords } from '../protocol/errors.js'
import type { Headers } from '../protocol/ports.js'

/** What is known of an error answer, read off its body and head by an adapter. */
export interface ErrorFacts {
  readonly provider?: string
  /** HTTP status, or the one the body names where the answer came with another. */
  readonly status: number
  readonly headers: Headers
  readonly nowMs: number
  readonly type?: string
  readonly code?: string
  readonly param?: string
  readonly message?: string
  readonly generated?: string
  readonly requestId?: string
}

type Kind =
  | 'content_filter'
  | 'overloaded'
  | 'quota'
  | 'rate_limit'
  | 'oversized_rate'
  | 'authentication'
  | 'permission'
  | 'not_found'
  | 'context_length'
  | 'too_large'
  | 'timeout'
  | 'server'
  | 'conflict'
  | 'redirect'
  | 'early'
  | 'invalid_request'

interface Seen {
  readonly status: number
  readonly message: string
  readonly bare: boolean
  readonly headers: Headers
  readonly provider: string | undefined
  /** True where the type or the code is one of these (lower case). */
  is(...words: readonly string[]): boolean
}

const OVERFLOW: readonly RegExp[] = [
  /prompt is too long/i,
  /prompt too long/i,
  /exceeds? the context window/i,
  /maximum context length (?:is|of) \d/i,
  /input token count.{0,40}exceeds the maximum/i,
  /input is too long for requested model/i,
  /input tokens exceeded/i,
  /maximum prompt length is \d/i,
  /reduce the length of (?:the|your) (?:messages|prompt)/i,
  /too many tokens: size limit exceeded/i,
  /too large for model with \d+ maximum context length/i,
  /total length of all messages is too long/i,
  /exceeded max context length/i,
  /exceeds the available context size/i,
  /greater than the context length/i,
  /context window exceeds limit/i,
  /exceeded model token limit/i,
  /token count.{0,40}exceeds the limit of \d/i,
]

/** True where a provider's sentence says the prompt is longer than the model's context window (PROTOCOLS 4.4). */
export function isContextOverflow(message: string): boolean {
  const text = message.slice(0, 4000)
  return OVERFLOW.some(pattern => pattern.test(text))
}

// First match wins, so that a stable word beats a status and a 429 about money is no rate limit.
const TESTS: readonly (readonly [Kind, (seen: Seen) => boolean])[] = [
  ['content_filter', s => s.is('content_filter', 'responsibleaipolicyviolation', 'content_policy_violation', 'datainspectionfailed', 'data_inspection_failed', 'bio_policy', 'cyber_policy', 'image_content_policy_violation') || /blocked by content filtering policy/i.test(s.message)],
  ['overloaded', s => s.status === 529 || s.is('overloaded_error', 'serviceunavailableexception') || (s.is('unavailable') && /overloaded/i.test(s.message))],
  ['quota', s => s.status === 402 || s.is('insufficient_quota', 'billing_error', 'enforced_spend_limit_reached', 'contract_spend_limit_reached', 'linked_organization_spend_limit_reached', 'servicequotaexceededexception') || /credit balance is too low/i.test(s.message)],
  ['oversized_rate', s => (s.status === 429 || s.is('rate_limit_exceeded')) && /request too large/i.test(s.message)],
  ['rate_limit', s => s.status === 429 || s.is('throttlingexception', 'resource_exhausted', 'rate_limit_error', 'ratelimitreached', 'rate_limit_exceeded', 'too_many_requests')],
  ['authentication', s => s.status === 401 || s.is('invalid_api_key', 'api_key_invalid', 'authentication_error', 'unrecognizedclientexception', 'invalidsignatureexception', 'expiredtokenexception') || /incorrect api key/i.test(s.message)],
  ['permission', s => s.status === 403 || s.is('permission_denied', 'permission_error', 'accessdeniedexception')],
  ['not_found', s => s.status === 404 || s.is('model_not_found', 'deploymentnotfound', 'not_found', 'not_found_error', 'resourcenotfoundexception')],
  ['context_length', s => s.is('context_length_exceeded', 'too_many_prompt_tokens', 'too_many_tokens') || isContextOverflow(s.message) || silentOverflow(s)],
  ['too_large', s => s.status === 413 || s.is('request_too_large')],
  ['timeout', s => s.status === 408 || s.status === 504 || s.is('timeout_error', 'modeltimeoutexception', 'deadline_exceeded')],
  ['server', s => s.status >= 500 || s.status === 499 || s.is('api_error', 'server_error', 'internalserverexception', 'modelerrorexception', 'modelstreamerrorexception')],
  ['conflict', s => s.status === 409 && s.headers['x-should-retry'] !== 'false'],
  ['early', s => s.status === 425],
  ['redirect', s => s.status >= 300 && s.status < 400],
  ['invalid_request', s => s.status >= 400 || s.is('invalid_request_error', 'invalid_argument', 'validationexception')],
]

// One vendor answers an overlong prompt with a bare status.
function silentOverflow(seen: Seen): boolean {
  return seen.bare && seen.provider === 'cerebras' && (seen.status === 400 || seen.status === 413)
}

const CODE: Readonly<Record<Kind, Code>> = {
  content_filter: 'content_filter',
  overloaded: 'overloaded',
  quota: 'quota_exhausted',
  rate_limit: 'rate_limited',
  oversized_rate: 'rate_limited',
  authentication: 'credential_rejected',
  permission: 'credential_rejected',
  not_found: 'model_not_found',
  context_length: 'context_length',
  too_large: 'invalid_request',
  timeout: 'upstream_error',
  server: 'upstream_error',
  conflict: 'upstream_error',
  redirect: 'upstream_error',
  early: 'upstream_error',
  invalid_request: 'invalid_request',
}

const SENTENCE: Readonly<Record<Kind, (who: string, status: string) => string>> = {
  content_filter: (who, status) => `${who} refused the content of the request${status}. Change the prompt.`,
  overloaded: (who, status) => `${who} is overloaded${status}. Try again later or add a fallback deployment.`,
  quota: (who, status) => `${who} reports that the account has no credit or quota left${status}. Raise the limit or use another key.`,
  rate_limit: (who, status) => `${who} limits the rate of requests${status}. Wait, send fewer, or add keys or a fallback deployment.`,
  oversized_rate: (who, status) => `The request alone is larger than what ${who} allows per minute${status}. Waiting does not help: send a smaller request or raise the limit.`,
  authentication: (who, status) => `${who} rejected the credential${status}. Check the key.`,
  permission: (who, status) => `${who} does not let this credential do that${status}. Check the key's rights and its access to the model.`,
  not_found: (who, status) => `${who} does not know the model or the address${status}. Check the model name and baseUrl.`,
  context_length: (who, status) => `The prompt is longer than the context window of the model at ${who}${status}. Shorten it or use a model with a larger window.`,
  too_large: (who, status) => `The request is larger than ${who} accepts${status}. Send less, above all smaller files and images.`,
  timeout: (who, status) => `${who} ran out of time${status}. Try again or add a fallback deployment.`,
  server: (who, status) => `${who} failed${status}. Try again later or add a fallback deployment.`,
  conflict: (who, status) => `${who} reports a conflict with another request${status}. Try again.`,
  redirect: (who, status) => `${who} answered with a redirect${status}, which is never followed. Set baseUrl to the final address.`,
  early: (who, status) => `${who} was not ready for the request${status}. Try again.`,
  invalid_request: (who, status) => `${who} rejected the request${status}. See upstream.message for its own words.`,
}

function plainWord(word: string | undefined): string | undefined {
  // "com.vendor#Name:http://..." carries a namespace and an address round the name.
  return word?.slice(0, 200).split(':')[0]?.split('#').at(-1)?.trim().toLowerCase()
}

function statusOf({ status, code, type }: ErrorFacts): number {
  if (status >= 300) return status
  for (const word of [code, type]) if (word !== undefined && /^[45]\d\d$/.test(word)) return Number(word)
  return status
}

const REQUEST_ID = ['request-id', 'x-request-id', 'x-amzn-requestid', 'apim-request-id'] as const

/**
 * Classifies by PROTOCOLS 4.2 in its order, with the overflow texts of 4.4. A status below 300 (an error inside a good
 * answer) gives way to a status named by `code` or `type`. `retryAfterMs` is read only where the answer itself was an error.
 * `x-should-retry: false` is heeded on 409 alone: it makes the conflict an `invalid_request`; a failing server is left
 * all the same, and bounded retries are no harm there.
 */
export function faultOf(facts: ErrorFacts): GatewayError {
  const status = statusOf(facts)
  const said = [plainWord(facts.type), plainWord(facts.code)]
  const seen: Seen = {
    status,
    message: facts.message?.slice(0, 4000) ?? '',
    bare: facts.type === undefined && facts.code === undefined && (facts.message ?? '').trim() === '',
    headers: facts.headers,
    provider: facts.provider,
    is: (...words) => said.some(word => word !== undefined && words.includes(word)),
  }
  const kind = TESTS.find(([, test]) => test(seen))?.[0] ?? 'server'
  const wait = facts.status >= 400 && kind !== 'oversized_rate' ? retryAfterMs(facts.headers, facts.nowMs, status) : undefined
  return new GatewayError(CODE[kind], SENTENCE[kind](facts.provider ?? 'The upstream', status >= 300 ? ` (${status})` : ''), {
    origin: 'upstream',
    status,
    ...present({ retryAfterMs: wait }),
    upstream: wordsOf(facts),
  })
}

function wordsOf({ type, code, param, message, generated, requestId, headers }: ErrorFacts): UpstreamWords {
  return present({ type, code, param, message, generated, requestId: requestId ?? REQUEST_ID.map(name => headers[name]).find(id => id !== undefined) })
}

/** The fields that have a value. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)$/
const HTTP_DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/i

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? Math.max(0, value) : undefined
}

function scaled(text: string | undefined, factor: number): number | undefined {
  const trimmed = text?.trim()
  return trimmed !== undefined && NUMBER.test(trimmed) ? finite(Math.ceil(Number(trimmed) * factor)) : undefined
}

/**
 * How long an answer asks to wait, in milliseconds: `retry-after-ms`, then `retry-after` (seconds, fractions too, or an HTTP
 * date), then, only for status 429, the `x-ratelimit-reset-*` of what ran out. A moment in the past is 0; what is not a
 * time is `undefined`. Not capped.
 */
export function retryAfterMs(headers: Headers, nowMs: number, status?: number): number | undefined {
  const exact = scaled(headers['retry-after-ms'], 1)
  if (exact !== undefined) return exact
  const after = headers['retry-after']?.trim()
  const seconds = scaled(after, 1000)
  if (seconds !== undefined) return seconds
  if (after !== undefined && HTTP_DATE.test(after)) {
    const date = finite(Date.parse(after) - nowMs)
    if (date !== undefined) return date
  }
  return status === 429 ? resetMs(headers) : undefined
}

function resetMs(headers: Headers): number | undefined {
  const resets = ['requests', 'tokens'].flatMap(of => {
    const ms = durationMs(headers[`x-ratelimit-reset-${of}`] ?? '')
    return ms === undefined ? [] : [{ ms, empty: scaled(headers[`x-ratelimit-remaining-${of}`], 1) === 0 }]
  })
  const empty = resets.filter(reset => reset.empty)
  if (empty.length > 0) return Math.max(...empty.map(reset => reset.ms))
  return resets.length > 0 ? Math.min(...resets.map(reset => reset.ms)) : undefined
}

const UNITS: ReadonlyMap<string, number> = new Map([['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]])
const STEP = /(\d+(?:\.\d+)?)(ms|[dhms])/gy

/** Reads "12ms", "1s", "6m0s", "17.399s", "1h2m" and bare seconds, in milliseconds; `undefined` for anything else. */
export function durationMs(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > 64 || trimmed.startsWith('-')) return undefined
  const bare = scaled(trimmed, 1000)
  if (bare !== undefined) return bare
  let total = 0
  let read = 0
  for (const [whole, amount, unit] of trimmed.matchAll(STEP)) {
    total += Number(amount) * (UNITS.get(unit ?? '') ?? 0)
    read += whole.length
  }
  return read === trimmed.length ? finite(Math.ceil(total)) : undefined
}
