import type { AssistantMessage, ToolCall } from '../protocol/request.js'
import type { ChatResult } from '../protocol/result.js'

/** The answer with an id of its own for each call: a model that gives two calls one id would get the results mixed up. */
export function distinctCalls<Answer extends Pick<ChatResult, 'toolCalls' | 'message'>>(answer: Answer): Answer {
  const { toolCalls, message } = answer
  if (new Set(toolCalls.map(({ id }) => id)).size === toolCalls.length || typeof message.content === 'string') return answer
  const ids = newIds(toolCalls)
  let at = 0
  // Calls stand in the message in the order they came in.
  const content: AssistantMessage['content'] = message.content.map(part => (part.type === 'tool-call' ? { ...part, id: ids[at++] ?? part.id } : part))
  return { ...answer, toolCalls: toolCalls.map((call, i) => ({ ...call, id: ids[i] ?? call.id })), message: { ...message, content } }
}

function newIds(calls: readonly ToolCall[]): readonly string[] {
  const taken = new Set<string>()
  return calls.map(({ id }) => {
    let own = id
    for (let copy = 2; taken.has(own); copy++) own = `${id}_${copy}`
    taken.add(own)
    return own
  })
}
