import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import { isObject, parseJson, stringAt, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { DIALECT } from './content.js'
import { faultWithin } from './fault.js'
import { freshIds } from './ids.js'
import { namesOf, type Names } from './names.js'
import { PartialArguments } from './partial.js'
import { logprobsOf, Sources } from './sources.js'
import { rawReason, reasonOf, UsageMeter } from './usage.js'

type Fields = Record<string, unknown>

function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

function candidateOf(data: Fields): Fields | undefined {
  const candidates = Array.isArray(data['candidates']) ? (data['candidates'] as unknown[]).filter(isObject) : []
  return candidates.find(candidate => (candidate['index'] ?? 0) === 0)
}

/** Turns one answer into events. Every piece of a stream has the shape of a whole answer, so both wires are read alike. */
export class GenerateDecoder implements Decoder {
  readonly #ctx: DecodeContext
  readonly #names: Names
  readonly #calls: ToolCalls
  readonly #usage = new UsageMeter()
  readonly #sources = new Sources()
  readonly #metadata: Record<string, Json> = {}
  #partial: { readonly key: number; readonly args: PartialArguments } | undefined
  #out: ChatEvent[] = []
  #started = false
  #done = false
  #raw: string | undefined
  #blocked = false
  #count = 0
  // The part a collector has open is a text.
  #texting = false
  #sketched = false

  constructor(ctx: DecodeContext) {
    this.#ctx = ctx
    this.#names = namesOf(ctx.request, ctx.target.model)
    this.#calls = new ToolCalls(freshIds(ctx.request))
  }

  get finishing(): boolean {
    return this.#raw !== undefined && !this.#done
  }
  get done(): boolean {
    return this.#done
  }

  /** One answer, or the list that a stream is where no event framing was asked for. */
  json(body: unknown): ChatEvent[] {
    if (this.#done) return []
    if (Array.isArray(body)) {
      for (const piece of body as unknown[]) if (isObject(piece)) this.#piece(piece)
      return this.end()
    }
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    if (!this.#piece(body)) throw malformed('The answer is JSON but holds no candidate.')
    if (this.#raw === undefined) this.#warn('other', 'The answer came without a finish reason.')
    return this.#finish()
  }

  frame(frame: Frame): ChatEvent[] {
    const text = frame.data.trim()
    if (this.#done || text === '' || text === '[DONE]') return []
    const data = this.#parse(text, frame.event)
    if (data === undefined) this.#warn('frame_skipped', 'A frame of the stream was not a JSON object and was skipped.')
    else this.#piece(data)
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.#done) return []
    if (this.#raw === undefined) throw malformed('The stream ended before the answer did.')
    return this.#finish()
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #warn(code: 'frame_skipped' | 'dropped' | 'other', message: string): void {
    this.#out.push({ type: 'warning', warning: { code, message } })
  }

  #parse(text: string, event: string | undefined): Fields | undefined {
    let data: unknown
    try {
      data = parseJson(text)
    } catch (error) {
      if (GatewayError.is(error)) throw error
    }
    if (isObject(data)) return data
    if (event === 'error') throw faultWithin(text, this.#ctx.target.provider)
    // Several answers with single line ends between them are one event by the rules; what they say must not be lost.
    if (data === undefined && text.includes('\n')) throw malformed('An event of the stream holds several lines that are not one JSON object.')
    if (this.#partial !== undefined) throw malformed('A frame inside a tool call is not a JSON object.')
    return undefined
  }

  /** False where the object has nothing of an answer. */
  #piece(data: Fields): boolean {
    if (isObject(data['error'])) throw faultWithin(data, this.#ctx.target.provider)
    const candidate = candidateOf(data)
    const feedback = data['promptFeedback']
    const block = isObject(feedback) ? rawReason(feedback['blockReason']) : undefined
    this.#usage.add(data['usageMetadata'])
    if (candidate === undefined && block === undefined) return false
    this.#start(data)
    if (candidate !== undefined) this.#candidate(candidate)
    if (block === undefined || (candidate !== undefined && this.#raw !== undefined)) return true
    this.#raw ??= block
    this.#blocked = true
    this.#metadata['promptFeedback'] = feedback as Json
    return true
  }

  #start(data: Fields): void {
    if (this.#started) return
    this.#started = true
    const id = stringAt(data, 'responseId')
    const model = stringAt(data, 'modelVersion')
    this.#out.push({ type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) })
  }

  #candidate(candidate: Fields): void {
    const content = candidate['content']
    const parts = isObject(content) && Array.isArray(content['parts']) ? (content['parts'] as unknown[]) : []
    for (const part of parts) if (isObject(part)) this.#part(part)
    const tokens = logprobsOf(candidate['logprobsResult'])
    if (tokens.length > 0) this.#out.push({ type: 'logprobs', tokens })
    this.#sources.add(candidate)
    this.#raw ??= rawReason(candidate['finishReason'])
    for (const key of ['finishMessage', 'urlContextMetadata']) {
      const value = candidate[key]
      if (value !== undefined && value !== null) this.#metadata[key] = value as Json
    }
  }

  #part(part: Fields): void {
    const signature = stringAt(part, 'thoughtSignature')
    const { functionCall: call, text, inlineData: media } = part
    if (isObject(call)) this.#call(call, signature)
    else if (isObject(media)) this.#media(media, part, signature)
    else if (typeof text === 'string') this.#text(text, part['thought'] === true ? 'reasoning' : 'text', signature)
    else if (Object.keys(part).some(key => key !== 'thought' && key !== 'thoughtSignature')) this.#keep(part)
    else if (signature !== undefined) this.#text('', part['thought'] === true ? 'reasoning' : 'text', signature)
  }

  #text(text: string, on: 'text' | 'reasoning', signature: string | undefined): void {
    if (text !== '') {
      this.#out.push({ type: `${on}-delta`, text })
      this.#texting = on === 'text'
    }
    if (signature === undefined) return
    // A part of its own, though empty: the signature goes back on the part it came with.
    if (text === '' && this.#texting) this.#attach('text', {})
    this.#attach(on, { thoughtSignature: signature })
  }

  #media(media: Fields, part: Fields, signature: string | undefined): void {
    const data = stringAt(media, 'data')
    if (data === undefined) return
    if (part['thought'] === true) {
      if (!this.#sketched) this.#warn('dropped', 'Pictures of the reasoning were left out.')
      this.#sketched = true
      return
    }
    this.#texting = false
    this.#out.push({ type: 'file', mediaType: stringAt(media, 'mimeType') ?? 'application/octet-stream', data })
    if (signature !== undefined) this.#attach('text', { of: 'file', thoughtSignature: signature })
  }

  /** A part of the server's own, such as code it ran: kept to be sent back as it is. */
  #keep(part: Fields): void {
    if (this.#texting) this.#attach('text', {})
    this.#attach('text', { block: part as Json })
  }

  #attach(on: 'text' | 'reasoning', data: Json): void {
    this.#out.push({ type: 'provider-data', dialect: DIALECT, data, on })
    this.#texting = false
  }

  #call(call: Fields, signature: string | undefined): void {
    const name = stringAt(call, 'name')
    const more = call['willContinue'] === true
    if (name === undefined) return this.#goOn(call, more)
    if (this.#partial !== undefined) this.#close(this.#partial)
    if (name === this.#names.output) return this.#text(JSON.stringify(call['args'] ?? {}), 'text', signature)
    const key = this.#count++
    this.#texting = false
    this.#calls.start(key, stringAt(call, 'id'), this.#names.original(name), this.#out)
    if (signature !== undefined) this.#out.push({ type: 'provider-data', dialect: DIALECT, data: { thoughtSignature: signature }, on: 'tool-call' })
    this.#partial = { key, args: new PartialArguments() }
    this.#goOn(call, more)
  }

  #goOn(call: Fields, more: boolean): void {
    const partial = this.#partial
    if (partial === undefined) {
      if (call['args'] !== undefined || call['partialArgs'] !== undefined) throw malformed('A piece of a tool call came without the call.')
      return
    }
    partial.args.assign(call['args'])
    partial.args.add(call['partialArgs'])
    if (!more) this.#close(partial)
  }

  #close({ key, args }: { readonly key: number; readonly args: PartialArguments }): void {
    this.#partial = undefined
    this.#calls.delta(key, args.text, this.#out)
    this.#calls.complete(key, this.#out)
  }

  #finish(): ChatEvent[] {
    const reason = this.#blocked ? 'content-filter' : reasonOf(this.#raw)
    // Half a call is no call, and a whole answer has none.
    if (this.#partial !== undefined && reason === 'stop') throw malformed('The answer ended inside a tool call.')
    this.#out.push(...this.#sources.events())
    const { grounding } = this.#sources
    const data: Record<string, Json> = { ...this.#metadata, ...(grounding !== undefined && { groundingMetadata: grounding }) }
    if (Object.keys(data).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, data, on: 'message' })
    const called = this.#calls.count > 0 && reason === 'stop'
    this.#out.push({ type: 'finish', finishReason: called ? 'tool-calls' : reason, rawFinishReason: this.#raw ?? null, usage: this.#usage.usage() })
    this.#done = true
    return this.#take()
  }
}
