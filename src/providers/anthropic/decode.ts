import type { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent, FinishReason } from '../../protocol/events.js'
import { isObject, numberAt, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { malformed, objectIn } from '../common/parse.js'
import { citationEvent, grow, kindOf, type Fields, type Open } from './blocks.js'
import { faultWithin } from './fault.js'
import { namesOf, type Names } from './names.js'
import { reasonOf, UsageMeter } from './usage.js'

const DIALECT = 'anthropic'

/** Turns one answer of the dialect into events; the JSON body is read as one message that begins whole. */
export class MessagesDecoder implements Decoder {
  readonly #ctx: DecodeContext
  readonly #names: Names
  readonly #usage = new UsageMeter()
  readonly #calls: ToolCalls
  readonly #open = new Map<number, Open>()
  readonly #late: number[] = []
  readonly #metadata: Record<string, Json> = {}
  #out: ChatEvent[] = []
  #started = false
  #done = false
  #raw: string | undefined
  #id: string | undefined
  #blocks = 0
  #answered = false
  // The part a collector has open is a text.
  #texting = false

  constructor(ctx: DecodeContext) {
    this.#ctx = ctx
    this.#names = namesOf(ctx.request, ctx.target)
    this.#calls = new ToolCalls(index => `${this.#id ?? 'toolu'}_${index}`)
  }

  get finishing(): boolean {
    return this.#raw !== undefined && !this.#done
  }
  get done(): boolean {
    return this.#done
  }

  json(body: unknown): ChatEvent[] {
    if (this.#done) return []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    if (body['type'] === 'error' || (isObject(body['error']) && !Array.isArray(body['content']))) throw this.#fault(body)
    if (!Array.isArray(body['content']) || !(body['type'] === 'message' || body['role'] === 'assistant')) throw malformed('The answer is JSON but not a message.')
    this.#message(body)
    this.#finish()
    return this.#take()
  }

  frame(frame: Frame): ChatEvent[] {
    const text = frame.data.trim()
    if (this.#done || text === '' || text === '[DONE]') return []
    const data = this.#parse(text, frame.event)
    if (data === undefined) {
      this.#out.push({ type: 'warning', warning: { code: 'frame_skipped', message: 'A frame of the stream was not a JSON object and was skipped.' } })
      return this.#take()
    }
    this.#event(stringAt(data, 'type') ?? frame.event, data)
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.#done) return []
    if (this.#raw === undefined) throw malformed('The stream ended before the message did.')
    this.#out.push({ type: 'warning', warning: { code: 'missing_terminal', message: 'The stream ended without message_stop, after a stop reason.' } })
    this.#finish()
    return this.#take()
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #fault(body: unknown): GatewayError {
    return faultWithin(body, this.#ctx.target.provider, this.#ctx.headers)
  }

  #parse(text: string, event: string | undefined): Fields | undefined {
    const data = objectIn(text)
    if (data !== undefined) return data
    if (event === 'error') throw this.#fault(text)
    // What the frame held of a tool's input cannot be guessed.
    if ([...this.#open.values()].some(open => open.kind === 'tool' || open.kind === 'output' || open.kind === 'opaque')) throw malformed('A frame inside a tool call is not a JSON object.')
    return undefined
  }

  #event(type: string | undefined, data: Fields): void {
    switch (type) {
      case 'message_start':
        return this.#message(isObject(data['message']) ? data['message'] : {})
      case 'content_block_start':
        return this.#begin(numberAt(data, 'index') ?? 0, data['content_block'])
      case 'content_block_delta':
        return this.#delta(numberAt(data, 'index') ?? 0, data['delta'])
      case 'content_block_stop':
        return this.#close(numberAt(data, 'index') ?? 0)
      case 'message_delta':
        this.#usage.add(data['usage'])
        return this.#ending(isObject(data['delta']) ? data['delta'] : {}, data['usage'])
      case 'message_stop':
        return this.#finish()
      default:
        if (type === 'error' || isObject(data['error'])) throw this.#fault(data)
    }
  }

  #message(message: Fields): void {
    const id = stringAt(message, 'id')
    const model = stringAt(message, 'model')
    if (!this.#started) this.#out.push({ type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) })
    this.#id ??= id
    this.#usage.add(message['usage'], this.#started)
    this.#started = true
    for (const [at, block] of (Array.isArray(message['content']) ? message['content'] : []).entries()) {
      this.#begin(at, block)
      this.#close(at)
    }
    this.#ending(message, message['usage'])
  }

  #ending(delta: Fields, usage: unknown): void {
    this.#raw ??= stringAt(delta, 'stop_reason')
    for (const key of ['stop_sequence', 'stop_details', 'container']) {
      const value = delta[key]
      if (value !== undefined && value !== null) this.#metadata[key] = value as Json
    }
    const server = isObject(usage) ? usage['server_tool_use'] : undefined
    if (isObject(server)) this.#metadata['server_tool_use'] = server as Json
  }

  #begin(index: number, block: unknown): void {
    if (!isObject(block)) return
    this.#close(index)
    this.#settle()
    const open: Open = { kind: kindOf(block, this.#names.output), key: this.#blocks++, block, json: [], signature: [] }
    this.#open.set(index, open)
    // The text before is a part of its own, with its own citations, and a block kept to be sent back must not take its place.
    if (this.#texting && (open.kind === 'text' || open.kind === 'opaque')) this.#attach('text', {})
    if (open.kind === 'text') this.#beginText(block)
    else if (open.kind === 'thinking') this.#think(stringAt(block, 'thinking'))
    else if (open.kind === 'tool') this.#beginCall(open)
  }

  #beginText(block: Fields): void {
    this.#say(stringAt(block, 'text'))
    for (const citation of Array.isArray(block['citations']) ? block['citations'] : []) this.#cite(citation)
  }

  #beginCall({ key, block }: Open): void {
    this.#calls.start(key, stringAt(block, 'id'), this.#names.original(stringAt(block, 'name') ?? ''), this.#out)
    const caller = block['caller']
    if (isObject(caller) && caller['type'] !== 'direct') this.#out.push({ type: 'provider-data', dialect: DIALECT, data: { caller: caller as Json }, on: 'tool-call' })
  }

  #delta(index: number, delta: unknown): void {
    if (!isObject(delta)) return
    const open = this.#open.get(index)
    switch (delta['type']) {
      case 'text_delta':
        return this.#say(stringAt(delta, 'text'))
      case 'thinking_delta':
        return this.#think(stringAt(delta, 'thinking'))
      case 'citations_delta':
        return this.#cite(delta['citation'])
      case 'signature_delta':
        open?.signature.push(stringAt(delta, 'signature') ?? '')
        return
      case 'input_json_delta':
        return this.#input(open, stringAt(delta, 'partial_json') ?? '')
      default:
        if (open?.kind === 'opaque') grow(open.block, delta)
    }
  }

  #input(open: Open | undefined, text: string): void {
    if (text === '') return
    if (open === undefined) throw malformed('A piece of a tool call came without the call.')
    open.json.push(text)
    if (open.kind === 'tool') this.#calls.delta(open.key, text, this.#out)
    else if (open.kind === 'output') this.#say(text)
  }

  #close(index: number): void {
    const open = this.#open.get(index)
    if (open === undefined) return
    this.#open.delete(index)
    if (open.kind === 'thinking') this.#endThinking(open)
    else if (open.kind === 'redacted') this.#attach('reasoning', { redacted: stringAt(open.block, 'data') ?? '' })
    else if (open.kind === 'opaque') this.#endOpaque(open)
    else if (open.kind === 'output') {
      this.#answered = true
      if (open.json.length === 0) this.#say(JSON.stringify(open.block['input'] ?? {}))
    } else if (open.kind === 'tool') this.#endCall(open)
  }

  #endThinking({ block, signature }: Open): void {
    const signed = signature.join('') || (stringAt(block, 'signature') ?? '')
    if (signed !== '') this.#attach('reasoning', { signature: signed })
  }

  #endOpaque({ block, json }: Open): void {
    const input = json.length === 0 ? undefined : tryParseJson(json.join(''))
    this.#attach('text', { block: (input === undefined ? block : { ...block, input }) as Json })
  }

  #endCall({ key, block, json }: Open): void {
    const given = block['input']
    if (json.length === 0 && isObject(given) && Object.keys(given).length > 0) {
      json.push(JSON.stringify(given))
      this.#calls.delta(key, json[0] ?? '', this.#out)
    }
    // A length limit cuts the last call, and the block is closed all the same: the stop reason tells.
    if (isObject(tryParseJson(json.join('')))) this.#complete(key)
    else this.#late.push(key)
  }

  #complete(key: number): void {
    this.#calls.complete(key, this.#out)
    this.#texting = false
  }

  // What another block follows was not cut.
  #settle(): void {
    for (const key of this.#late.splice(0)) this.#complete(key)
  }

  #say(text: string | undefined): void {
    if (text === undefined || text === '') return
    this.#out.push({ type: 'text-delta', text })
    this.#texting = true
  }

  #think(text: string | undefined): void {
    if (text === undefined) return
    this.#out.push({ type: 'reasoning-delta', text })
    this.#texting = false
  }

  #attach(on: 'text' | 'reasoning', data: Json): void {
    this.#out.push({ type: 'provider-data', dialect: DIALECT, data, on })
    this.#texting = false
  }

  #cite(citation: unknown): void {
    const event = citationEvent(citation)
    if (event === undefined) return
    this.#out.push(event)
    this.#texting = true
  }

  #finish(): void {
    const reason = reasonOf(this.#raw)
    for (const index of [...this.#open.keys()]) this.#close(index)
    if (reason === 'length' || reason === 'content-filter') this.#calls.completeWhole(this.#out)
    else this.#calls.completeAll(this.#out)
    if (this.#raw === undefined) this.#out.push({ type: 'warning', warning: { code: 'other', message: 'The answer came without a stop reason.' } })
    if (Object.keys(this.#metadata).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, data: this.#metadata, on: 'message' })
    this.#out.push({ type: 'finish', finishReason: this.#reason(reason), rawFinishReason: this.#raw ?? null, usage: this.#usage.usage() })
    this.#done = true
  }

  #reason(reason: FinishReason): FinishReason {
    if (this.#calls.count > 0) return reason === 'stop' ? 'tool-calls' : reason
    if (reason !== 'tool-calls') return reason
    return this.#answered ? 'stop' : 'other'
  }
}
