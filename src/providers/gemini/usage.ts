import type { FinishReason, Usage } from '../../protocol/events.js'
import { isObject, numberAt } from '../../protocol/json.js'

type Counted = { -readonly [K in keyof Usage]: Usage[K] }
type Count = Exclude<keyof Usage, 'serviceTier'>

const FIELDS = ['promptTokenCount', 'toolUsePromptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount', 'cachedContentTokenCount', 'totalTokenCount'] as const
const DETAILS: readonly (readonly [list: string, modality: string, field: Count])[] = [
  ['promptTokensDetails', 'AUDIO', 'inputAudioTokens'],
  ['promptTokensDetails', 'IMAGE', 'inputImageTokens'],
  ['cacheTokensDetails', 'AUDIO', 'cachedInputAudioTokens'],
  ['candidatesTokensDetails', 'AUDIO', 'outputAudioTokens'],
  ['candidatesTokensDetails', 'IMAGE', 'outputImageTokens'],
]
const ORDINARY = new Set(['', 'standard', 'unspecified', 'service_tier_unspecified', 'traffic_type_unspecified', 'on_demand'])

function sum(...counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter(count => count !== undefined)
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0)
}

function ofModality(details: unknown, modality: string): number {
  const found = Array.isArray(details) ? (details as unknown[]).filter(each => isObject(each) && each['modality'] === modality) : []
  return found.reduce((total: number, each) => total + Math.max(0, numberAt(each, 'tokenCount') ?? 0), 0)
}

/** Usage as it comes in, on most chunks of a stream: a later number replaces an earlier one. */
export class UsageMeter {
  readonly #seen = new Map<string, number>()
  #tier: string | undefined

  add(usage: unknown): void {
    if (!isObject(usage)) return
    for (const key of FIELDS) this.#put(key, numberAt(usage, key))
    for (const [list, modality, field] of DETAILS) this.#put(field, ofModality(usage[list], modality) || undefined)
    const tier = usage['serviceTier'] ?? usage['trafficType']
    const word = typeof tier === 'string' ? tier.toLowerCase() : ''
    if (!ORDINARY.has(word)) this.#tier = word.replace(/^on_demand_/, '')
  }

  #put(key: string, value: number | undefined): void {
    if (value !== undefined && value >= 0) this.#seen.set(key, value)
  }

  usage(): Usage {
    const [prompt, tool, written, thought, cached, total] = FIELDS.map(key => this.#seen.get(key))
    const input = sum(prompt, tool)
    // Zeros are left out on this wire, so a total that is all input says that nothing was written.
    const output = sum(written, thought) ?? (total !== undefined && total === input ? 0 : undefined)
    const found: Counted = {}
    const set = (key: Count, value: number | undefined) => {
      if (value !== undefined) found[key] = value
    }
    set('inputTokens', input)
    set('outputTokens', output)
    set('cachedInputTokens', cached)
    set('reasoningTokens', thought)
    for (const [, , field] of DETAILS) set(field, this.#seen.get(field))
    if (this.#tier !== undefined) found.serviceTier = this.#tier
    return found
  }
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'MODEL_ARMOR'].map(word => [word, 'content-filter'] as const),
  // A client that asks for enums as numbers gets these; the numbers are those of Vertex, which is where it can ask.
  ['1', 'stop'],
  ['2', 'length'],
  ...['3', '4', '6', '7', '8', '10'].map(number => [number, 'content-filter'] as const),
])
const UNSAID = new Set(['', '0', 'FINISH_REASON_UNSPECIFIED'])

/** The word or number of a reason as text; `undefined` where it says nothing yet. */
export function rawReason(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : typeof value === 'string' ? value : ''
  return UNSAID.has(text) ? undefined : text
}

/** A reason that is new, or is about a call that went wrong (`MALFORMED_FUNCTION_CALL`), is `other`. */
export function reasonOf(raw: string | undefined): FinishReason {
  return REASONS.get(raw ?? '') ?? 'other'
}
