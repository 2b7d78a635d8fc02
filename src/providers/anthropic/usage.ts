import type { FinishReason, Usage } from '../../protocol/events.js'
import { isObject, numberAt } from '../../protocol/json.js'

const FIELDS = ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'] as const

function count(value: unknown, key: string): number | undefined {
  const found = numberAt(value, key)
  return found !== undefined && found >= 0 ? found : undefined
}

/** Usage as it comes in, in pieces: a later number replaces an earlier one, a field left out or `null` keeps it. */
export class UsageMeter {
  readonly #seen = new Map<string, number>()
  #tier: string | undefined

  /** @param onlyNew takes nothing that is known already (the start of a message spliced into another). */
  add(usage: unknown, onlyNew = false): void {
    for (const key of FIELDS) this.#put(key, count(usage, key), onlyNew)
    if (!isObject(usage)) return
    this.#put('1h', count(usage['cache_creation'], 'ephemeral_1h_input_tokens'), onlyNew)
    this.#put('thinking', count(usage['output_tokens_details'], 'thinking_tokens'), onlyNew)
    // Fast mode has prices of its own, as a service tier has.
    const tier = usage['speed'] === 'fast' ? 'fast' : usage['service_tier']
    if (typeof tier === 'string' && tier !== '' && tier !== 'standard' && !(onlyNew && this.#tier !== undefined)) this.#tier = tier
  }

  #put(key: string, value: number | undefined, onlyNew: boolean): void {
    if (value !== undefined && !(onlyNew && this.#seen.has(key))) this.#seen.set(key, value)
  }

  usage(): Usage {
    const [input, output, read, written] = FIELDS.map(key => this.#seen.get(key))
    const hour = this.#seen.get('1h')
    const thinking = this.#seen.get('thinking')
    return {
      ...(input !== undefined && { inputTokens: input + (read ?? 0) + (written ?? 0) }),
      ...(output !== undefined && { outputTokens: output }),
      ...(read !== undefined && { cachedInputTokens: read }),
      ...(written !== undefined && { cacheWriteTokens: written }),
      ...(hour !== undefined && { cacheWrite1hTokens: hour }),
      ...(thinking !== undefined && { reasoningTokens: thinking }),
      ...(this.#tier !== undefined && { serviceTier: this.#tier }),
    }
  }
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool-calls'],
  ['refusal', 'content-filter'],
])

/** The reason as it was sent; one that is new or needs the turn sent back (`pause_turn`) is `other`. */
export function reasonOf(raw: string | undefined): FinishReason {
  return REASONS.get(raw ?? '') ?? 'other'
}
