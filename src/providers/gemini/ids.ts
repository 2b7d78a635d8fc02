import type { UpstreamRequest } from '../../protocol/request.js'

/** Ids for calls that come without one: the same for the same conversation, and none that it has already. */
export function freshIds({ messages }: UpstreamRequest): (index: number) => string {
  let taken: Set<string> | undefined
  return index => {
    taken ??= new Set(messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.id] : [])) : [])))
    const stem = `call_${messages.length}_${index}`
    let id = stem
    for (let i = 2; taken.has(id); i++) id = `${stem}_${i}`
    taken.add(id)
    return id
  }
}
