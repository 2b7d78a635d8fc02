import type { Candidate } from '../protocol/ports.js'
import type { Message, UpstreamRequest } from '../protocol/request.js'

/**
 * Where a request goes on with a tool loop, the deployment that asked for the tools comes first if it is a candidate: what it
 * wrote (reasoning signatures, call ids) is worth most to itself. It answered before, so a condition on it was met.
 */
export function keepTogether(candidates: readonly Candidate[], { messages }: UpstreamRequest): readonly Candidate[] {
  const wroteIt = authorOf(messages)
  if (wroteIt === undefined) return candidates
  const at = candidates.findIndex(({ deployment }) => deployment.id === wroteIt)
  const found = candidates[at]
  if (found === undefined || (at === 0 && found.onlyAfter === undefined)) return candidates
  const { onlyAfter: _met, ...first } = found
  return [first, ...candidates.filter(({ deployment }) => deployment !== found.deployment)]
}

/** Who wrote the tool calls that the last messages answer. */
function authorOf(messages: readonly Message[]): string | undefined {
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at]
    if (message?.role === 'tool') continue
    if (message?.role !== 'assistant' || typeof message.content === 'string' || !message.content.some(({ type }) => type === 'tool-call')) return undefined
    return message.origin?.deployment
  }
  return undefined
}
