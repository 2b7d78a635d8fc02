import { fitToolId, isOwn } from '../../protocol/conversation.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, type Json } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, Citation, Message, SystemMessage, TextPart, ToolCallPart, ToolMessage, UpstreamRequest, UserMessage } from '../../protocol/request.js'
import { TOOL_ID } from '../common/names.js'
import type { Notes } from '../common/notes.js'
import { own, verbatim, type Block } from '../common/own.js'
import { inputObject, lateSystem, noteUserExtras } from '../common/params.js'
import { Turns, type Turn } from '../common/turns.js'
import { cached, DIALECT, inputBlocks } from './content.js'
import { traitsOf } from './models.js'
import type { Names } from './names.js'

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]
type Role = 'user' | 'assistant' | 'system'

/** The conversation as this dialect wants it. */
export interface Conversation {
  readonly system: readonly Block[]
  readonly messages: readonly { readonly role: Role; readonly content: readonly Block[] }[]
}

class Writer {
  readonly turns = new Turns<Role>()
  readonly #target: Target
  readonly #names: Names
  readonly #notes: Notes
  readonly #lateSystem: boolean

  constructor(target: Target, names: Names, notes: Notes) {
    this.#target = target
    this.#names = names
    this.#notes = notes
    this.#lateSystem = traitsOf(target.model).lateSystem
  }

  add(message: Message): void {
    switch (message.role) {
      case 'user':
        return this.#user(message)
      case 'assistant':
        return this.turns.write('assistant', this.#assistant(message))
      case 'tool':
        return this.#result(message)
      default:
        return this.#system(message)
    }
  }

  #user(message: UserMessage): void {
    noteUserExtras(message, this.#notes)
    this.turns.write('user', inputBlocks(message.content))
  }

  #result(message: ToolMessage): void {
    const content = inputBlocks(message.content)
    const block: Block = { type: 'tool_result', tool_use_id: fitToolId(message.toolCallId, TOOL_ID), ...(content.length > 0 && { content }), ...(message.isError === true && { is_error: true }) }
    this.turns.result(cached(block, message.cacheControl))
  }

  #system(message: SystemMessage): void {
    const blocks = inputBlocks(message.content)
    if (this.#lateSystem || blocks.length === 0) return this.turns.write('system', blocks)
    this.#notes.add('changed', 'The model takes system messages only at the start; later ones were sent as user text.', 'messages')
    this.turns.write('user', blocks.map(block => (typeof block['text'] === 'string' ? { ...block, text: lateSystem(block['text']) } : block)))
  }

  #assistant(message: AssistantMessage): Block[] {
    if (typeof message.content === 'string') return inputBlocks(message.content)
    const mine = isOwn(message, this.#target)
    return message.content.map(part => verbatim(part.providerData, DIALECT) ?? this.#part(part, mine)).filter(block => block !== undefined)
  }

  #part(part: AssistantPart, mine: boolean): Block | undefined {
    switch (part.type) {
      case 'text':
        return part.text.trim() === '' ? undefined : cached({ type: 'text', text: part.text, ...citationsOf(part, mine) }, part.cacheControl)
      case 'refusal':
        return part.text.trim() === '' ? undefined : cached({ type: 'text', text: part.text }, part.cacheControl)
      case 'tool-call':
        return this.#call(part, mine)
      case 'reasoning':
        return this.#thinking(part.text, mine ? own(part.providerData, DIALECT) : undefined)
      default:
        this.#notes.add('dropped', 'Files in assistant messages cannot be sent to this dialect and were left out.', 'messages')
        return undefined
    }
  }

  #thinking(text: string, data: Record<string, unknown> | undefined): Block | undefined {
    if (typeof data?.['redacted'] === 'string') return { type: 'redacted_thinking', data: data['redacted'] }
    if (typeof data?.['signature'] === 'string' && data['signature'] !== '') return { type: 'thinking', thinking: text, signature: data['signature'] }
    this.#notes.add('dropped', 'Reasoning that this model did not sign cannot be sent back and was left out.', 'messages')
    return undefined
  }

  #call(part: ToolCallPart, mine: boolean): Block {
    const caller = mine ? own(part.providerData, DIALECT)?.['caller'] : undefined
    const block: Block = { type: 'tool_use', id: fitToolId(part.id, TOOL_ID), name: this.#names.wire(part.name), input: inputObject(part, this.#notes), ...(isObject(caller) && { caller: caller as Json }) }
    return cached(block, part.cacheControl)
  }
}

function citationsOf(part: TextPart, mine: boolean): { citations?: Json } {
  const raw = mine ? (part.citations ?? []).flatMap(({ data }: Citation) => (isObject(data) && typeof data['type'] === 'string' ? [data as Json] : [])) : []
  return raw.length > 0 ? { citations: raw } : {}
}

// A final assistant text that ends in white space is refused.
function trimLast(turns: readonly Turn<Role>[]): void {
  const last = turns.at(-1)
  const block = last?.role === 'assistant' ? last.rest.at(-1) : undefined
  if (last !== undefined && block?.['type'] === 'text' && typeof block['text'] === 'string') last.rest[last.rest.length - 1] = { ...block, text: block['text'].trimEnd() }
}

export function conversationOf(request: UpstreamRequest, target: Target, names: Names, notes: Notes): Conversation {
  const first = request.messages.findIndex(message => message.role !== 'system' && message.role !== 'developer')
  const start = first < 0 ? request.messages.length : first
  const writer = new Writer(target, names, notes)
  for (const message of request.messages.slice(start)) writer.add(message)
  trimLast(writer.turns.list)
  if (writer.turns.list.length === 0) throw new GatewayError('invalid_request', 'The messages hold nothing but blank text. Add a user message.')
  return {
    system: request.messages.slice(0, start).flatMap(message => (message.role === 'system' || message.role === 'developer' ? inputBlocks(message.content) : [])),
    messages: writer.turns.messages(),
  }
}
