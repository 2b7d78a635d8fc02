import type { Usage } from '../../protocol/events.js'
import { isObject } from '../../protocol/json.js'
import { present } from '../faults.js'
import { countAt, tierOf } from '../common/usage.js'

// One server counts its price in ten-thousandths of a millionth of a dollar.
const TICKS_PER_USD = 1e10

/** The usage of a response; input holds cached tokens and output holds reasoning already. */
export function usageOf(response: Record<string, unknown>): Usage {
  const usage = response['usage']
  if (!isObject(usage)) return present({ serviceTier: tierOf(response['service_tier']) })
  const ticks = countAt(usage, 'cost_in_usd_ticks')
  return present({
    inputTokens: countAt(usage, 'input_tokens'),
    outputTokens: countAt(usage, 'output_tokens'),
    cachedInputTokens: countAt(usage['input_tokens_details'], 'cached_tokens'),
    cacheWriteTokens: countAt(usage['input_tokens_details'], 'cache_write_tokens'),
    reasoningTokens: countAt(usage['output_tokens_details'], 'reasoning_tokens'),
    serviceTier: tierOf(response['service_tier']),
    reportedCostUsd: ticks === undefined ? undefined : ticks / TICKS_PER_USD,
  })
}
