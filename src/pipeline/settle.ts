import { GatewayError } from '../protocol/errors.js'
import { estimateInputTokens, estimateTokens } from '../protocol/estimate.js'
import type { Usage } from '../protocol/events.js'
import { isObject, type Json } from '../protocol/json.js'
import type { Clock, Plugin } from '../protocol/ports.js'
import { bill, total, type Bill } from '../protocol/price.js'
import type { Collected } from '../protocol/collect.js'
import type { CallRecord, Cost } from '../protocol/result.js'
import type { Attempt } from '../resilience/attempt.js'
import type { Admitted, Call, CallEnd } from './call.js'
import type { Flight } from './flight.js'

/** What is known of a call at its end; an early end knows less. */
export interface Known {
  readonly admitted?: Admitted
  readonly flight?: Flight
  /** The answer as the upstream gave it, masks on. */
  readonly collected?: () => Collected
}

/** What settling found out. */
export interface Settled {
  readonly cost: Cost
  readonly totalMs: number
  readonly firstEventMs?: number
}

/** Prices every attempt, lets the call go, and tells the observers. Never throws to the caller. */
export function createSettle({ plugins, clock }: { plugins: readonly Plugin[]; clock: Clock }): (call: Call, end: CallEnd, known: Known) => Settled {
  const observers = plugins.filter(plugin => plugin.observe !== undefined)
  const content = observers.some(plugin => plugin.content === true)
  return (call, end, known) => {
    const totalMs = clock.now() - call.startedMs
    const cost = known.flight === undefined ? total([], false) : priced(known.flight)
    const { attempt } = known.flight ?? {}
    const firstEventMs = attempt?.firstEventMs === undefined ? undefined : attempt.startedMs + attempt.firstEventMs - call.startedMs
    const settled: Settled = { cost, totalMs, ...(firstEventMs !== undefined && { firstEventMs }) }
    call.end()
    if (observers.length > 0) {
      const record = Object.freeze(recordOf(call, end, known, settled, content))
      for (const plugin of observers) tell(plugin, record)
    }
    return settled
  }
}

function tell(plugin: Plugin, record: CallRecord): void {
  try {
    plugin.observe?.(record)
  } catch {
    // An observer's failure is its own: the call is over and was answered.
  }
}

/** Bills every attempt that was answered, and writes each bill into its report. */
function priced({ walk }: Flight): Cost {
  let estimated = false
  const bills: (Bill | undefined)[] = []
  for (const { attempt, at } of walk.billed) {
    const reported = attempt.finish?.usage
    const known = reported?.reportedCostUsd !== undefined || (reported?.inputTokens !== undefined && reported.outputTokens !== undefined)
    estimated ||= !known
    const usage = known ? reported : estimatedUsage(attempt)
    const one = bill(usage, attempt.live.deployment.price)
    bills.push(one)
    const report = walk.reports[at]
    if (report !== undefined) walk.reports[at] = { ...report, ...(usage !== undefined && { usage }), ...(one !== undefined && { costNanos: one.nanos }) }
  }
  return total(bills, estimated)
}

function estimatedUsage(attempt: Attempt): Usage {
  return { inputTokens: estimateInputTokens(attempt.request), outputTokens: estimateTokens(attempt.arrived) }
}

function recordOf(call: Call, end: CallEnd, known: Known, settled: Settled, content: boolean): CallRecord {
  const { admitted, flight } = known
  const collected = known.collected?.()
  // What was refused for its form is recorded too, so nothing is known of that form.
  const asked: unknown = isObject(call.asked) ? call.asked['model'] : undefined
  const metadata: unknown = isObject(call.options) ? call.options['metadata'] : undefined
  const { fault } = end
  const answered = end.outcome === 'success' ? flight?.attempt : undefined
  const { finish } = answered ?? {}
  return {
    version: 1,
    id: call.id,
    kind: call.kind,
    startedAt: new Date(call.startedMs).toISOString(),
    model: typeof asked === 'string' ? asked.slice(0, 200) : '',
    route: admitted?.route.name ?? '',
    outcome: end.outcome,
    // A copy: the caller may go on with the objects while the record waits to be written.
    attempts: Object.freeze([...(flight?.walk.reports ?? fault?.attempts ?? [])]),
    excluded: flight?.plan.excluded ?? fault?.excluded ?? [],
    warnings: collected?.warnings ?? [],
    restarts: flight?.restarts ?? 0,
    totalMs: settled.totalMs,
    costNanos: settled.cost.nanos,
    ...(fault !== undefined && { code: fault.code }),
    ...(answered !== undefined && { deployment: answered.live.deployment.id, provider: answered.live.deployment.provider, answeredModel: collected?.model ?? answered.live.deployment.model }),
    ...(finish !== undefined && { finishReason: finish.finishReason, usage: finish.usage }),
    ...(settled.firstEventMs !== undefined && { firstEventMs: settled.firstEventMs }),
    ...(isObject(metadata) && { metadata: Object.freeze({ ...metadata }) as NonNullable<CallRecord['metadata']> }),
    ...(content && admitted !== undefined && { content: { messages: [...admitted.request.messages] as unknown as Json, text: collected?.text ?? '', toolCalls: (collected?.toolCalls ?? []) as unknown as Json } }),
  }
}

/** Who ended a call, from the fault that did. */
export function endOf(fault: GatewayError): CallEnd {
  return { outcome: fault.code === 'aborted' ? 'aborted' : 'failure', fault }
}

/** Anything thrown inside the pipeline as the one error class. */
export function asGatewayError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${error instanceof Error ? error.name : typeof error}. Please report it.`, { origin: 'gateway', cause: error })
}
