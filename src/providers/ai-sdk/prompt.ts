import { fitToolId, isOwn, type ToolIdRule } from '../../protocol/conversation.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, tryParseJson } from '../../protocol/json.js'
import type { AssistantMessage, CacheControl, Message, ProviderData, SystemMessage, ToolCallPart, ToolMessage, UpstreamRequest, UserMessage } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import { own, verbatim } from '../common/own.js'
import { filePart, resultPart, type Urls } from './media.js'
import { DIALECT, mergeVendors, type Fields, type Spoken } from './model.js'
import { cacheOptions } from './vendor.js'

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]
type Holder = { readonly providerData?: ProviderData; readonly cacheControl?: CacheControl }

// Ids of another provider's calls: what every wire behind the SDK takes.
const TOOL_ID: ToolIdRule = { pattern: /^[a-zA-Z0-9_-]{1,40}$/, alphabet: 'abcdefghijklmnopqrstuvwxyz0123456789', length: 24 }

/** Writes the conversation in the words of one version. */
class Prompt {
  readonly messages: Fields[] = []
  readonly #spoken: Spoken
  readonly #urls: Urls
  readonly #notes: Notes
  readonly #calls = new Map<string, { readonly id: string; readonly name: string }>()

  constructor(spoken: Spoken, urls: Urls, notes: Notes) {
    this.#spoken = spoken
    this.#urls = urls
    this.#notes = notes
  }

  add(message: Message): void {
    switch (message.role) {
      case 'user':
        return this.#write('user', this.#user(message))
      case 'assistant':
        return this.#write('assistant', this.#assistant(message))
      case 'tool':
        return this.#result(message)
      default:
        return this.#system(message)
    }
  }

  #write(role: 'user' | 'assistant', content: readonly Fields[]): void {
    if (content.length > 0) this.messages.push({ role, content })
  }

  // Marks and options sit on the message here: a part that has some becomes a message of its own.
  #system({ content }: SystemMessage): void {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content
    const texts: string[] = []
    const flush = (options: object = {}) => {
      const text = texts.splice(0).join('\n')
      if (text.trim() !== '') this.messages.push({ role: 'system', content: text, ...options })
    }
    for (const part of parts) {
      const options = this.#options(part, true)
      if ('providerOptions' in options) flush()
      texts.push(part.text)
      if ('providerOptions' in options) flush(options)
    }
    flush()
  }

  #user({ content, name }: UserMessage): Fields[] {
    if (name !== undefined) this.#notes.add('unsupported', 'The AI SDK has no names on messages; they were left out.', 'messages')
    if (typeof content === 'string') return texts(content)
    return content.flatMap(part => {
      const given = verbatim(part.providerData, DIALECT, this.#spoken.provider)
      if (given !== undefined) return [given]
      if (part.type === 'text') return texts(part.text, this.#options(part, true))
      const made = filePart(part, this.#spoken, this.#urls, this.#notes)
      return [{ ...made, ...this.#options(part, true, made['providerOptions']) }]
    })
  }

  #assistant(message: AssistantMessage): Fields[] {
    if (typeof message.content === 'string') return texts(message.content)
    const mine = isOwn(message, this.#spoken)
    return message.content.flatMap(part => {
      const block = verbatim(part.providerData, DIALECT, this.#spoken.provider)
      if (block === undefined) return this.#part(part, mine)
      // The blocks of all providers behind the SDK are kept under one name.
      if (mine) return [block]
      this.#notes.add('dropped', 'Parts that only another provider understands cannot be sent to this one and were left out.', 'messages')
      return []
    })
  }

  #part(part: AssistantPart, mine: boolean): Fields[] {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return texts(part.text, this.#options(part, mine))
      case 'tool-call':
        return [this.#call(part, mine)]
      case 'reasoning':
        if (mine) return [{ type: 'reasoning', text: part.text, ...this.#options(part, mine) }]
        this.#notes.add('dropped', 'Reasoning of another model cannot be sent back and was left out.', 'messages')
        return []
      default:
        return [{ ...filePart(part, this.#spoken, undefined, this.#notes), ...this.#options(part, mine) }]
    }
  }

  #call(part: ToolCallPart, mine: boolean): Fields {
    const id = mine ? part.id : fitToolId(part.id, TOOL_ID)
    this.#calls.set(part.id, { id, name: part.name })
    const parsed = typeof part.input === 'string' ? tryParseJson(part.input) : part.input
    return { type: 'tool-call', toolCallId: id, toolName: part.name, input: parsed ?? tryParseJson(part.arguments ?? '') ?? part.input ?? {}, ...this.#options(part, mine) }
  }

  #result(message: ToolMessage): void {
    const call = this.#calls.get(message.toolCallId)
    const result = { type: 'tool-result', toolCallId: call?.id ?? fitToolId(message.toolCallId, TOOL_ID), toolName: call?.name ?? 'unknown', output: this.#output(message), ...this.#options(message, true) }
    const last = this.messages.at(-1)
    if (last?.['role'] === 'tool' && Array.isArray(last['content'])) last['content'].push(result)
    else this.messages.push({ role: 'tool', content: [result] })
  }

  #output({ content, isError }: ToolMessage): Fields {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content
    const only = parts.every(part => part.type === 'text' && part.providerData === undefined)
    if (only && (parts.length < 2 || isError === true)) return { type: isError === true ? 'error-text' : 'text', value: parts.map(part => (part.type === 'text' ? part.text : '')).join('\n') }
    if (isError === true) this.#notes.add('changed', 'The AI SDK has no errors of a tool with media; the result was sent as a good one.', 'messages')
    return { type: 'content', value: parts.map(part => verbatim(part.providerData, DIALECT, this.#spoken.provider) ?? resultPart(part, this.#spoken, this.#urls)) }
  }

  /** The provider's own options of a part: marks for its cache, and what came with it or was written by the caller. */
  #options(part: Holder, mine: boolean, made?: unknown): { providerOptions?: Fields } {
    const kept = mine ? own(part.providerData, DIALECT)?.['providerOptions'] : undefined
    const options = mergeVendors(cacheOptions(part.cacheControl, this.#spoken.provider), made, isObject(kept) ? kept : undefined)
    return Object.keys(options).length > 0 ? { providerOptions: options } : {}
  }
}

// A blank text is refused by some wires, and says nothing unless something hangs on it.
function texts(text: string, options: { providerOptions?: Fields } = {}): Fields[] {
  return text.trim() === '' && options.providerOptions === undefined ? [] : [{ type: 'text', text, ...options }]
}

/** The messages as `prompt`. Throws `invalid_request` where nothing is left to send, or for media the model does not take. */
export function promptOf({ messages }: UpstreamRequest, spoken: Spoken, urls: Urls, notes: Notes): Fields[] {
  const prompt = new Prompt(spoken, urls, notes)
  for (const message of messages) prompt.add(message)
  if (prompt.messages.every(({ role }) => role === 'system')) throw new GatewayError('invalid_request', 'The messages hold nothing but blank text. Add a user message.')
  return prompt.messages
}
