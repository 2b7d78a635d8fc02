import type { FinishReason, Usage } from '../../protocol/events.js'
import { isObject, numberAt, stringAt } from '../../protocol/json.js'

function count(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = keys.map(key => numberAt(value, key)).find(number => number !== undefined)
  return found !== undefined && found >= 0 ? found : undefined
}

function hourOf(usage: unknown): number | undefined {
  const details: unknown = isObject(usage) ? usage['cacheDetails'] : undefined
  const counts = Array.isArray(details) ? details.flatMap(detail => (stringAt(detail, 'ttl') === '1h' ? [count(detail, 'inputTokens') ?? 0] : [])) : []
  return counts.length > 0 ? counts.reduce((sum, tokens) => sum + tokens, 0) : undefined
}

/** `inputTokens` of this wire leaves cached tokens out; they are counted in. */
export function usageOf(usage: unknown, tier: unknown): Usage {
  const input = count(usage, 'inputTokens')
  const output = count(usage, 'outputTokens')
  const read = count(usage, 'cacheReadInputTokens', 'cacheReadInputTokenCount')
  const written = count(usage, 'cacheWriteInputTokens', 'cacheWriteInputTokenCount')
  const hour = hourOf(usage)
  const served = stringAt(tier, 'type')
  return {
    ...(input !== undefined && { inputTokens: input + (read ?? 0) + (written ?? 0) }),
    ...(output !== undefined && { outputTokens: output }),
    ...(read !== undefined && { cachedInputTokens: read }),
    ...(written !== undefined && { cacheWriteTokens: written }),
    ...(hour !== undefined && { cacheWrite1hTokens: hour }),
    ...(served !== undefined && served !== 'default' && { serviceTier: served }),
  }
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool-calls'],
  ['guardrail_intervened', 'content-filter'],
  ['content_filtered', 'content-filter'],
])

/** The reason as it was sent; a new one, and output the server could not read, is `other`. */
export function reasonOf(raw: string | undefined): FinishReason {
  return REASONS.get(raw ?? '') ?? 'other'
}
