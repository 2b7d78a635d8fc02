import type { Usage } from '../../protocol/events.js'
import { isObject } from '../../protocol/json.js'
import { countAt as count, tierOf } from '../common/usage.js'
import type { Quirks } from './quirks.js'

type Counted = { -readonly [K in keyof Usage]: Usage[K] }

/** Where vendors put it: top level, under `x_groq`, or on the choice. */
function find(body: Record<string, unknown>, choice: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (isObject(body['usage'])) return body['usage']
  const inner = isObject(body['x_groq']) ? body['x_groq']['usage'] : undefined
  if (isObject(inner)) return inner
  return isObject(choice?.['usage']) ? choice['usage'] : undefined
}

function output(usage: Record<string, unknown>, reasoning: number | undefined, quirks: Quirks): number | undefined {
  const input = count(usage, 'prompt_tokens')
  const written = count(usage, 'completion_tokens')
  const total = count(usage, 'total_tokens')
  if (input === undefined || total === undefined || written === undefined) return written
  // A total that holds the reasoning once more says that the completion does not hold it.
  if (reasoning !== undefined && reasoning > 0 && total === input + written + reasoning) return written + reasoning
  return quirks.usage === 'total' ? Math.max(written, total - input) : written
}

function cost(usage: Record<string, unknown>): number | undefined {
  const paid = count(usage, 'cost') ?? count(usage['cost'], 'total_cost')
  if (paid === undefined || usage['is_byok'] !== true) return paid
  // With the caller's own key the router's figure is its fee; the provider's comes on top.
  const upstream = count(usage['cost_details'], 'upstream_inference_cost')
  return upstream === undefined ? undefined : paid + upstream
}

/** Most answers report 0 for every medium; only what there was is kept. */
function addMedia(found: Counted, details: unknown, answer: unknown): void {
  const add = (key: Exclude<keyof Usage, 'serviceTier'>, value: number | undefined) => {
    if (value !== undefined && value > 0) found[key] = value
  }
  add('inputAudioTokens', count(details, 'audio_tokens'))
  add('cachedInputAudioTokens', isObject(details) ? count(details['cached_tokens_details'], 'audio_tokens') : undefined)
  add('outputAudioTokens', count(answer, 'audio_tokens'))
  add('inputImageTokens', count(details, 'image_tokens'))
  add('outputImageTokens', count(answer, 'image_tokens'))
}

/** The usage of one body or chunk, in this library's terms; `undefined` where it holds none. */
export function usageOf(body: Record<string, unknown>, choice: Record<string, unknown> | undefined, quirks: Quirks): Usage | undefined {
  const usage = find(body, choice)
  if (usage === undefined) return undefined
  const details = usage['prompt_tokens_details'] ?? usage['prompt_token_details']
  const answer = usage['completion_tokens_details']
  const reported = count(answer, 'reasoning_tokens')
  const inputTokens = count(usage, 'prompt_tokens')
  const outputTokens = output(usage, reported, quirks)
  const written = count(usage, 'completion_tokens')
  const hidden = quirks.usage === 'total' && outputTokens !== undefined && written !== undefined && outputTokens > written ? outputTokens - written : undefined
  const found: Counted = {}
  const set = (key: Exclude<keyof Usage, 'serviceTier'>, value: number | undefined) => {
    if (value !== undefined) found[key] = value
  }
  set('inputTokens', inputTokens)
  set('outputTokens', outputTokens)
  set('cachedInputTokens', count(details, 'cached_tokens') ?? count(usage, 'num_cached_tokens') ?? count(usage, 'cached_tokens') ?? count(usage, 'prompt_cache_hit_tokens'))
  set('cacheWriteTokens', count(details, 'cache_write_tokens'))
  set('reasoningTokens', reported ?? hidden)
  addMedia(found, details, answer)
  const tier = tierOf(body['service_tier'] ?? usage['service_tier'])
  if (tier !== undefined) found.serviceTier = tier
  if (quirks.cost === true) set('reportedCostUsd', cost(usage))
  return found
}
