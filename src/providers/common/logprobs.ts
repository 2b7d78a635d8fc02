import type { TokenLogprob } from '../../protocol/events.js'
import { isObject, numberAt } from '../../protocol/json.js'

function one(value: unknown): { token: string; logprob: number } | undefined {
  const token = isObject(value) ? value['token'] : undefined
  const chance = numberAt(value, 'logprob')
  return typeof token === 'string' && chance !== undefined ? { token, logprob: chance } : undefined
}

/** A list of `{ token, logprob, top_logprobs }`; whatever else it holds is skipped. */
export function tokensOf(list: unknown): TokenLogprob[] {
  if (!Array.isArray(list)) return []
  return (list as readonly unknown[]).flatMap(entry => {
    const found = one(entry)
    if (found === undefined) return []
    const top = isObject(entry) && Array.isArray(entry['top_logprobs']) ? (entry['top_logprobs'] as readonly unknown[]).flatMap(other => one(other) ?? []) : []
    return [{ ...found, ...(top.length > 0 && { top }) }]
  })
}
