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
  if (usage?.reportedCostUsd !== undefined) {
    const nanos = Math.round(usage.reportedCostUsd * NANOS_PER_DOLLAR)
    return { nanos, parts: { reported: nanos }, source: 'reported' }
  }
  if (price === undefined || usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined
  const parts: Record<string, number> = {}
  let nanos = 0
  for (const [kind, tokens, perMillion] of classes(usage as Counted, price)) {
    if (tokens <= 0) continue
    // One token at 1 USD per million is 1,000 nano-dollars.
    parts[kind] = tokens * perMillion * 1000
    nanos += parts[kind]
  }
  if (price.request !== undefined) nanos += parts['request'] = price.request * NANOS_PER_DOLLAR
  return { nanos: Math.round(nanos), parts, source: 'priced' }
}

type Counted = Usage & { readonly inputTokens: number; readonly outputTokens: number }

/** Each kind of use with its tokens and what a million of them costs; a kind without a price of its own costs what it is part of. */
function classes(usage: Counted, price: Price): readonly (readonly [kind: string, tokens: number, perMillion: number])[] {
  const { inputTokens, outputTokens, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, cacheWrite1hTokens = 0, reasoningTokens = 0 } = usage
  const { input, output, cachedInput = input, cacheWrite = input, cacheWrite1h = cacheWrite, reasoning } = price
  const hour = Math.min(cacheWrite1hTokens, written)
  const thought = reasoning === undefined ? 0 : reasoningTokens
  return [
    ['input', inputTokens - cached - written, input],
    ['cachedInput', cached, cachedInput],
    ['cacheWrite', written - hour, cacheWrite],
    ['cacheWrite1h', hour, cacheWrite1h],
    ['output', outputTokens - thought, output],
    ['reasoning', thought, reasoning ?? output],
  ]
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
