import { fitToolId, isOwn } from '../../protocol/conversation.js'
import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt, tryParseJson, type JsonObject } from '../../protocol/json.js'
import type { Target } from '../../protocol/ports.js'
import type { AssistantMessage, Message, SystemMessage, ToolCallPart, ToolMessage, UpstreamRequest, UserMessage } from '../../protocol/request.js'
import type { Notes } from '../common/notes.js'
import { inputObject, lateSystem, noteUserExtras } from '../common/params.js'
import { own, verbatim, type Block } from '../common/own.js'
import { DIALECT, fileBlock, inputBlock, inputBlocks } from './content.js'
import type { Traits } from './models.js'
import { CALL_ID, type Names } from './names.js'

type AssistantPart = Exclude<AssistantMessage['content'], string>[number]
type ResultPart = Exclude<ToolMessage['content'], string>[number]
/** Results stand apart, because they must be first, together, and in the order of the calls. */
interface Turn {
  readonly role: 'user' | 'model'
  readonly results: Map<string, readonly Block[]>
  readonly rest: Block[]
}
/** A call of the conversation: its name, as a result must repeat it. */
type Calls = Map<string, string>

/** What one encoding works with. */
export interface Encoding {
  readonly target: Target
  readonly traits: Traits
  readonly names: Names
  readonly notes: Notes
  /** Calls and results name their id; some servers refuse it. */
  readonly callIds: boolean
}
/** The conversation as this dialect wants it. */
export interface Conversation {
  readonly system: readonly Block[]
  readonly contents: readonly { readonly role: Turn['role']; readonly parts: readonly Block[] }[]
}

// The documented value for a call that this model did not make.
const SKIP = 'skip_thought_signature_validator'
// An opening for a conversation that begins with the model.
const OPENING = 'Continue.'

class Writer {
  readonly turns: Turn[] = []
  readonly #encoding: Encoding
  readonly #calls: Calls = new Map()

  constructor(encoding: Encoding) {
    this.#encoding = encoding
  }

  add(message: Message): void {
    switch (message.role) {
      case 'user':
        return this.#user(message)
      case 'assistant':
        return this.#write('model', this.#assistant(message))
      case 'tool':
        return this.#result(message)
      default:
        return this.#lateSystem(message)
    }
  }

  /** Instructions for a model that has no place for them. */
  lead(blocks: readonly Block[]): void {
    if (this.turns[0]?.role === 'user') this.turns[0].rest.unshift(...blocks)
    else this.turns.unshift({ role: 'user', results: new Map(), rest: [...blocks] })
  }

  #write(role: Turn['role'], blocks: readonly Block[]): void {
    if (blocks.length === 0) return
    const last = this.turns.at(-1)
    if (last?.role === role) last.rest.push(...blocks)
    else this.turns.push({ role, results: new Map(), rest: [...blocks] })
  }

  #user(message: UserMessage): void {
    const { notes, target } = this.#encoding
    noteUserExtras(message, notes)
    this.#write('user', inputBlocks(message.content, target.provider))
  }

  #lateSystem(message: SystemMessage): void {
    const blocks = inputBlocks(message.content, this.#encoding.target.provider)
    if (blocks.length > 0) this.#encoding.notes.add('changed', 'The model takes system messages only at the start; later ones were sent as user text.', 'messages')
    this.#write('user', blocks.map(block => (typeof block['text'] === 'string' ? { ...block, text: lateSystem(block['text']) } : block)))
  }

  // The result goes right behind the call, whatever was said in between.
  #result(message: ToolMessage): void {
    const at = this.turns.findLastIndex(turn => turn.role === 'model') + 1
    let turn = this.turns[at]
    if (turn === undefined) {
      turn = { role: 'user', results: new Map(), rest: [] }
      this.turns.push(turn)
    }
    turn.results.set(message.toolCallId, this.#resultBlocks(message))
  }

  #resultBlocks({ toolCallId, content, isError }: ToolMessage): Block[] {
    const { callIds, traits, notes, target } = this.#encoding
    const parts: readonly ResultPart[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const only = parts.length === 1 ? verbatim(parts[0]?.providerData, DIALECT, target.provider) : undefined
    if (only !== undefined) return [only]
    const text = parts.flatMap(part => (part.type === 'text' ? [part.text] : [])).join('\n')
    const media = parts.filter(part => part.type !== 'text').map(part => inputBlock(part, target.provider)).filter(block => block !== undefined)
    const inside = media.length > 0 && traits.mediaInResults
    const functionResponse: Block = {
      ...(callIds && { id: fitToolId(toolCallId, CALL_ID) }),
      name: this.#calls.get(toolCallId) ?? 'tool',
      response: responseOf(text, isError === true),
      ...(inside && { parts: media }),
    }
    if (media.length === 0 || inside) return [{ functionResponse }]
    notes.add('changed', 'The model takes text only as a tool result; images and files went into the user turn after it.', 'messages')
    return [{ functionResponse }, { text: `Attached to the result of the tool call ${fitToolId(toolCallId, CALL_ID)}:` }, ...media]
  }

  #assistant(message: AssistantMessage): Block[] {
    const { target, notes, traits } = this.#encoding
    if (typeof message.content === 'string') return inputBlocks(message.content, target.provider)
    const mine = isOwn(message, target)
    const blocks: Block[] = []
    for (const part of message.content) this.#part(part, mine, blocks)
    if (!mine && message.content.some(part => own(part.providerData, DIALECT)?.['thoughtSignature'] !== undefined)) notes.add('dropped', 'Signatures of another model cannot be sent back and were left out.', 'messages')
    const calls = blocks.filter(block => block['functionCall'] !== undefined)
    // Of calls made at once only the first is signed.
    if (traits.signedCalls && calls[0] !== undefined && !calls.some(call => call['thoughtSignature'] !== undefined)) calls[0]['thoughtSignature'] = SKIP
    return blocks
  }

  #part(part: AssistantPart, mine: boolean, blocks: Block[]): void {
    const given = verbatim(part.providerData, DIALECT, this.#encoding.target.provider)
    if (given !== undefined) {
      const { thoughtSignature: _, ...rest } = given
      blocks.push(mine ? { ...given } : rest)
      return
    }
    const data = mine ? own(part.providerData, DIALECT) : undefined
    const signature = stringAt(data, 'thoughtSignature')
    const signed: Block = signature === undefined ? {} : { thoughtSignature: signature }
    switch (part.type) {
      case 'tool-call':
        return void blocks.push({ ...this.#call(part), ...signed })
      case 'file':
        return void blocks.push(fileBlock(part))
      case 'reasoning':
        return this.#thought(part.text, mine, signed, blocks)
      default:
        return speak(part.text, signed, data?.['of'] === 'file', blocks)
    }
  }

  #thought(text: string, mine: boolean, signed: Block, blocks: Block[]): void {
    if (!mine) this.#encoding.notes.add('dropped', 'Reasoning of another model cannot be sent back and was left out.', 'messages')
    else if (text !== '' || 'thoughtSignature' in signed) blocks.push({ text, thought: true, ...signed })
  }

  #call(part: ToolCallPart): Block {
    const { names, notes, callIds } = this.#encoding
    const name = names.wire(part.name)
    this.#calls.set(part.id, name)
    return { functionCall: { ...(callIds && { id: fitToolId(part.id, CALL_ID) }), name, args: inputObject(part, notes) } }
  }
}

