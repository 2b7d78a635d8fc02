import type { FinishReason, Usage, Warning } from '../../protocol/events.js'
import { isObject, stringAt } from '../../protocol/json.js'
import { UsageMeter } from '../anthropic/usage.js'
import { present } from '../faults.js'
import type { Version } from './model.js'

const ORDINARY = new Set(['default', 'auto', 'standard', 'on_demand'])
const UNIFIED: ReadonlySet<string> = new Set<FinishReason>(['stop', 'length', 'content-filter', 'tool-calls'])
const MAX_WORDS = 300

function count(value: unknown, key: string): number | undefined {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'number' && Number.isFinite(found) && found >= 0 ? found : undefined
}

/** Whichever provider's data names the tier. */
function tierOf(raw: unknown, metadata: unknown): string | undefined {
  const named = [stringAt(raw, 'service_tier'), ...(isObject(metadata) ? Object.values(metadata).map(data => stringAt(data, 'serviceTier')) : [])]
  return named.find(tier => tier !== undefined && !ORDINARY.has(tier))
}

/** Of v2 the prompt of this provider counts neither what was read from its cache nor what was written to it. */
function anthropicOfV2(flat: Usage, raw: unknown): Usage {
  const meter = new UsageMeter()
  meter.add(raw)
  const { inputTokens: _, ...told } = meter.usage()
  const { cachedInputTokens: read = 0, cacheWriteTokens: written = 0 } = told
  return { ...told, ...flat, ...(flat.inputTokens !== undefined && { inputTokens: flat.inputTokens + read + written }) }
}

function flatOf(usage: unknown, metadata: unknown): Usage {
  const flat = present<Usage>({
    inputTokens: count(usage, 'inputTokens'),
    outputTokens: count(usage, 'outputTokens'),
    cachedInputTokens: count(usage, 'cachedInputTokens'),
    reasoningTokens: count(usage, 'reasoningTokens'),
  } as Usage)
  const raw = isObject(metadata) && isObject(metadata['anthropic']) ? metadata['anthropic']['usage'] : undefined
  if (isObject(raw)) return anthropicOfV2(flat, raw)
  const { inputTokens, cachedInputTokens } = flat
  // A part larger than the whole tells that the whole leaves it out.
  return inputTokens !== undefined && cachedInputTokens !== undefined && cachedInputTokens > inputTokens ? { ...flat, inputTokens: inputTokens + cachedInputTokens } : flat
}

/** Usage in this library's terms: flat numbers in v2, nested ones since. */
export function usageOf(usage: unknown, metadata: unknown, version: Version): Usage {
  const given = isObject(usage) ? usage : {}
  const raw = isObject(given['raw']) ? given['raw'] : {}
  const serviceTier = tierOf(raw, metadata)
  if (version === 2) return { ...flatOf(usage, metadata), ...(serviceTier !== undefined && { serviceTier }) }
  const { inputTokens: input, outputTokens: output } = given
  return present({
    inputTokens: count(input, 'total'),
    outputTokens: count(output, 'total'),
    cachedInputTokens: count(input, 'cacheRead'),
    cacheWriteTokens: count(input, 'cacheWrite'),
    cacheWrite1hTokens: count(raw['cache_creation'], 'ephemeral_1h_input_tokens'),
    reasoningTokens: count(output, 'reasoning'),
    serviceTier,
  })
}

/** Why an answer ended. `broken`: the model stopped because of an error. `cut`: nobody said that it was over. */
export interface Ending {
  readonly reason: FinishReason
  readonly raw: string | null
  readonly broken: boolean
  readonly cut: boolean
}

/**
 * The packages of the SDK end a stream that was cut like one that was not, but with a reason that is none: `unknown` in v2,
 * where it may also be a word the package does not know, `other` without a raw word since.
 */
export function endingOf(finishReason: unknown, usage: Usage, { version, streamed }: { readonly version: Version; readonly streamed: boolean }): Ending {
  const flat = version === 2
  const unified = flat ? finishReason : isObject(finishReason) ? finishReason['unified'] : undefined
  const raw = flat ? undefined : stringAt(finishReason, 'raw')
  const reason = typeof unified === 'string' && UNIFIED.has(unified) ? (unified as FinishReason) : 'other'
  const silent = flat ? reason === 'other' && unified !== 'other' && usage.outputTokens === undefined : reason === 'other' && raw === undefined
  return { reason, raw: raw ?? null, broken: unified === 'error', cut: unified === 'interrupted' || (streamed && silent) }
}

const CODES: ReadonlyMap<string, Warning['code']> = new Map([
  ['unsupported', 'unsupported'],
  ['unsupported-setting', 'unsupported'],
  ['unsupported-tool', 'unsupported'],
  ['compatibility', 'changed'],
])

/** A warning of the SDK in ours. */
export function warningOf(warning: unknown): Warning {
  const code = CODES.get(stringAt(warning, 'type') ?? '') ?? 'other'
  const tool = isObject(warning) ? warning['tool'] : undefined
  const about = stringAt(warning, 'setting') ?? stringAt(warning, 'feature') ?? stringAt(tool, 'name')
  const details = stringAt(warning, 'details') ?? stringAt(warning, 'message')
  const said = about === undefined ? undefined : code === 'changed' ? `The AI SDK model takes "${about.slice(0, 80)}" in a way of its own.` : `The AI SDK model does not take "${about.slice(0, 80)}".`
  const message = [said, details?.slice(0, MAX_WORDS)].filter(part => part !== undefined).join(' ')
  return { code, message: message === '' ? 'The AI SDK model has a warning without words.' : message, ...(about !== undefined && { parameter: about.slice(0, 80) }) }
}
