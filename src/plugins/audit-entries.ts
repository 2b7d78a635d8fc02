import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { CallRecord } from '../protocol/result.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'

/** A change of keys, budgets, limits or credentials. Names of fields, never their values. */
export interface AuditChange {
  /** What was done, such as `key.create`. */
  readonly change: string
  /** To what. */
  readonly id?: string
  /** Which of its fields. */
  readonly fields?: readonly string[]
  /** By whom. */
  readonly by?: string
  /** When, in epoch milliseconds. Default: now. */
  readonly at?: number
}

/** What an entry tells, before it has a place in the chain. */
export type AuditData = { readonly [name: string]: unknown }

const WHO = ['team', 'project', 'user', 'key'] as const
const CHANGE = new Set(['change', 'id', 'fields', 'by', 'at'])
// Past it `toISOString` throws.
const LAST_MS = 8.64e15

const texts = (value: unknown): string[] | undefined => (Array.isArray(value) ? value.filter(one => typeof one === 'string') : undefined)

/** Copied, not kept: tags are the caller's, who may go on with them while the entry waits. */
function whoOf(principal: unknown): AuditData | undefined {
  if (!isObject(principal)) return undefined
  const who: { [name: string]: unknown } = {}
  for (const name of WHO) if (typeof principal[name] === 'string') who[name] = principal[name]
  const tags = texts(principal['tags'])
  if (tags !== undefined) who['tags'] = tags
  return Object.keys(who).length === 0 ? undefined : who
}

/** What the log keeps of a call: a list of names, so that a new field of the record does not come in unasked. */
export function callData(record: CallRecord): AuditData {
  const { policy } = record as CallRecord & { readonly policy?: unknown }
  return {
    id: record.id,
    op: record.kind,
    principal: whoOf(record.principal),
    model: record.model,
    route: record.route,
    deployment: record.deployment,
    provider: record.provider,
    outcome: record.outcome,
    code: record.code,
    costNanos: record.costNanos,
    usage: record.usage,
    policy,
    attempts: record.attempts.filter(attempt => attempt.outcome !== 'skipped').length,
    startedAt: record.startedAt,
    totalMs: record.totalMs,
  }
}

/** What was said in a call, as the record has it. */
export function contentData({ content }: CallRecord): AuditData | undefined {
  return content === undefined ? undefined : { messages: content.messages, text: content.text, toolCalls: content.toolCalls }
}

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { origin: 'caller' })
}

/** A change as it is kept, checked: throws `invalid_request`. */
export function changeData(entry: AuditChange): { readonly atMs: number | undefined; readonly data: AuditData } {
  if (!isObject(entry) || typeof entry.change !== 'string' || entry.change === '') throw invalid('A change for the audit log needs a text that says what was done: { change: "key.create", id, fields, by }.')
  // Values of what was changed have no place here: they may be secrets.
  refuseUnknownKeys(entry, CHANGE, 'A change for the audit log', 'invalid_request')
  const { change, id, fields, by, at } = entry
  for (const [name, value] of Object.entries({ id, by })) if (value !== undefined && typeof value !== 'string') throw invalid(`"${name}" of a change for the audit log must be a text.`)
  if (fields !== undefined && texts(fields)?.length !== fields.length) throw invalid('"fields" of a change for the audit log must be a list of names.')
  if (at !== undefined && !(typeof at === 'number' && Math.abs(at) <= LAST_MS)) throw invalid('"at" of a change for the audit log must be epoch milliseconds.')
  return { atMs: at, data: { change, id, fields: texts(fields), by } }
}
