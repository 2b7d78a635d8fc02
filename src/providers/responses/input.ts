import { isOwn } from '../../protocol/conversation.js'
import type { Message, Part, SystemMessage, ToolMessage, UserMessage } from '../../protocol/request.js'
import { own, type Block } from '../common/own.js'
import { assistantItems } from './assistant.js'
import { inputBlock, isItem } from './content.js'
import { callId, type Encoding } from './encoding.js'
import { DIALECT } from './writer.js'

/** Writes the conversation as input items. */
class InputWriter {
  readonly items: Block[] = []
  readonly #encoding: Encoding
  /** Ids of calls whose input is free text. */
  readonly #free = new Set<string>()
  #media: Block[] = []

  constructor(encoding: Encoding) {
    this.#encoding = encoding
  }

  add(message: Message): void {
    if (message.role !== 'tool') this.flush()
    switch (message.role) {
      case 'user':
        return this.#user(message)
      case 'assistant':
        return this.#assistant(message)
      case 'tool':
        return this.#result(message)
      default:
        return this.#instructions(message)
    }
  }

  /** What was attached to results comes after the last of them. */
  flush(): void {
    if (this.#media.length > 0) this.items.push({ role: 'user', content: this.#media })
    this.#media = []
  }

  #blocks(parts: readonly Part[]): Block[] {
    return parts.map(part => inputBlock(part, this.#encoding.target.provider))
  }

  #message(role: string, content: string | readonly Part[]): void {
    if (typeof content === 'string') {
      this.items.push({ role, content })
      return
    }
    let open: Block[] = []
    const close = (): void => {
      if (open.length > 0) this.items.push({ role, content: open })
      open = []
    }
    for (const block of this.#blocks(content)) {
      if (!isItem(block)) {
        open.push(block)
        continue
      }
      close()
      this.items.push(block)
    }
    close()
  }

  #user({ content, name }: UserMessage): void {
    if (name !== undefined) this.#encoding.notes.add('unsupported', 'The responses API has no names on messages; they were left out.', 'messages')
    this.#message('user', content)
  }

  #instructions({ role, content }: SystemMessage): void {
    const { family, quirks, notes } = this.#encoding
    if (family.instructions === 'user') notes.add('changed', 'This model takes no instructions of their own; they were sent as a user message.', 'messages')
    const developer = quirks.developer === true && (family.instructions === 'developer' || role === 'developer')
    this.#message(family.instructions === 'user' ? 'user' : developer ? 'developer' : 'system', content)
  }

  #assistant(message: Extract<Message, { role: 'assistant' }>): void {
    if (typeof message.content === 'string') {
      if (message.content !== '') this.items.push({ role: 'assistant', content: message.content })
      return
    }
    for (const part of message.content) {
      if (part.type === 'tool-call' && (own(part.providerData, DIALECT) ?? own(part.providerData, 'openai'))?.['type'] === 'custom') this.#free.add(part.id)
    }
    this.items.push(...assistantItems(message.content, isOwn(message, this.#encoding.target), this.#free, this.#encoding))
  }

  #result({ toolCallId, content }: ToolMessage): void {
    const call_id = callId(toolCallId)
    this.items.push({ type: this.#free.has(toolCallId) ? 'custom_tool_call_output' : 'function_call_output', call_id, output: this.#output(content, call_id) })
  }

  #output(content: ToolMessage['content'], id: string): string | Block[] {
    if (typeof content === 'string') return content
    const texts = content.flatMap(part => (part.type === 'text' && part.providerData === undefined ? [part.text] : []))
    if (texts.length === content.length) return texts.join('\n')
    // Where the dialect comes from, a result may hold anything a message may.
    if (this.#encoding.quirks.families === 'openai') return this.#blocks(content)
    this.#encoding.notes.add('changed', 'This provider takes text only as a tool result; images and files went into a user message after it.', 'messages')
    this.#media.push({ type: 'input_text', text: `Attached to the result of the tool call ${id}:` }, ...this.#blocks(content.filter(part => part.type !== 'text' || part.providerData !== undefined)))
    return texts.length > 0 ? texts.join('\n') : 'The result is attached in the next user message.'
  }
}

/** The conversation as input items. */
export function inputOf(messages: readonly Message[], encoding: Encoding): Block[] {
  const writer = new InputWriter(encoding)
  for (const message of messages) writer.add(message)
  writer.flush()
  return writer.items
}
