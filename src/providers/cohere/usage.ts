import type { FinishReason, TokenLogprob, Usage } from '../../protocol/events.js'
import { isObject, numberAt } from '../../protocol/json.js'

function count(value: unknown, key: string): number | undefined {
  const found = numberAt(value, key)
  return found !== undefined && found >= 0 ? found : undefined
}

/** What was processed, never what was billed: `billed_units` leaves out what Cohere itself added. */
export function usageOf(usage: unknown): Usage {
  const tokens = isObject(usage) ? usage['tokens'] : undefined
  const input = count(tokens, 'input_tokens')
  const output = count(tokens, 'output_tokens')
  const cached = count(usage, 'cached_tokens')
  const reasoning = count(tokens, 'reasoning_tokens')
  return {
    ...(input !== undefined && { inputTokens: input }),
    ...(output !== undefined && { outputTokens: output }),
    ...(cached !== undefined && { cachedInputTokens: cached }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
  }
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['COMPLETE', 'stop'], ['STOP_SEQUENCE', 'stop'], ['MAX_TOKENS', 'length'], ['TOOL_CALL', 'tool-calls'], ['ERROR_TOXIC', 'content-filter'],
])
const FAULTS: ReadonlyMap<string, number> = new Map([['ERROR', 500], ['TIMEOUT', 504]])

/** The status a finish word stands for that is no finish but a failure. */
export function statusOfFinish(raw: string): number | undefined {
  return FAULTS.get(raw)
}

/** The reason in this library's words. Calls make a plain stop `tool-calls`; `tool-calls` without a call is `other`. */
export function reasonOf(raw: string | undefined, calls: boolean): FinishReason {
  const known = raw === undefined ? 'stop' : (REASONS.get(raw) ?? 'other')
  if (known === 'stop') return calls ? 'tool-calls' : 'stop'
  return known === 'tool-calls' && !calls ? 'other' : known
}

/** `{ text, logprobs: [number] }`, one or a list: the probability of a text is the sum of its tokens'. */
export function logprobsOf(found: unknown): TokenLogprob[] {
  const list: readonly unknown[] = Array.isArray(found) ? found : [found]
  return list.flatMap(entry => {
    if (!isObject(entry) || typeof entry['text'] !== 'string' || !Array.isArray(entry['logprobs'])) return []
    const numbers = (entry['logprobs'] as readonly unknown[]).filter(value => typeof value === 'number' && Number.isFinite(value)) as number[]
    return numbers.length === 0 ? [] : [{ token: entry['text'], logprob: numbers.reduce((sum, value) => sum + value, 0) }]
  })
}
