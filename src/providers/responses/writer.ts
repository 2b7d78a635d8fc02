import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import { isObject, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import type { DecodeContext } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { fitNames, namesIn, type ToolNames } from '../common/names.js'
import { logprobsOf } from '../openai/content.js'
import { waits } from './finish.js'
import { citationEvent, imageIn, isCall, list, newItem, pieceOf, type Fields, type Item, type Key, type Kind } from './items.js'

export const DIALECT = 'responses'

function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

const EVENT = { text: 'text-delta', refusal: 'refusal-delta', reasoning: 'reasoning-delta', summary: 'reasoning-delta' } as const

/** Text inside the quotes of a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Turns output items, whole or piece by piece, into events. Whatever was told once is not told again. */
export class ItemWriter {
  readonly #items = new Map<Key, Item>()
  readonly #ids = new Set<string>()
  readonly #put: (event: ChatEvent) => void
  readonly #calls: ToolCalls
  readonly #names: ToolNames
  readonly #waiting = new Set<string>()
  #reasoned = false
  // The part a collector has open is a text.
  #texting = false

  constructor({ request }: DecodeContext, put: (event: ChatEvent) => void) {
    this.#put = put
    this.#names = fitNames(namesIn(request, DIALECT))
    // Unique as the conversation grows, and the same on both wires.
    this.#calls = new ToolCalls(index => `call_${request.messages.length}_${index}`)
  }

  get calls(): number {
    return this.#calls.count
  }
  /** Some call is not complete. */
  get pending(): boolean {
    return this.#calls.pending
  }
  /** A tool of the provider's own waits for the caller. */
  get waiting(): boolean {
    return this.#waiting.size > 0
  }

  open(key: Key, raw: unknown): void {
    if (!isObject(raw)) return
    const item = this.#item(key)
    if (item.closed) return
    item.type ??= stringAt(raw, 'type')
    item.raw = raw
    if (isCall(item.type) && stringAt(raw, 'name') !== undefined) this.#start(item, raw)
  }

  /** The item is whole: what of it was not told yet is told now. */
  close(key: Key, raw: unknown): void {
    this.open(key, raw)
    const item = this.#item(key)
    if (item.closed) return
    item.closed = true
    const fields = item.raw ?? {}
    if (isCall(item.type)) this.#endCall(item, fields)
    else if (item.type === 'reasoning') this.#endReasoning(item, fields)
    else if (item.type === 'message') this.#endMessage(item, fields)
    else if (item.type !== undefined) this.#keep(item.type, fields)
  }

  say(key: Key, kind: Kind, index: number, text: string): void {
    const item = this.#item(key)
    if (text === '' || item.closed) return
    item.type ??= kind === 'text' || kind === 'refusal' ? 'message' : 'reasoning'
    if (kind === 'reasoning' || kind === 'summary') {
      item.told ??= kind
      if (item.told !== kind) return
    }
    const piece = pieceOf(item, kind, index)
    const apart = kind === 'summary' && piece.said === '' && item.last !== undefined ? '\n\n' : ''
    piece.said += text
    item.last = kind
    this.#texting = kind === 'text'
    this.#put({ type: EVENT[kind], text: apart + text })
  }

  /** The whole text of a part, of which some may have come in deltas. */
  said(key: Key, kind: Kind, index: number, whole: unknown): void {
    if (typeof whole !== 'string' || whole === '') return
    const { said } = pieceOf(this.#item(key), kind, index)
    if (whole.length > said.length && whole.startsWith(said)) this.say(key, kind, index, whole.slice(said.length))
  }

  /** @param whole the list starts with the first token of the part. */
  logprobs(key: Key, index: number, tokens: unknown, whole: boolean): void {
    const item = this.#item(key)
    if (!Array.isArray(tokens) || tokens.length === 0 || item.closed) return
    const piece = pieceOf(item, 'text', index)
    const fresh = logprobsOf({ content: whole ? tokens.slice(piece.logprobs) : tokens })
    piece.logprobs = whole ? Math.max(piece.logprobs, tokens.length) : piece.logprobs + tokens.length
    if (fresh.length > 0) this.#put({ type: 'logprobs', tokens: fresh })
  }

  cite(key: Key, index: number, annotation: unknown): void {
    const item = this.#item(key)
    const event = citationEvent(annotation)
    if (event === undefined || item.closed) return
    item.type ??= 'message'
    item.last = 'text'
    pieceOf(item, 'text', index).citations++
    this.#texting = true
    this.#put(event)
  }

  /** A piece of a call's arguments, or of its free text. */
  write(key: Key, type: string, text: string): void {
    const item = this.#item(key)
    if (text === '' || item.closed) return
    item.type ??= type
    item.written += text
    if (item.started) this.#delta(item, text)
  }

  /** The arguments of a call as a whole. */
  written(key: Key, type: string, whole: unknown): void {
    const item = this.#item(key)
    if (item.closed) return
    const text = typeof whole === 'string' ? whole : isObject(whole) ? JSON.stringify(whole) : ''
    if (!text.startsWith(item.written)) {
      // Some servers write the same JSON with other blanks at the end.
      if (text === '' || isObject(tryParseJson(item.written))) return
      throw malformed('The pieces of a tool call are not what its end says it is.')
    }
    this.write(key, type, text.slice(item.written.length))
  }

  /** The response is over: closes what is open, and adds what was never announced. */
  settle(output: readonly unknown[]): void {
    const fresh = this.#items.size === 0
    const all = !fresh && this.#items.size >= output.length
    for (const [at, raw] of output.entries()) {
      if (!isObject(raw)) continue
      const known = this.#items.get(at)
      const id = stringAt(raw, 'id')
      if (known !== undefined ? known.type === stringAt(raw, 'type') : fresh || (!all && (id === undefined || !this.#ids.has(id)))) this.close(at, raw)
    }
    for (const { key, raw } of [...this.#items.values()]) this.close(key, raw)
  }

  /** Ends all calls. @param cut the answer was cut: calls that are not whole are left out with a warning. */
  complete(cut: boolean): void {
    const out: ChatEvent[] = []
    const nameless = [...this.#items.values()].some(item => isCall(item.type) && !item.started)
    if (nameless && !cut) throw malformed('The answer has a tool call without a name.')
    const before = this.#calls.pending
    if (cut) this.#calls.completeWhole(out)
    else this.#calls.completeAll(out)
    for (const event of out) this.#put(event)
    if (cut && (before || nameless)) this.#put({ type: 'warning', warning: { code: 'dropped', message: 'The answer was cut inside a tool call; a call that is not whole was left out. Raise maxOutputTokens.', parameter: 'maxOutputTokens' } })
  }

  #item(key: Key): Item {
    let item = this.#items.get(key)
    if (item === undefined) this.#items.set(key, (item = newItem(key)))
    return item
  }

  #all(events: readonly ChatEvent[]): void {
    for (const event of events) this.#put(event)
  }

  #start(item: Item, raw: Fields): void {
    if (item.started) return
    item.started = true
    const given = stringAt(raw, 'call_id') ?? stringAt(raw, 'id')
    // Two calls of one answer under one id could not be told apart in their results.
    const id = given !== undefined && this.#ids.has(`call ${given}`) ? undefined : given
    if (id !== undefined) this.#ids.add(`call ${id}`)
    const out: ChatEvent[] = []
    this.#texting = false
    this.#calls.start(item.key, id, this.#names.original(stringAt(raw, 'name') ?? ''), out)
    this.#all(out)
    const custom = item.type === 'custom_tool_call'
    const own = stringAt(raw, 'id')
    if (custom || own !== undefined) this.#put({ type: 'provider-data', dialect: DIALECT, on: 'tool-call', data: { ...(custom && { type: 'custom' }), ...(own !== undefined && { id: own }) } })
    // Free text travels as a JSON string, so that every call's arguments are JSON.
    if (custom) this.#argument(item, '"')
    if (item.written !== '') this.#delta(item, item.written)
  }

  #delta(item: Item, text: string): void {
    if (item.type !== 'custom_tool_call') return this.#argument(item, text)
    // Half of a character waits for its other half: alone it would be written in another way.
    const whole = item.half + text
    const end = whole.length - (/[\uD800-\uDBFF]$/.test(whole) ? 1 : 0)
    item.half = whole.slice(end)
    this.#argument(item, escaped(whole.slice(0, end)))
  }

  #argument(item: Item, text: string): void {
    const out: ChatEvent[] = []
    this.#calls.delta(item.key, text, out)
    this.#all(out)
  }

  #endCall(item: Item, raw: Fields): void {
    const type = item.type ?? ''
    const custom = type === 'custom_tool_call'
    item.closed = false
    this.written(item.key, type, raw[custom ? 'input' : 'arguments'])
    item.closed = true
    if (!item.started) return
    if (custom) this.#argument(item, `${escaped(item.half)}"`)
    const status = stringAt(raw, 'status')
    const done = status === undefined || status === 'completed'
    // A length limit cuts the last call, and its item is closed all the same: then the end of the answer decides.
    if (!(custom ? done : isObject(tryParseJson(item.written)) || (done && item.written.trim() === ''))) return
    const out: ChatEvent[] = []
    this.#calls.complete(item.key, out)
    this.#all(out)
  }

  #endReasoning(item: Item, raw: Fields): void {
    item.closed = false
    for (const [at, part] of list(raw['content']).entries()) this.said(item.key, 'reasoning', at, isObject(part) ? part['text'] : undefined)
    for (const [at, part] of list(raw['summary']).entries()) this.said(item.key, 'summary', at, isObject(part) ? part['text'] : undefined)
    item.closed = true
    const id = this.#note(raw)
    const encrypted = stringAt(raw, 'encrypted_content')
    const data = { ...(id !== undefined && { id }), ...(encrypted !== undefined && { encrypted_content: encrypted }), ...(item.told === 'reasoning' && { content: true }) }
    this.#reasoned = true
    if (Object.keys(data).length === 0) return
    this.#texting = false
    this.#put({ type: 'provider-data', dialect: DIALECT, on: 'reasoning', data })
  }

  #endMessage(item: Item, raw: Fields): void {
    item.closed = false
    for (const [at, part] of list(raw['content']).entries()) {
      if (!isObject(part)) continue
      if (part['type'] === 'refusal') this.said(item.key, 'refusal', at, part['refusal'])
      else if (part['type'] === 'output_text') this.#endText(item, at, part)
    }
    item.closed = true
    const id = this.#note(raw)
    const phase = stringAt(raw, 'phase')
    // An id is of use only to tell which message belongs to the reasoning before it.
    const data = { ...(id !== undefined && this.#reasoned && { id }), ...(phase !== undefined && { phase }) }
    if (item.last === 'text' && Object.keys(data).length > 0) this.#attach(data)
  }

  #endText(item: Item, at: number, part: Fields): void {
    this.said(item.key, 'text', at, part['text'])
    this.logprobs(item.key, at, part['logprobs'], true)
    for (const annotation of list(part['annotations']).slice(pieceOf(item, 'text', at).citations)) this.cite(item.key, at, annotation)
  }

  /** An item of a tool of the provider's own, or of a kind we do not know: nothing to tell, but it goes back as it came. */
  #keep(type: string, raw: Fields): void {
    this.#note(raw)
    const call = stringAt(raw, 'call_id') ?? stringAt(raw, 'id') ?? ''
    if (waits(type)) this.#waiting.add(`${type} ${call}`)
    else if (type.endsWith('_output')) this.#waiting.delete(`${type.slice(0, -'_output'.length)} ${call}`)
    // The text before is a part of its own, whose place it must not take.
    if (this.#texting) this.#attach({})
    const image = imageIn(raw)
    this.#attach({ item: (image?.rest ?? raw) as Json })
    if (image !== undefined) this.#put(image.file)
  }

  #attach(data: Json): void {
    this.#put({ type: 'provider-data', dialect: DIALECT, on: 'text', data })
    this.#texting = false
  }

  #note(raw: Fields): string | undefined {
    const id = stringAt(raw, 'id')
    if (id !== undefined) this.#ids.add(id)
    return id
  }
}
