import type { ChatEvent } from '../../protocol/events.js'
import { isObject, numberAt, stringAt, tryParseJson, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import type { ToolNames } from '../common/names.js'
import { CUT_CALL } from '../common/notes.js'
import { malformed, objectIn } from '../common/parse.js'
import { DIALECT } from './content.js'
import { faultWithin } from './fault.js'
import { namesOf } from './names.js'
import { logprobsOf, reasonOf, statusOfFinish, usageOf } from './usage.js'

type Fields = Record<string, unknown>

const NOTHING: Fields = Object.freeze({})

function at(value: unknown, ...path: readonly string[]): Fields {
  let found: unknown = value
  for (const key of path) found = isObject(found) ? found[key] : undefined
  return isObject(found) ? found : NOTHING
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : isObject(value) ? [value] : []
}

function argumentsOf(call: Fields): string {
  const written = at(call, 'function')['arguments']
  return typeof written === 'string' ? written : isObject(written) ? JSON.stringify(written) : ''
}

/** Turns one answer of the dialect into events; the JSON body is read as a stream whose pieces are whole. */
export class ChatDecoder implements Decoder {
  done = false
  readonly finishing = false
  readonly #ctx: DecodeContext
  readonly #names: ToolNames
  readonly #calls: ToolCalls
  /** The number of a call in the whole answer, by its index, with its text so far. */
  readonly #open = new Map<number, { readonly key: number; text: string }>()
  #out: ChatEvent[] = []
  #started = false
  #plan = ''

  constructor(ctx: DecodeContext) {
    this.#ctx = ctx
    this.#names = namesOf(ctx.request)
    // Unique as the conversation grows, and the same on both wires.
    this.#calls = new ToolCalls(index => `call_${ctx.request.messages.length}_${index}`)
  }

  json(body: unknown): ChatEvent[] {
    if (this.done) return []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    const { message } = body
    if (this.#isFault(body)) throw faultWithin(body, this.#ctx.target.provider)
    if (!isObject(message)) throw malformed('The answer is JSON but has no message.')
    this.#start(body)
    const content = message['content']
    for (const part of typeof content === 'string' ? [{ text: content }] : list(content)) this.#say(part)
    const tokens = logprobsOf(body['logprobs'])
    if (tokens.length > 0) this.#out.push({ type: 'logprobs', tokens })
    for (const citation of list(message['citations'])) this.#cite(citation)
    this.#plan += stringAt(message, 'tool_plan') ?? ''
    for (const [index, call] of list(message['tool_calls']).entries()) {
      this.#begin(index, isObject(call) ? call : NOTHING)
      this.#close(index)
    }
    this.#finish(body)
    return this.#take()
  }

  frame({ event, data: raw }: Frame): ChatEvent[] {
    const text = raw.trim()
    if (this.done || text === '') return []
    if (text === '[DONE]') this.#finish(NOTHING)
    else {
      const data = objectIn(text)
      if (data === undefined) this.#skip(event, text)
      else this.#event(stringAt(data, 'type') ?? event, data)
    }
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.done) return []
    throw malformed('The stream ended before message-end.')
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  // A message of an answer is an object, one of an error is a sentence.
  #isFault(body: Fields): boolean {
    return typeof body['message'] === 'string' || (body['message'] === undefined && (isObject(body['error']) || typeof body['error'] === 'string'))
  }

  #skip(event: string | undefined, text: string): void {
    if (event === 'error') throw faultWithin(text, this.#ctx.target.provider)
    // What the frame held of a tool's input cannot be guessed.
    if (this.#calls.pending) throw malformed('A frame inside a tool call is not a JSON object.')
    this.#out.push({ type: 'warning', warning: { code: 'frame_skipped', message: 'A frame of the stream was not a JSON object and was skipped.' } })
  }

  #event(type: string | undefined, data: Fields): void {
    const message = at(data, 'delta', 'message')
    switch (type) {
      case 'message-start':
        return this.#start(data)
      case 'content-start':
      case 'content-delta':
        return this.#content(message, data)
      case 'tool-plan-delta':
        this.#plan += stringAt(message, 'tool_plan') ?? ''
        return
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call-end':
        return this.#call(type, numberAt(data, 'index') ?? 0, list(message['tool_calls']))
      case 'citation-start':
        for (const citation of list(message['citations'])) this.#cite(citation)
        return
      case 'message-end':
        return this.#finish(at(data, 'delta'))
      default:
        if (type === 'error' || this.#isFault(data)) throw faultWithin(data, this.#ctx.target.provider)
    }
  }

  #call(type: 'tool-call-start' | 'tool-call-delta' | 'tool-call-end', index: number, calls: readonly unknown[]): void {
    if (type === 'tool-call-end') return this.#close(index)
    for (const each of calls) {
      const call = isObject(each) ? each : NOTHING
      if (type === 'tool-call-start') this.#begin(index, call)
      else this.#more(index, argumentsOf(call))
    }
  }

  #start(from: Fields): void {
    if (this.#started) return
    this.#started = true
    const id = stringAt(from, 'id')
    this.#out.push({ type: 'start', ...(id !== undefined && { id }) })
  }

  #content(message: Fields, data: Fields): void {
    for (const part of list(message['content'])) this.#say(part)
    const tokens = logprobsOf(data['logprobs'])
    if (tokens.length > 0) this.#out.push({ type: 'logprobs', tokens })
  }

  #say(part: unknown): void {
    const thinking = stringAt(part, 'thinking')
    const text = stringAt(part, 'text')
    if (thinking === undefined && text === undefined) return
    this.#start(NOTHING)
    if (thinking !== undefined) this.#out.push({ type: 'reasoning-delta', text: thinking })
    if (text !== undefined) this.#out.push({ type: 'text-delta', text })
  }

  // Those of a plan or of thinking belong to no text that is shown.
  #cite(citation: unknown): void {
    if (!isObject(citation) || (stringAt(citation, 'type') ?? 'TEXT_CONTENT') !== 'TEXT_CONTENT') return
    this.#start(NOTHING)
    const text = stringAt(citation, 'text')
    const source = list(citation['sources']).map(each => at(each, 'document')).find(document => document !== NOTHING)
    const url = stringAt(source, 'url')
    const title = stringAt(source, 'title')
    this.#out.push({ type: 'citation', ...(url !== undefined && { url }), ...(title !== undefined && { title }), ...(text !== undefined && { text }), data: citation as Json })
  }

  #begin(index: number, call: Fields): void {
    const name = stringAt(at(call, 'function'), 'name')
    if (name === undefined) throw malformed('The answer has a tool call without a name.')
    this.#start(NOTHING)
    const key = this.#calls.count
    this.#open.set(index, { key, text: '' })
    this.#calls.start(key, stringAt(call, 'id'), this.#names.original(name), this.#out)
    if (this.#plan !== '') this.#out.push({ type: 'provider-data', dialect: DIALECT, data: { tool_plan: this.#plan }, on: 'tool-call' })
    this.#plan = ''
    this.#more(index, argumentsOf(call))
  }

  #more(index: number, text: string): void {
    if (text === '') return
    const open = this.#open.get(index)
    if (open === undefined) throw malformed('A piece of a tool call came without the call.')
    open.text += text
    this.#calls.delta(open.key, text, this.#out)
  }

  // A length limit cuts the last call, and it is ended all the same: what is no object waits for the finish reason.
  #close(index: number): void {
    const open = this.#open.get(index)
    if (open !== undefined && isObject(tryParseJson(open.text))) this.#calls.complete(open.key, this.#out)
  }

  #finish(from: Fields): void {
    const raw = stringAt(from, 'finish_reason')
    const status = raw === undefined ? undefined : statusOfFinish(raw)
    if (status !== undefined) throw faultWithin({ code: raw, ...from }, this.#ctx.target.provider, status)
    this.#start(NOTHING)
    if (this.#plan !== '') this.#out.push({ type: 'provider-data', dialect: DIALECT, data: { tool_plan: this.#plan }, on: 'message' })
    const reason = reasonOf(raw, this.#calls.count > 0)
    this.#settle(reason === 'length' || reason === 'content-filter')
    if (raw === undefined) this.#out.push({ type: 'warning', warning: { code: 'other', message: 'The answer came without a finish reason.' } })
    this.#out.push({ type: 'finish', finishReason: reason, rawFinishReason: raw ?? null, usage: usageOf(from['usage']) })
    this.done = true
  }
  #settle(cut: boolean): void {
    if (!this.#calls.pending) return
    if (!cut) return this.#calls.completeAll(this.#out)
    this.#calls.completeWhole(this.#out)
    this.#out.push({ type: 'warning', warning: CUT_CALL })
  }
}