/** A text; or the signature of a file, which stands behind it, for a file has no place for one. */
function speak(text: string, signed: Block, ofFile: boolean, blocks: Block[]): void {
  const last = blocks.at(-1)
  if (ofFile && last?.['inlineData'] !== undefined) Object.assign(last, signed)
  else if (text !== '' || 'thoughtSignature' in signed) blocks.push({ text, ...signed })
}

/** A result must be an object, and not an empty one. */
function responseOf(text: string, failed: boolean): JsonObject {
  if (failed) return { error: text }
  const parsed = tryParseJson(text)
  return isObject(parsed) && Object.keys(parsed).length > 0 ? (parsed as JsonObject) : { result: isObject(parsed) ? (parsed as JsonObject) : text }
}

function partsOf({ results, rest }: Turn, order: readonly string[]): Block[] {
  const known = new Set(order)
  const ids = [...order.filter(id => results.has(id)), ...[...results.keys()].filter(id => !known.has(id))]
  const blocks = ids.flatMap(id => results.get(id) ?? [])
  // Calls and results are counted against each other, so nothing may stand between the results.
  return [...blocks.filter(block => 'functionResponse' in block), ...blocks.filter(block => !('functionResponse' in block)), ...rest]
}

export function conversationOf(request: UpstreamRequest, encoding: Encoding): Conversation {
  const { target, traits, notes } = encoding
  const first = request.messages.findIndex(message => message.role !== 'system' && message.role !== 'developer')
  const start = first < 0 ? request.messages.length : first
  const writer = new Writer(encoding)
  for (const message of request.messages.slice(start)) writer.add(message)
  const system = request.messages.slice(0, start).flatMap(message => (message.role === 'system' || message.role === 'developer' ? inputBlocks(message.content, target.provider) : []))
  if (!traits.system && system.length > 0) {
    notes.add('changed', 'The model has no place for instructions; they were sent at the start of the first user message.', 'messages')
    writer.lead(system)
  }
  if (writer.turns.length === 0) throw new GatewayError('invalid_request', 'The messages hold nothing but blank text. Add a user message.')
  if (writer.turns[0]?.role === 'model') {
    notes.add('changed', `The conversation must begin with the user; "${OPENING}" was put in front.`, 'messages')
    writer.lead([{ text: OPENING }])
  }
  const order = request.messages.flatMap(message => (message.role === 'assistant' && typeof message.content !== 'string' ? message.content.flatMap(part => (part.type === 'tool-call' ? [part.id] : [])) : []))
  return { system: traits.system ? system : [], contents: writer.turns.map(turn => ({ role: turn.role, parts: partsOf(turn, order) })) }
}
