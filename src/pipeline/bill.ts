import { estimateInputTokens, estimateTokens } from '../protocol/estimate.js'
import type { Usage } from '../protocol/events.js'
import { bill, total, type Bill } from '../protocol/price.js'
import type { OnUnknownPrice } from '../protocol/policy.js'
import type { Price } from '../protocol/ports.js'
import type { Cost } from '../protocol/result.js'
import type { Attempt } from '../resilience/attempt.js'
import type { WalkLog } from '../resilience/log.js'

/** Bills every attempt that was answered, and writes each bill into its report. */
export function billed(log: WalkLog, onUnknownPrice: OnUnknownPrice = 'refuse'): Cost {
  let estimated = false
  const bills: (Bill | undefined)[] = []
  for (const { attempt, at } of log.billed) {
    estimated ||= !reports(attempt.finish?.usage)
    const usage = usageOf(attempt)
    const one = billOf(usage, attempt.live.price, onUnknownPrice)
    bills.push(one)
    const report = log.at(at)
    if (report !== undefined) log.priced(report, usage, one?.nanos)
  }
  return total(bills, estimated)
}

/** What the provider reported, else what can be told from what was sent and what came. */
export function usageOf(attempt: Attempt): Usage {
  const reported = attempt.finish?.usage
  return reported !== undefined && reports(reported) ? reported : estimatedUsage(attempt)
}

export function billOf(usage: Usage, price: Price | undefined, onUnknownPrice: OnUnknownPrice): Bill | undefined {
  return bill(usage, price ?? (typeof onUnknownPrice === 'object' ? onUnknownPrice.assume : undefined))
}

function reports(usage: Usage | undefined): boolean {
  return usage?.reportedCostUsd !== undefined || (usage?.inputTokens !== undefined && usage.outputTokens !== undefined)
}

/** What arrived cannot have more tokens than were allowed: the estimate must not pass what was held for them. */
function estimatedUsage({ request, arrived, live }: Attempt): Usage {
  const most = request.maxOutputTokens ?? live.deployment.capabilities.maxOutputTokens ?? Infinity
  return { inputTokens: estimateInputTokens(request), outputTokens: Math.min(most, estimateTokens(arrived)) }
}
