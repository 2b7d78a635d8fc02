import { isObject, type Json } from '../../protocol/json.js'
import type { AssistantMessage, Citation, ReasoningPart, TextPart, ToolCallPart } from '../../protocol/request.js'
import { fileSourceOf } from '../common/media.js'
import { own, verbatim, type Block } from '../common/own.js'
import { isItem } from './content.js'
import { callId, type Encoding } from './encoding.js'
import { DIALECT } from './writer.js'

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

/** Writes one assistant message as the items it once was. */
class AnswerWriter {
  readonly items: Block[] = []
  readonly #encoding: Encoding
  readonly #mine: boolean
  readonly #free: ReadonlySet<string>
  /** Content of the message item that is being written. */
  #open: Block[] = []

  constructor(mine: boolean, free: ReadonlySet<string>, encoding: Encoding) {
    this.#mine = mine
    this.#free = free
    this.#encoding = encoding
  }

  add(part: AssistantPart): void {
    const block = verbatim(part.providerData, DIALECT, this.#encoding.target.provider)
    if (block !== undefined) return isItem(block) ? this.#item(block) : void this.#open.push(block)
    switch (part.type) {
      case 'text':
        return this.#text(part)
      case 'refusal':
        if (part.text !== '') this.#open.push({ type: 'refusal', refusal: part.text })
        return
      case 'reasoning':
        return this.#reasoning(part)
      case 'tool-call':
        return this.#item(this.#call(part))
      default:
        return this.#file(part)
    }
  }

  /** Ends the message item; `more` are its id and its like. */
  flush(more: Block = {}): void {
    const content = this.#open
    this.#open = []
    if (content.length === 0) return
    const [only] = content
    const plain = content.length === 1 && Object.keys(more).length === 0 && only?.['type'] === 'output_text' && only['annotations'] === undefined
    this.items.push(plain ? { role: 'assistant', content: only['text'] } : { type: 'message', role: 'assistant', content, ...more })
  }

  #item(block: Block): void {
    this.flush()
    this.items.push(block)
  }

  #data(part: AssistantPart): Record<string, unknown> | undefined {
    return this.#mine ? own(part.providerData, DIALECT) : undefined
  }

  #text(part: TextPart): void {
    const data = this.#data(part)
    if (isObject(data?.['item'])) return this.#item({ ...(data['item'] as Block) })
    if (part.text === '') {
      if (own(part.providerData, DIALECT)?.['item'] !== undefined) this.#encoding.notes.add('dropped', "What tools of another provider did cannot be sent on and was left out.", 'messages')
      return
    }
    const more: Block = { ...(typeof data?.['id'] === 'string' && { id: data['id'] }), ...(typeof data?.['phase'] === 'string' && { phase: data['phase'] }) }
    const whole = Object.keys(more).length > 0
    // What has an id is a message of its own.
    if (whole) this.flush()
    this.#open.push({ type: 'output_text', text: part.text, ...annotationsOf(part, this.#mine) })
    if (whole) this.flush(more)
  }

  #reasoning(part: ReasoningPart): void {
    const data = this.#data(part)
    const encrypted = data?.['encrypted_content']
    const open = data?.['content'] === true && part.text !== ''
    if (typeof encrypted !== 'string' && !open && !(this.#encoding.stored && typeof data?.['id'] === 'string')) {
      this.#encoding.notes.add('dropped', 'Reasoning that this model did not write, or that came without its encrypted form, cannot be sent back and was left out.', 'messages')
      return
    }
    this.#item({
      type: 'reasoning',
      ...(typeof data?.['id'] === 'string' && { id: data['id'] }),
      summary: open || part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
      ...(open && { content: [{ type: 'reasoning_text', text: part.text }] }),
      ...(typeof encrypted === 'string' && { encrypted_content: encrypted }),
    })
  }

  #call(part: ToolCallPart): Block {
    const data = this.#data(part)
    const id = typeof data?.['id'] === 'string' ? { id: data['id'] } : {}
    const named = { call_id: callId(part.id), name: this.#encoding.names.wire(part.name), ...id }
    if (this.#free.has(part.id)) return { type: 'custom_tool_call', ...named, input: typeof part.input === 'string' ? part.input : (part.arguments ?? '') }
    const written = part.arguments ?? JSON.stringify(part.input) ?? ''
    return { type: 'function_call', ...named, arguments: written.trim() === '' ? '{}' : written }
  }

  #file(part: Extract<AssistantPart, { type: 'file' }>): void {
    const last = this.items.at(-1)
    const source = fileSourceOf(part.data, part.mediaType)
    if (this.#open.length === 0 && last?.['type'] === 'image_generation_call' && last['result'] === undefined && 'data' in source) last['result'] = source.data
    else this.#encoding.notes.add('dropped', 'Files in assistant messages cannot be sent to this API and were left out.', 'messages')
  }
}

function annotationsOf({ citations = [] }: TextPart, mine: boolean): Block {
  const raw = mine ? citations.flatMap(({ data }: Citation) => (isObject(data) && typeof data['type'] === 'string' ? [data as Json] : [])) : []
  return raw.length > 0 ? { annotations: raw } : {}
}

function isReasoning(item: Block | undefined): boolean {
  return item?.['type'] === 'reasoning'
}

// Ids tie what follows to the reasoning before it; without that they are refused.
function untied({ id: _, ...item }: Block): Block {
  return item
}

/** The items of one assistant message. Reasoning that nothing follows is left out: the server refuses it. */
export function assistantItems(content: readonly AssistantPart[], mine: boolean, free: ReadonlySet<string>, encoding: Encoding): Block[] {
  const writer = new AnswerWriter(mine, free, encoding)
  for (const part of content) writer.add(part)
  writer.flush()
  const { items } = writer
  while (isReasoning(items.at(-1))) {
    items.pop()
    encoding.notes.add('dropped', 'Reasoning at the end of a message, with nothing that follows from it, is refused and was left out.', 'messages')
  }
  if (items.some(isReasoning)) return items
  return items.map(item => (item['type'] === 'message' || item['type'] === 'function_call' || item['type'] === 'custom_tool_call' ? untied(item) : item))
}
