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
  const bills: (Bill | undefined)[] = []
  return total(bills, collectBills(log, bills, onUnknownPrice))
}

/** Adds the bills of one walk; tells whether one of them is an estimate. */
export function collectBills(log: WalkLog, bills: (Bill | undefined)[], onUnknownPrice: OnUnknownPrice = 'refuse'): boolean {
  let estimated = false
  for (const { attempt, at } of log.billed) {
    estimated ||= !reports(attempt.finish?.usage, attempt)
    const usage = usageOf(attempt)
    const one = billOf(usage, attempt.live.price, onUnknownPrice)
    bills.push(one)
    const report = log.at(at)
    if (report !== undefined) log.priced(report, usage, one?.nanos)
  }
  return estimated
}

/** What the provider reported, else what can be told from what was sent and what came. */
export function usageOf(attempt: Attempt): Usage {
  const reported = attempt.finish?.usage
  return reported !== undefined && reports(reported, attempt) ? reported : estimatedUsage(attempt)
}

/** Of a usage that {@link usageOf} gave: where it says nothing of output there was none. */
export function billOf(usage: Usage, price: Price | undefined, onUnknownPrice: OnUnknownPrice): Bill | undefined {
  const whole = usage.outputTokens === undefined && usage.inputTokens !== undefined ? { ...usage, outputTokens: 0 } : usage
  return bill(whole, price ?? (typeof onUnknownPrice === 'object' ? onUnknownPrice.assume : undefined))
}

/** Where nothing is written, nothing is said of it. */
function reports(usage: Usage | undefined, { request }: Attempt): boolean {
  return usage?.reportedCostUsd !== undefined || (usage?.inputTokens !== undefined && (usage.outputTokens !== undefined || request.embed !== undefined))
}

/** What arrived cannot have more tokens than were allowed: the estimate must not pass what was held for them. */
function estimatedUsage({ request, arrived, live }: Attempt): Usage {
  const most = request.maxOutputTokens ?? live.deployment.capabilities.maxOutputTokens ?? Infinity
  return { inputTokens: estimateInputTokens(request), outputTokens: Math.min(most, estimateTokens(arrived)) }
}
