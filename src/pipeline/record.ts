import type { Collected } from '../protocol/collect.js'
import { copyOf } from '../protocol/copy.js'
import type { Instants } from '../protocol/instant.js'
import { isObject, type Json } from '../protocol/json.js'
import type { CallRecord } from '../protocol/result.js'
import type { Admitted, Call, CallEnd } from './call.js'
import type { Source, Way } from './source.js'
import type { Known, Settled } from './settle.js'

const ALLOWED = Object.freeze({ decision: 'allowed' } as const)

type Draft = { -readonly [K in keyof CallRecord]: CallRecord[K] }

/** What is written down about a call. Lists are copied: the caller may go on with its own while the record waits. */
export function recordOf(call: Call, end: CallEnd, { admitted, source, collected }: Known, settled: Settled, content: boolean, instants: Instants): CallRecord {
  const answer = collected?.()
  const way = wayOf(source, end)
  const record: Draft = {
    version: 1,
    id: call.id,
    kind: call.kind,
    startedAt: instants.of(call.startedMs),
    model: modelOf(call),
    route: admitted === undefined ? '' : admitted.route.name,
    outcome: end.outcome,
    attempts: way.attempts,
    excluded: way.excluded,
    restarts: way.restarts,
    warnings: answer === undefined ? [] : answer.warnings,
    totalMs: settled.totalMs,
    costNanos: settled.cost.nanos,
  }
  if (end.fault !== undefined) record.code = end.fault.code
  if (settled.firstEventMs !== undefined) record.firstEventMs = settled.firstEventMs
  if (end.outcome === 'success') addAnswer(record, source, answer)
  if (source !== undefined && source.cached !== false) record.cached = source.cached
  if (settled.cost.saved > 0) record.savedNanos = Math.round(settled.cost.saved * 1e9)
  if (call.system !== undefined) record.system = call.system
  addPolicy(record, source, end)
  addContext(record, call)
  if (content && admitted !== undefined) record.content = contentOf(admitted, answer)
  return Object.freeze(record)
}

/** The options of a refused call may be anything. */
function addContext(record: Draft, call: Call): void {
  const options: unknown = call.options
  if (!isObject(options)) return
  const { metadata, principal, conversation } = options
  if (isObject(metadata)) record.metadata = Object.freeze(copyOf(metadata)) as NonNullable<CallRecord['metadata']>
  if (isObject(principal)) record.principal = Object.freeze(copyOf(principal)) as NonNullable<CallRecord['principal']>
  if (typeof conversation === 'string') record.conversation = conversation
}

/** A request that was refused for its form is recorded too, so nothing is known of that form. */
function modelOf({ asked }: Call): string {
  const model: unknown = isObject(asked) ? asked['model'] : undefined
  return typeof model === 'string' ? model.slice(0, 200) : ''
}

/** Who was asked, and who was not; an early end has only what its fault tells. */
function wayOf(source: Source | undefined, { fault }: CallEnd): Way {
  if (source === undefined) return { attempts: fault?.attempts ?? [], excluded: fault?.excluded ?? [], restarts: 0 }
  const { attempts, excluded, restarts } = source.way
  return { attempts: Object.freeze([...attempts]), excluded, restarts }
}

function addAnswer(record: Draft, source: Source | undefined, answer: Collected | undefined): void {
  const answered = source?.answered
  if (answered === undefined) return
  record.deployment = answered.deployment
  record.provider = answered.provider
  record.answeredModel = answer?.model ?? answered.model
  if (answered.note !== undefined) record.note = answered.note
  if (answer?.finish === undefined) return
  record.finishReason = answer.finish.finishReason
  record.usage = answer.finish.usage
}

function addPolicy(record: Draft, source: Source | undefined, { fault }: CallEnd): void {
  const downgraded = source?.downgraded
  if (downgraded !== undefined) record.downgraded = downgraded
  if (fault?.policy !== undefined) record.policy = { decision: 'refused', by: fault.policy, code: fault.code }
  else if (downgraded !== undefined) record.policy = { decision: 'downgraded', by: downgraded.policy }
  else if (source?.policed === true) record.policy = ALLOWED
}

function contentOf({ request }: Admitted, answer: Collected | undefined): NonNullable<CallRecord['content']> {
  return { messages: request.messages as unknown as Json, text: answer?.text ?? '', toolCalls: (answer?.toolCalls ?? []) as unknown as Json }
}
