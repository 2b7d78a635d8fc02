import type { Collected } from '../protocol/collect.js'
import { isObject, type Json } from '../protocol/json.js'
import type { CallRecord } from '../protocol/result.js'
import type { Admitted, Call, CallEnd } from './call.js'
import type { Flight } from './flight.js'
import type { Known, Settled } from './settle.js'

type Draft = { -readonly [K in keyof CallRecord]: CallRecord[K] }

/** What is written down about a call. Lists are copied: the caller may go on with its own while the record waits. */
export function recordOf(call: Call, end: CallEnd, { admitted, flight, collected }: Known, settled: Settled, content: boolean): CallRecord {
  const answer = collected?.()
  const record: Draft = {
    version: 1,
    id: call.id,
    kind: call.kind,
    startedAt: new Date(call.startedMs).toISOString(),
    model: modelOf(call),
    route: admitted === undefined ? '' : admitted.route.name,
    outcome: end.outcome,
    ...wayOf(flight, end),
    warnings: answer === undefined ? [] : answer.warnings,
    totalMs: settled.totalMs,
    costNanos: settled.cost.nanos,
  }
  if (end.fault !== undefined) record.code = end.fault.code
  if (settled.firstEventMs !== undefined) record.firstEventMs = settled.firstEventMs
  if (end.outcome === 'success') addAnswer(record, flight, answer)
  addMetadata(record, call)
  if (content && admitted !== undefined) record.content = contentOf(admitted, answer)
  return Object.freeze(record)
}

function addMetadata(record: Draft, { options }: Call): void {
  const metadata: unknown = isObject(options) ? options['metadata'] : undefined
  if (isObject(metadata)) record.metadata = Object.freeze({ ...metadata }) as NonNullable<CallRecord['metadata']>
}

/** A request that was refused for its form is recorded too, so nothing is known of that form. */
function modelOf({ asked }: Call): string {
  const model: unknown = isObject(asked) ? asked['model'] : undefined
  return typeof model === 'string' ? model.slice(0, 200) : ''
}

/** Who was asked, and who was not; an early end has only what its fault tells. */
function wayOf(flight: Flight | undefined, { fault }: CallEnd): Pick<CallRecord, 'attempts' | 'excluded' | 'restarts'> {
  if (flight === undefined) return { attempts: fault?.attempts ?? [], excluded: fault?.excluded ?? [], restarts: 0 }
  return { attempts: Object.freeze([...flight.walk.log.reports]), excluded: flight.plan.excluded, restarts: flight.restarts }
}

function addAnswer(record: Draft, flight: Flight | undefined, answer: Collected | undefined): void {
  const attempt = flight?.attempt
  if (attempt === undefined) return
  const { id, provider, model } = attempt.live.deployment
  record.deployment = id
  record.provider = provider
  record.answeredModel = answer?.model ?? model
  if (attempt.finish === undefined) return
  record.finishReason = attempt.finish.finishReason
  record.usage = attempt.finish.usage
}

function contentOf({ request }: Admitted, answer: Collected | undefined): NonNullable<CallRecord['content']> {
  return { messages: request.messages as unknown as Json, text: answer?.text ?? '', toolCalls: (answer?.toolCalls ?? []) as unknown as Json }
}
