import type { GatewayError } from '../../protocol/errors.js'
import { isObject, numberAt, stringAt, tryParseJson } from '../../protocol/json.js'
import type { Headers } from '../../protocol/ports.js'
import { durationMs, faultOf, present, type ErrorFacts } from '../faults.js'

const STATUS: ReadonlyMap<string, number> = new Map([
  ['INVALID_ARGUMENT', 400],
  ['FAILED_PRECONDITION', 400],
  ['UNAUTHENTICATED', 401],
  ['PERMISSION_DENIED', 403],
  ['NOT_FOUND', 404],
  ['RESOURCE_EXHAUSTED', 429],
  ['CANCELLED', 499],
  ['UNAVAILABLE', 503],
  ['DEADLINE_EXCEEDED', 504],
])
const LONG_QUOTA = /per_?(?:day|month)/i
const MOST_DETAILS = 100

interface Said {
  readonly facts: Pick<ErrorFacts, 'type' | 'code' | 'message'>
  readonly status?: number
  readonly waitMs?: number
  /** A quota of a day or longer is used up: waiting a little does not help. */
  readonly quota?: boolean
}

// A page of a proxy, or of a location that is none, is no sentence anyone wants to read.
function sentence(text: string): Said {
  const trimmed = text.trim()
  return { facts: trimmed === '' || trimmed.startsWith('<') ? {} : { message: trimmed.slice(0, 500) } }
}

function detailsOf(error: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(error['details']) ? (error['details'] as unknown[]).slice(0, MOST_DETAILS).filter(isObject) : []
}

function isLong(detail: Record<string, unknown>): boolean {
  const violations = Array.isArray(detail['violations']) ? (detail['violations'] as unknown[]) : []
  return violations.some(violation => LONG_QUOTA.test(`${stringAt(violation, 'quotaId') ?? ''} ${stringAt(violation, 'quotaMetric') ?? ''}`))
}

function said(body: unknown): Said {
  const parsed = typeof body === 'string' ? (tryParseJson(body) ?? body) : body
  // Where a stream was asked for without event framing, the error comes in a list.
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (typeof first === 'string') return sentence(first)
  if (!isObject(first)) return { facts: {} }
  const error = isObject(first['error']) ? first['error'] : first
  const details = detailsOf(error)
  const code = numberAt(error, 'code')
  const type = stringAt(error, 'status')
  const delay = details.map(detail => stringAt(detail, 'retryDelay')).find(text => text !== undefined)
  const quota = details.some(isLong)
  return present({
    facts: present({
      type,
      code: details.map(detail => stringAt(detail, 'reason')).find(reason => reason !== undefined) ?? stringAt(error, 'code'),
      message: stringAt(error, 'message') ?? stringAt(first, 'error'),
    }),
    status: code !== undefined && code >= 400 && code < 600 ? code : STATUS.get(type ?? ''),
    waitMs: durationMs(delay ?? ''),
    quota: quota || undefined,
  }) as Said
}

/** Who answered, for the sentence of the error. */
export interface ErrorContext {
  readonly provider: string
  readonly status: number
  readonly headers: Headers
  readonly nowMs: number
}

function judged({ facts, waitMs, quota }: Said, context: ErrorContext): GatewayError {
  if (quota === true) {
    // The wait that comes with it is that of a minute, and would only burn tries.
    const fault = faultOf({ ...context, ...facts, code: 'insufficient_quota' })
    return fault.with({ upstream: present({ ...fault.upstream, code: facts.code, message: facts.message }) })
  }
  const fault = faultOf({ ...context, ...facts })
  return waitMs === undefined || fault.retryAfterMs !== undefined || fault.code === 'quota_exhausted' ? fault : fault.with({ retryAfterMs: waitMs })
}

/** An error answer: `{ error: { code, message, status, details } }`, the same in a list, or whatever a proxy put there. */
export function faultFrom(body: unknown, context: ErrorContext): GatewayError {
  return judged(said(body), context)
}

/** An error inside an answer that began well; its headers say nothing of it. */
export function faultWithin(body: unknown, provider: string): GatewayError {
  const words = said(body)
  return judged(words, { provider, status: words.status ?? 500, headers: {}, nowMs: 0 })
}
