import { isOwn } from '../../protocol/conversation.js'
import { stringAt } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, Message, ToolCallPart, UpstreamRequest } from '../../protocol/request.js'
import type { ToolNames } from '../common/names.js'
import type { Notes } from '../common/notes.js'
import { own, verbatim, type Block } from '../common/own.js'
import { textResults } from '../common/results.js'
import { contentOf, DIALECT } from './content.js'

/** What one encoding works with. */
export interface Writing {
  readonly target: Target
  readonly names: ToolNames
  readonly notes: Notes
}
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

function toolCall(part: ToolCallPart, { names, target }: Writing): Block {
  const written = part.arguments ?? JSON.stringify(part.input) ?? ''
  const blank = written.trim() === '' || written.trim() === 'null'
  return verbatim(part.providerData, DIALECT, target.provider) ?? { id: part.id, type: 'function', function: { name: names.wire(part.name), arguments: blank ? '{}' : written } }
}

function said(part: AssistantPart, mine: boolean, { notes, target }: Writing): Block[] {
  const block = verbatim(part.providerData, DIALECT, target.provider)
  if (block !== undefined) return [block]
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }]
    case 'reasoning':
      if (mine && part.text !== '') return [{ type: 'thinking', thinking: part.text }]
      notes.add('dropped', 'Reasoning of another model is not sent; it was left out.', 'messages')
      return []
    case 'file':
      notes.add('dropped', 'Files in assistant messages cannot be sent to this dialect and were left out.', 'messages')
      return []
    default:
      return []
  }
}

function textsOf(blocks: readonly Block[]): string {
  return blocks.map(block => (block['type'] === 'text' ? (stringAt(block, 'text') ?? '') : '')).join('')
}

function assistant(message: AssistantMessage, writing: Writing): Block | undefined {
  if (typeof message.content === 'string') return { role: 'assistant', content: message.content }
  const mine = isOwn(message, writing.target)
  const calls = message.content.filter(part => part.type === 'tool-call')
  const blocks = message.content.flatMap(part => said(part, mine, writing))
  if (calls.length === 0) {
    const [only] = blocks
    if (only === undefined) return undefined
    return { role: 'assistant', content: blocks.length === 1 && only['type'] === 'text' ? textsOf(blocks) : blocks }
  }
  // Beside calls the dialect has a plan in place of content.
  if (blocks.some(block => block['type'] !== 'text')) writing.notes.add('dropped', 'Beside tool calls only text goes back; reasoning was left out.', 'messages')
  const planned = mine ? calls.map(part => stringAt(own(part.providerData, DIALECT), 'tool_plan')).find(plan => plan !== undefined) : undefined
  const plan = [planned, textsOf(blocks)].filter(text => text !== undefined && text !== '').join('\n')
  return { role: 'assistant', ...(plan !== '' && { tool_plan: plan }), tool_calls: calls.map(part => toolCall(part, writing)) }
}

function written(message: Message, writing: Writing): Block | undefined {
  const { notes, target } = writing
  switch (message.role) {
    case 'assistant':
      return assistant(message, writing)
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content: contentOf(message.content, target.provider) }
    case 'user':
      if (message.name !== undefined) notes.add('unsupported', 'Cohere takes no name of a user; it was left out.', 'messages')
      return { role: 'user', content: contentOf(message.content, target.provider) }
    default:
      return { role: 'system', content: contentOf(message.content, target.provider) }
  }
}

/** The conversation in the words of the dialect. */
export function messagesOf(request: UpstreamRequest, writing: Writing): Block[] {
  if (request.prefill === true) writing.notes.add('unsupported', 'Cohere does not go on from an assistant message; it may answer the message instead.', 'prefill')
  return textResults(request.messages, DIALECT, writing.notes).map(message => written(message, writing)).filter(block => block !== undefined)
}
