import type { GatewayError } from '../protocol/errors.js'
import type { Usage } from '../protocol/events.js'
import type { AttemptEnd, Deployment, Note, RateLimits } from '../protocol/ports.js'
import type { AttemptReport } from '../protocol/result.js'
import { thinks, type AttemptSpec } from './attempt-spec.js'

/** How a try ended, with what is not known left undefined. */
interface Ended {
  readonly outcome: AttemptEnd['outcome']
  readonly durationMs: number
  readonly firstEventMs: number | undefined
  readonly usage: Usage | undefined
  readonly fault: GatewayError | undefined
}

type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** The end of a try as its permits are told. */
export function endOf({ outcome, durationMs, firstEventMs, fault, usage, limits }: Ended & { readonly limits: RateLimits | undefined }): AttemptEnd {
  const end: Draft<AttemptEnd> = { outcome, durationMs }
  if (firstEventMs !== undefined) end.firstEventMs = firstEventMs
  if (fault !== undefined) end.fault = fault
  if (usage !== undefined) end.usage = usage
  if (limits !== undefined) end.limits = limits
  return end
}

/** A deadline that the caller drew tighter than the route says nothing about the deployment. */
export function judged(outcome: AttemptEnd['outcome'], fault: GatewayError | undefined, spec: AttemptSpec): AttemptEnd['outcome'] {
  const { deadlines, usual } = spec
  const which = fault?.deadline
  if (outcome !== 'failure' || which === undefined || usual === deadlines) return outcome
  const key = which === 'answer' ? 'answerMs' : which === 'idle' ? 'idleMs' : thinks(spec) ? 'reasoningFirstEventMs' : 'firstEventMs'
  return deadlines[key] < usual[key] ? 'neutral' : outcome
}

/** The end of a try as the caller is told. `startedMs` is counted from the start of the call. */
export function reportOf(ended: Ended & { readonly deployment: Deployment; readonly startedMs: number; readonly responseId: string | undefined; readonly note: Note | undefined }): AttemptReport {
  const { deployment, outcome, startedMs, durationMs, firstEventMs, usage, responseId, note, fault } = ended
  const { id, provider, model } = deployment
  const report: Draft<AttemptReport> = { deployment: id, provider, model, outcome: outcome === 'neutral' ? 'aborted' : outcome, startedMs, durationMs }
  if (firstEventMs !== undefined) report.firstEventMs = firstEventMs
  if (usage !== undefined) report.usage = usage
  if (responseId !== undefined) report.responseId = responseId
  if (note !== undefined) report.note = note
  if (fault !== undefined) blame(report, fault)
  return report
}

function blame(report: Draft<AttemptReport>, fault: GatewayError): void {
  report.code = fault.code
  report.reason = fault.message
  if (fault.status !== undefined) report.status = fault.status
  if (fault.deadline !== undefined) report.deadline = fault.deadline
}
