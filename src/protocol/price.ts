import type { Usage } from './events.js'
import type { Price } from './ports.js'
import type { Cost } from './result.js'

const NANOS_PER_DOLLAR = 1e9

/** What one attempt cost, in integer nano-dollars, split by kind of use. */
export interface Bill {
  readonly nanos: number
  readonly parts: { readonly [kind: string]: number }
  readonly source: 'reported' | 'priced'
}

/**
 * Prices the usage of one attempt. The provider's own figure wins; a usage without tokens or a deployment without a price
 * has no bill. Cached tokens are charged once: they are part of `inputTokens` and are taken out of it first.
 */
export function bill(usage: Usage | undefined, price: Price | undefined): Bill | undefined {
  if (usage === undefined) return undefined
  if (usage.reportedCostUsd !== undefined) {
    const nanos = Math.round(usage.reportedCostUsd * NANOS_PER_DOLLAR)
    return { nanos, parts: { reported: nanos }, source: 'reported' }
  }
  if (price === undefined || usage.inputTokens === undefined || usage.outputTokens === undefined) return undefined
  const cached = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const written1h = Math.min(usage.cacheWrite1hTokens ?? 0, written)
  const reasoning = price.reasoning === undefined ? 0 : (usage.reasoningTokens ?? 0)
  const parts: Record<string, number> = {}
  const charge = (kind: string, tokens: number, perMillion: number) => {
    // One token at 1 USD per million is 1,000 nano-dollars.
    if (tokens > 0) parts[kind] = tokens * perMillion * 1000
  }
  charge('input', Math.max(0, usage.inputTokens - cached - written), price.input)
  charge('cachedInput', cached, price.cachedInput ?? price.input)
  charge('cacheWrite', written - written1h, price.cacheWrite ?? price.input)
  charge('cacheWrite1h', written1h, price.cacheWrite1h ?? price.cacheWrite ?? price.input)
  charge('output', Math.max(0, usage.outputTokens - reasoning), price.output)
  charge('reasoning', reasoning, price.reasoning ?? price.output)
  if (price.request !== undefined) parts['request'] = price.request * NANOS_PER_DOLLAR
  return { nanos: Math.round(Object.values(parts).reduce((sum, part) => sum + part, 0)), parts, source: 'priced' }
}

/** Adds the bills of all attempts that billed; one `undefined` among them makes the total unknown. */
export function total(bills: readonly (Bill | undefined)[], estimated: boolean): Cost {
  const parts: Record<string, number> = {}
  let nanos: number | null = 0
  let source: Cost['source'] = 'priced'
  for (const one of bills) {
    if (one === undefined) {
      nanos = null
      source = 'unknown'
      continue
    }
    if (nanos !== null) nanos += one.nanos
    if (source === 'priced' && one.source === 'reported') source = 'reported'
    for (const [kind, amount] of Object.entries(one.parts)) parts[kind] = (parts[kind] ?? 0) + amount
  }
  return { usd: nanos === null ? null : nanos / NANOS_PER_DOLLAR, nanos, parts, estimated, source }
}
