import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent, FinishReason, Usage } from '../../protocol/events.js'
import { isObject, numberAt, parseJson, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { citationEvent, malformed, type Fields, type Open } from './blocks.js'
import { faultWithin, isErrorBody } from './fault.js'
import { FAULT } from './frames.js'
import { DIALECT, namesOf, type Names } from './names.js'
import { reasonOf, usageOf } from './usage.js'

/** Turns one answer into events; a JSON body is read block by block as a stream is. */
export class ConverseDecoder implements Decoder {
  readonly #ctx: DecodeContext
  readonly #names: Names
  readonly #calls: ToolCalls
  readonly #open = new Map<number, Open>()
  readonly #metadata: Record<string, Json> = {}
  #out: ChatEvent[] = []
  #started = false
  #stopped = false
  #done = false
  #raw: string | undefined
  #usage: Usage | undefined
  #blocks = 0
  #answered = false
  #strangers = false
  /** The block whose text the collector has open, and the block that reasons. */
  #text: number | undefined
  #thought: number | undefined

  constructor(ctx: DecodeContext) {
    this.#ctx = ctx
    this.#names = namesOf(ctx.request, ctx.target)
    this.#calls = new ToolCalls(index => `tooluse_${index}`)
  }

  get finishing(): boolean {
    return this.#stopped && !this.#done
  }
  get done(): boolean {
    return this.#done
  }

  json(body: unknown): ChatEvent[] {
    if (this.#done) return []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    const { provider } = this.#ctx.target
    if (isErrorBody(body, this.#ctx.headers)) throw faultWithin(isObject(body['error']) ? body['error'] : body, provider, this.#ctx.headers)
    const message = isObject(body['output']) ? body['output']['message'] : undefined
    if (!isObject(message) || !Array.isArray(message['content'])) throw malformed('The answer is JSON but not a message.')
    this.#start()
    for (const [at, block] of message['content'].entries()) this.#block(at, block)
    this.#stop(body)
    this.#meta(body)
    this.#finish()
    return this.#take()
  }

  frame({ event = '', data }: Frame): ChatEvent[] {
    if (this.#done) return []
    const fault = FAULT.exec(event)
    if (fault !== null) throw faultWithin(data, this.#ctx.target.provider, this.#ctx.headers, event.slice(fault[0].length))
    const text = data.trim()
    if (text === '') return []
    const fields = this.#parse(text)
    if (fields === undefined) this.#warn('frame_skipped', 'A frame of the stream was not a JSON object and was skipped.')
    else this.#event(event, fields)
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.#done) return []
    if (!this.#stopped) throw malformed('The stream ended before the message did.')
    this.#warn('missing_terminal', 'The stream ended after the stop reason without its usage.')
    this.#finish()
    return this.#take()
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #warn(code: 'frame_skipped' | 'missing_terminal' | 'dropped' | 'other', message: string): void {
    this.#out.push({ type: 'warning', warning: { code, message } })
  }

  #parse(text: string): Fields | undefined {
    let data: unknown
    try {
      data = parseJson(text)
    } catch (error) {
      if (GatewayError.is(error)) throw error
    }
    if (isObject(data)) return data
    // What the frame held of a tool's input cannot be guessed.
    if ([...this.#open.values()].some(({ kind }) => kind === 'tool' || kind === 'output')) throw malformed('A frame inside a tool call is not a JSON object.')
    return undefined
  }

  #event(event: string, data: Fields): void {
    const index = numberAt(data, 'contentBlockIndex') ?? 0
    switch (event) {
      case 'messageStart':
        return this.#start()
      case 'contentBlockStart':
        this.#start()
        return this.#begin(index, data['start'])
      case 'contentBlockDelta':
        this.#start()
        return this.#delta(index, data['delta'])
      case 'contentBlockStop':
        return this.#close(index)
      case 'messageStop':
        this.#start()
        this.#stop(data)
        if (this.#usage !== undefined) this.#finish()
        return
      case 'metadata':
        this.#meta(data)
        if (this.#stopped) this.#finish()
    }
  }

  /** The stream has no id of its own; the one of the request tells the same. */
  #start(): void {
    if (this.#started) return
    this.#started = true
    const id = this.#ctx.headers['x-amzn-requestid']
    this.#out.push({ type: 'start', ...(id !== undefined && { id }) })
  }

  #stop(data: Fields): void {
    this.#stopped = true
    this.#raw ??= stringAt(data, 'stopReason')
    const fields = data['additionalModelResponseFields']
    if (isObject(fields)) this.#metadata['additionalModelResponseFields'] = fields as Json
  }

  #meta(data: Fields): void {
    this.#usage = usageOf(data['usage'], data['serviceTier'])
    if (isObject(data['trace'])) this.#metadata['trace'] = data['trace'] as Json
  }

  /** A whole block, in the steps a stream would have brought it. */
  #block(index: number, block: unknown): void {
    if (!isObject(block)) return
    const { text, toolUse, reasoningContent, citationsContent } = block
    if (typeof text === 'string') this.#say(index, text)
    else if (isObject(toolUse)) {
      this.#begin(index, { toolUse })
      const { input } = toolUse
      if (typeof input === 'string') this.#input(index, input)
      else if (isObject(input) && Object.keys(input).length > 0) this.#input(index, JSON.stringify(input))
    } else if (isObject(reasoningContent)) this.#think(index, isObject(reasoningContent['reasoningText']) ? reasoningContent['reasoningText'] : reasoningContent)
    else if (isObject(citationsContent)) this.#cited(index, citationsContent)
    else this.#strange(index)
    this.#close(index)
  }

  #cited(index: number, { content, citations }: Fields): void {
    for (const citation of Array.isArray(citations) ? citations : []) this.#cite(index, citation)
    for (const part of Array.isArray(content) ? content : []) this.#say(index, stringAt(part, 'text') ?? '')
  }

  #begin(index: number, start: unknown): void {
    this.#close(index)
    this.#leaveThought(index)
    const tool = isObject(start) ? start['toolUse'] : undefined
    if (!isObject(tool)) return isObject(start) && Object.keys(start).length > 0 ? this.#strange(index) : undefined
    // A tool of the server's own is none of the caller's business.
    if ((stringAt(tool, 'type') ?? 'tool_use') !== 'tool_use') return this.#strange(index)
    const name = stringAt(tool, 'name') ?? ''
    const output = name !== '' && name === this.#names.output
    const { key } = this.#opened(index, output ? 'output' : 'tool')
    if (!output) this.#calls.start(key, stringAt(tool, 'toolUseId'), this.#names.original(name), this.#out)
  }

  #opened(index: number, kind: Open['kind']): Open {
    const open: Open = { kind, key: this.#blocks++, json: [], signature: [], redacted: [] }
    this.#open.set(index, open)
    return open
  }

  #delta(index: number, delta: unknown): void {
    if (!isObject(delta)) return
    const { text, toolUse, reasoningContent, citation } = delta
    if (typeof text === 'string') this.#say(index, text)
    else if (isObject(toolUse)) this.#input(index, stringAt(toolUse, 'input') ?? '')
    else if (isObject(reasoningContent)) this.#think(index, reasoningContent)
    else if (isObject(citation)) this.#cite(index, citation)
    else if (Object.keys(delta).length > 0) this.#strange(index)
  }

  #input(index: number, text: string): void {
    const open = this.#open.get(index)
    if (text === '' || open?.kind === 'opaque') return
    if (open === undefined || open.kind === 'reasoning') throw malformed('A piece of a tool call came without the call.')
    open.json.push(text)
    if (open.kind === 'tool') this.#calls.delta(open.key, text, this.#out)
    else this.#say(index, text)
  }

  #close(index: number): void {
    const open = this.#open.get(index)
    if (open === undefined) return
    this.#open.delete(index)
    if (open.kind === 'tool') this.#endCall(open)
    else if (open.kind === 'reasoning') this.#endReasoning(open)
    else if (open.kind === 'output') {
      this.#answered = true
      if (open.json.length === 0) this.#say(index, '{}')
    }
  }

  // A length limit cuts the last call, and the block is closed all the same: what does not parse waits for the stop reason.
  #endCall({ key, json }: Open): void {
    if (json.length > 0 && !isObject(tryParseJson(json.join('')))) return
    this.#calls.complete(key, this.#out)
    this.#text = undefined
  }

  #endReasoning({ signature, redacted }: Open): void {
    this.#thought = undefined
    const signed = signature.join('')
    const hidden = redacted.join('')
    if (signed !== '') this.#attach('reasoning', { signature: signed })
    if (hidden !== '') this.#attach('reasoning', { redacted: hidden })
  }

  #leaveThought(index: number): void {
    if (this.#thought !== undefined && this.#thought !== index) this.#close(this.#thought)
  }

  /** The text before is a part of its own, with its own citations. */
  #texting(index: number): void {
    this.#leaveThought(index)
    if (this.#text !== undefined && this.#text !== index) this.#attach('text', {})
    this.#text = index
  }

  #say(index: number, text: string): void {
    if (text === '') return
    this.#texting(index)
    this.#out.push({ type: 'text-delta', text })
  }

  #cite(index: number, citation: unknown): void {
    const event = citationEvent(citation)
    if (event === undefined) return
    this.#texting(index)
    this.#out.push(event)
  }

  #think(index: number, fields: Fields): void {
    this.#leaveThought(index)
    if (this.#thought === undefined) this.#close(index)
    const open = this.#thought === undefined ? this.#opened(index, 'reasoning') : this.#open.get(index)
    this.#thought = index
    open?.signature.push(stringAt(fields, 'signature') ?? '')
    open?.redacted.push(stringAt(fields, 'redactedContent') ?? '')
    const text = stringAt(fields, 'text')
    if (text === undefined) return
    this.#out.push({ type: 'reasoning-delta', text })
    this.#text = undefined
  }

  #attach(on: 'text' | 'reasoning', data: Json): void {
    this.#out.push({ type: 'provider-data', dialect: DIALECT, data, on })
    this.#text = undefined
  }

  #strange(index: number): void {
    if (!this.#open.has(index)) this.#opened(index, 'opaque')
    if (!this.#strangers) this.#warn('dropped', 'The answer has a content block of a kind that is not known here; it was left out.')
    this.#strangers = true
  }

  #finish(): void {
    const reason = reasonOf(this.#raw)
    for (const index of [...this.#open.keys()]) this.#close(index)
    // Half a call is none, whether a limit cut it or the model wrote it wrong.
    if (reason === 'stop' || reason === 'tool-calls') this.#calls.completeAll(this.#out)
    else this.#calls.completeWhole(this.#out)
    if (this.#raw === undefined) this.#warn('other', 'The answer came without a stop reason.')
    if (Object.keys(this.#metadata).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, data: this.#metadata, on: 'message' })
    this.#out.push({ type: 'finish', finishReason: this.#reason(reason), rawFinishReason: this.#raw ?? null, usage: this.#usage ?? {} })
    this.#done = true
  }

  #reason(reason: FinishReason): FinishReason {
    if (this.#calls.count > 0) return reason === 'stop' ? 'tool-calls' : reason
    if (reason !== 'tool-calls') return reason
    return this.#answered ? 'stop' : 'other'
  }
}
