import type { Usage } from '../protocol/events.js'
import type { ChatResult, Cost } from '../protocol/result.js'

const NANOS_PER_DOLLAR = 1e9

type Draft<T> = { -readonly [K in keyof T]: T[K] }

/** The sum of what was reported; a field that no step reported stays absent, and the service tier is told where all had the same. */
export function usageOf(steps: readonly Pick<ChatResult, 'usage'>[]): Usage {
  const sum: Draft<Usage> = {}
  for (const { usage } of steps) {
    for (const key of Object.keys(usage) as (keyof Usage)[]) {
      if (key === 'serviceTier') continue
      const value = usage[key]
      if (value !== undefined) sum[key] = (sum[key] ?? 0) + value
    }
  }
  const tier = steps[0]?.usage.serviceTier
  if (tier !== undefined && steps.every(({ usage }) => usage.serviceTier === tier)) sum.serviceTier = tier
  return sum
}

/** What all steps cost; unknown as soon as one is. */
export function costOf(steps: readonly Pick<ChatResult, 'cost'>[]): Cost {
  let nanos: number | null = 0
  let saved = 0
  const parts = Object.create(null) as Record<string, number>
  for (const { cost } of steps) {
    nanos = nanos === null || cost.nanos === null ? null : nanos + cost.nanos
    saved += cost.saved
    for (const [kind, part] of Object.entries(cost.parts)) parts[kind] = (parts[kind] ?? 0) + part
  }
  const sources = steps.map(({ cost }) => cost.source)
  const source = sources.includes('unknown') ? 'unknown' : sources.includes('reported') ? 'reported' : 'priced'
  return { usd: nanos === null ? null : nanos / NANOS_PER_DOLLAR, nanos, parts: { ...parts }, estimated: steps.some(({ cost }) => cost.estimated), saved, source }
}
