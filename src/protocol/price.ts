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
  return priced(usage as Counted, price)
}

type Counted = Usage & { readonly inputTokens: number; readonly outputTokens: number }

/** Each kind of use once; a kind without a price of its own costs what it is part of. */
function priced(usage: Counted, price: Price): Bill {
  const { inputTokens, outputTokens, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0, cacheWrite1hTokens = 0, reasoningTokens = 0 } = usage
  const { input, output, cachedInput = input, cacheWrite = input, cacheWrite1h = cacheWrite, reasoning } = price
  const hour = Math.min(cacheWrite1hTokens, written)
  const thought = reasoning === undefined ? 0 : reasoningTokens
  const parts: Record<string, number> = {}
  let nanos =
    charge(parts, 'input', inputTokens - cached - written, input) +
    charge(parts, 'cachedInput', cached, cachedInput) +
    charge(parts, 'cacheWrite', written - hour, cacheWrite) +
    charge(parts, 'cacheWrite1h', hour, cacheWrite1h) +
    charge(parts, 'output', outputTokens - thought, output) +
    charge(parts, 'reasoning', thought, reasoning ?? output)
  if (price.request !== undefined) nanos += parts['request'] = price.request * NANOS_PER_DOLLAR
  return { nanos: Math.round(nanos), parts, source: 'priced' }
}

function charge(parts: Record<string, number>, kind: string, tokens: number, perMillion: number): number {
  if (tokens <= 0) return 0
  // One token at 1 USD per million is 1,000 nano-dollars.
  return (parts[kind] = tokens * perMillion * 1000)
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
  return { usd: nanos === null ? null : nanos / NANOS_PER_DOLLAR, nanos, parts, estimated, saved: 0, source }
}
