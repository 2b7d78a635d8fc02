import { fitToolId, isOwn, type ToolIdRule } from '../../protocol/conversation.js'
import { isObject, type Json } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, CacheControl, Message, SystemMessage, TextPart, ToolMessage, UpstreamRequest } from '../../protocol/request.js'
import { refuse } from '../common/media.js'
import type { Notes } from '../common/notes.js'
import { own, verbatim, type Block } from '../common/own.js'
import { inputObject, lateSystem, noteUserExtras } from '../common/params.js'
import { Turns } from '../common/turns.js'
import { ContentWriter } from './content.js'
import type { Traits } from './models.js'
import { DIALECT, type Names } from './names.js'

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

/** The conversation as this dialect wants it. */
export interface Conversation {
  readonly system: readonly Block[]
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: readonly Block[] }[]
}

class Writer {
  readonly turns = new Turns<'user' | 'assistant'>()
  readonly content: ContentWriter
  readonly #target: Target
  readonly #toolId: ToolIdRule
  readonly #names: Names
  readonly #notes: Notes

  constructor(target: Target, traits: Traits, names: Names, notes: Notes) {
    this.#target = target
    this.#toolId = traits.toolId
    this.#names = names
    this.#notes = notes
    this.content = new ContentWriter(target.provider, traits.cache, notes)
  }

  add(message: Message): void {
    switch (message.role) {
      case 'user':
        noteUserExtras(message, this.#notes)
        return this.turns.write('user', this.content.blocks(message.content))
      case 'assistant':
        return this.turns.write('assistant', this.#assistant(message))
      case 'tool':
        return this.#result(message)
      default:
        return this.#lateSystem(message)
    }
  }

  #result(message: ToolMessage): void {
    const content = this.content.blocks(message.content).filter(block => block['cachePoint'] === undefined)
    // The field is required, and blank text is refused.
    const block: Block = { toolResult: { toolUseId: fitToolId(message.toolCallId, this.#toolId), content: content.length > 0 ? content : [{ json: {} }], status: message.isError === true ? 'error' : 'success' } }
    const blocks = [block]
    this.content.mark(blocks, message.cacheControl ?? lastMark(message.content))
    this.turns.result(...blocks)
  }

  #lateSystem(message: SystemMessage): void {
    const blocks = this.content.blocks(message.content)
    if (blocks.length === 0) return
    this.#notes.add('changed', 'Bedrock takes system messages only at the start; later ones were sent as user text.', 'messages')
    this.turns.write('user', blocks.map(block => (typeof block['text'] === 'string' ? { ...block, text: lateSystem(block['text']) } : block)))
  }

  #assistant(message: AssistantMessage): Block[] {
    if (typeof message.content === 'string') return this.content.blocks(message.content)
    const mine = isOwn(message, this.#target)
    const out: Block[] = []
    for (const part of message.content) {
      const block = verbatim(part.providerData, DIALECT, this.#target.provider) ?? this.#part(part, mine)
      if (block !== undefined) out.push(block)
      this.content.mark(out, part.cacheControl)
    }
    return out
  }

  #part(part: AssistantPart, mine: boolean): Block | undefined {
    switch (part.type) {
      case 'text':
        return part.text.trim() === '' ? undefined : textBlock(part, mine)
      case 'refusal':
        return part.text.trim() === '' ? undefined : { text: part.text }
      case 'tool-call':
        return { toolUse: { toolUseId: fitToolId(part.id, this.#toolId), name: this.#names.wire(part.name), input: inputObject(part, this.#notes) } }
      case 'reasoning':
        return this.#reasoning(part.text, mine ? own(part.providerData, DIALECT) : undefined)
      default:
        this.#notes.add('dropped', 'Files in assistant messages cannot be sent to this dialect and were left out.', 'messages')
        return undefined
    }
  }

  #reasoning(text: string, data: Record<string, unknown> | undefined): Block | undefined {
    if (typeof data?.['redacted'] === 'string') return { reasoningContent: { redactedContent: data['redacted'] } }
    if (typeof data?.['signature'] === 'string' && data['signature'] !== '') return { reasoningContent: { reasoningText: { text, signature: data['signature'] } } }
    this.#notes.add('dropped', 'Reasoning that this model did not sign cannot be sent back and was left out.', 'messages')
    return undefined
  }
}

// A mark inside a result has no place of its own there.
function lastMark(content: ToolMessage['content']): CacheControl | undefined {
  return typeof content === 'string' ? undefined : content.findLast(part => part.cacheControl !== undefined)?.cacheControl
}

function textBlock(part: TextPart, mine: boolean): Block {
  const raw = mine ? (part.citations ?? []).flatMap(({ data }) => (isObject(data) ? [data as Json] : [])) : []
  return raw.length > 0 ? { citationsContent: { content: [{ text: part.text }], citations: raw } } : { text: part.text }
}

// A final assistant text that ends in white space is refused.
function trimLast(turns: Writer['turns']): void {
  const last = turns.list.at(-1)
  const text = last?.rest.at(-1)?.['text']
  if (last?.role === 'assistant' && typeof text === 'string') last.rest[last.rest.length - 1] = { text: text.trimEnd() }
}

// A document without a text beside it is refused.
function addTexts(turns: Writer['turns'], notes: Notes): void {
  for (const { role, rest } of turns.list) {
    if (role !== 'user' || !rest.some(block => block['document'] !== undefined) || rest.some(block => block['text'] !== undefined || block['guardContent'] !== undefined)) continue
    notes.add('changed', 'Bedrock wants text beside a document; "The document is attached." was added.', 'messages')
    rest.push({ text: 'The document is attached.' })
  }
}

export function conversationOf(request: UpstreamRequest, target: Target, traits: Traits, names: Names, notes: Notes): Conversation {
  const first = request.messages.findIndex(message => message.role !== 'system' && message.role !== 'developer')
  const start = first < 0 ? request.messages.length : first
  const writer = new Writer(target, traits, names, notes)
  for (const message of request.messages.slice(start)) writer.add(message)
  trimLast(writer.turns)
  addTexts(writer.turns, notes)
  const messages = writer.turns.messages()
  if (messages.length === 0) throw refuse('The messages hold nothing but blank text. Add a user message.')
  if (messages[0]?.role !== 'user') throw refuse('Bedrock wants a conversation to begin with a user message. Put one first.')
  return {
    system: request.messages.slice(0, start).flatMap(message => (message.role === 'system' || message.role === 'developer' ? writer.content.blocks(message.content) : [])),
    messages,
  }
}
