import type { AssistantMessage, Message, Origins } from './request.js'

/** What a dialect accepts as a tool-call id. */
export interface ToolIdRule {
  readonly pattern: RegExp
  readonly alphabet: string
  readonly length: number
}

function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}

/** The same foreign id always becomes the same accepted one, so a call and its result stay together. */
export function fitToolId(id: string, rule: ToolIdRule): string {
  if (rule.pattern.test(id)) return id
  let out = ''
  for (let i = 0; out.length < rule.length; i++) out += rule.alphabet[hash(id, i) % rule.alphabet.length] ?? ''
  return out
}

/** True where what a message holds beside plain content (signatures, reasoning) means something to this target. */
export function isOwn(message: AssistantMessage, target: Pick<Origins, 'provider' | 'model'>): boolean {
  return message.origin === undefined || (message.origin.provider === target.provider && message.origin.model === target.model)
}

/** A problem every provider would answer with a 400, in words; `undefined` where the conversation is sound. */
export function conversationProblem(messages: readonly Message[]): string | undefined {
  let waiting = new Set<string>()
  for (const [at, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!waiting.delete(message.toolCallId)) return `messages[${at}] answers the tool call "${message.toolCallId.slice(0, 80)}", which no assistant message before it made. Put the assistant message with that call first.`
      continue
    }
    if (waiting.size > 0 && message.role !== 'system' && message.role !== 'developer') return `messages[${at}] comes before the results of ${waiting.size} tool call(s). Add a { role: 'tool' } message for each call first.`
    if (message.role === 'assistant' && typeof message.content !== 'string') {
      waiting = new Set(message.content.flatMap(part => (part.type === 'tool-call' ? [part.id] : [])))
    }
  }
  return waiting.size > 0 ? `The last tool call(s) have no result: ${waiting.size} missing. Add a { role: 'tool' } message for each call.` : undefined
}
