import { estimateInputTokens, estimateTokens } from '../protocol/estimate.js'
import type { Usage } from '../protocol/events.js'
import { bill, total, type Bill } from '../protocol/price.js'
import type { Cost } from '../protocol/result.js'
import type { Attempt } from '../resilience/attempt.js'
import type { WalkLog } from '../resilience/log.js'

/** Bills every attempt that was answered, and writes each bill into its report. */
export function billed(log: WalkLog): Cost {
  let estimated = false
  const bills: (Bill | undefined)[] = []
  for (const { attempt, at } of log.billed) {
    const reported = attempt.finish?.usage
    const known = reported?.reportedCostUsd !== undefined || (reported?.inputTokens !== undefined && reported.outputTokens !== undefined)
    estimated ||= !known
    const usage = known ? reported : estimatedUsage(attempt)
    const one = bill(usage, attempt.live.price)
    bills.push(one)
    const report = log.at(at)
    if (report !== undefined) log.priced(report, usage, one?.nanos)
  }
  return total(bills, estimated)
}

function estimatedUsage(attempt: Attempt): Usage {
  return { inputTokens: estimateInputTokens(attempt.request), outputTokens: estimateTokens(attempt.arrived) }
}
