import { GatewayError } from '../protocol/errors.js'
import { estimateInputTokens, estimateTokens } from '../protocol/estimate.js'
import type { Usage } from '../protocol/events.js'
import type { Clock, Plugin } from '../protocol/ports.js'
import { bill, total, type Bill } from '../protocol/price.js'
import type { Collected } from '../protocol/collect.js'
import type { CallRecord, Cost } from '../protocol/result.js'
import type { Attempt } from '../resilience/attempt.js'
import type { Admitted, Call, CallEnd } from './call.js'
import type { Flight } from './flight.js'
import { recordOf } from './record.js'

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
export function createSettle({ plugins, clock, content }: { plugins: readonly Plugin[]; clock: Clock; content: boolean }): (call: Call, end: CallEnd, known: Known) => Settled {
  const observers = plugins.filter(plugin => plugin.observe !== undefined)
  return (call, end, known) => {
    const totalMs = clock.now() - call.startedMs
    const cost = known.flight === undefined ? total([], false) : priced(known.flight)
    const { attempt } = known.flight ?? {}
    const firstEventMs = attempt?.firstEventMs === undefined ? undefined : attempt.startedMs + attempt.firstEventMs - call.startedMs
    const settled: Settled = { cost, totalMs, ...(firstEventMs !== undefined && { firstEventMs }) }
    call.end()
    if (observers.length > 0) {
      const record = recordOf(call, end, known, settled, content)
      for (const plugin of observers) tell(plugin, record)
    }
    return settled
  }
}

function tell(plugin: Plugin, record: CallRecord): void {
  try {
    const late: unknown = plugin.observe?.(record)
    if (late instanceof Promise) late.catch(() => undefined)
  } catch {
    // An observer's failure is its own: the call is over and was answered.
  }
}

/** Bills every attempt that was answered, and writes each bill into its report. */
function priced({ walk }: Flight): Cost {
  let estimated = false
  const bills: (Bill | undefined)[] = []
  for (const { attempt, at } of walk.log.billed) {
    const reported = attempt.finish?.usage
    const known = reported?.reportedCostUsd !== undefined || (reported?.inputTokens !== undefined && reported.outputTokens !== undefined)
    estimated ||= !known
    const usage = known ? reported : estimatedUsage(attempt)
    const one = bill(usage, attempt.live.deployment.price)
    bills.push(one)
    const report = walk.log.at(at)
    if (report !== undefined) walk.log.priced(report, usage, one?.nanos)
  }
  return total(bills, estimated)
}

function estimatedUsage(attempt: Attempt): Usage {
  return { inputTokens: estimateInputTokens(attempt.request), outputTokens: estimateTokens(attempt.arrived) }
}

/** Who ended a call, from the fault that did. */
export function endOf(fault: GatewayError): CallEnd {
  return { outcome: fault.code === 'aborted' ? 'aborted' : 'failure', fault }
}

/** Anything thrown inside the pipeline as the one error class. A foreign error's text may hold anything: only where it came from is kept. */
export function asGatewayError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  const name = error instanceof Error ? error.name : typeof error
  const cause = new Error(`a ${name}, its text left out`)
  const frames = error instanceof Error ? /^ +at .*$/m.exec(error.stack ?? '')?.index : undefined
  if (frames !== undefined && error instanceof Error) cause.stack = `${cause.message}\n${(error.stack ?? '').slice(frames)}`
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${name}.`, { origin: 'gateway', cause })
}
