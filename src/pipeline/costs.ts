import { estimateInputTokens } from '../protocol/estimate.js'
import { expectedNanos } from '../protocol/price.js'
import type { Price } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { DeploymentStats } from '../protocol/strategy.js'

/** What an answer is taken to have where none was measured yet. */
const OUTPUT_TOKENS = 400

/**
 * What a request is expected to cost at a deployment, in nano-dollars: its prompt as estimated, of which the share that was cached before
 * is cached again, and an answer as long as the answers before it, within `maxOutputTokens`. `undefined` without a price.
 */
export function expectedCost(request: UpstreamRequest, price: Price | undefined, { outputTokens = OUTPUT_TOKENS, cachedShare = 0 }: DeploymentStats): number | undefined {
  if (price === undefined) return undefined
  const inputTokens = estimateInputTokens(request)
  return expectedNanos({ inputTokens, outputTokens: Math.min(outputTokens, request.maxOutputTokens ?? Infinity), cachedInputTokens: Math.floor(inputTokens * cachedShare) }, price)
}
