import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent } from '../../protocol/events.js'
import { isObject, numberAt, parseJson, stringAt, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { isError } from '../openai/fault.js'
import type { Quirks } from '../openai/quirks.js'
import { filtered } from '../openai/content.js'
import { errorIn, faultOfBody, faultWithin } from './fault.js'
import { finishReason } from './finish.js'
import { list, type Fields, type Key, type Kind } from './items.js'
import { usageOf } from './usage.js'
import { DIALECT, ItemWriter } from './writer.js'

const MAX_SKIPPED = 10

function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

/** Deltas, and the events that say the same text once more as a whole. */
const TEXTS: ReadonlyMap<string, readonly [Kind, 'content_index' | 'summary_index', string | undefined]> = new Map([
  ['response.output_text.delta', ['text', 'content_index', undefined]],
  ['response.output_text.done', ['text', 'content_index', 'text']],
  ['response.refusal.delta', ['refusal', 'content_index', undefined]],
  ['response.refusal.done', ['refusal', 'content_index', 'refusal']],
  ['response.reasoning_text.delta', ['reasoning', 'content_index', undefined]],
  ['response.reasoning_text.done', ['reasoning', 'content_index', 'text']],
  ['response.reasoning_summary_text.delta', ['summary', 'summary_index', undefined]],
  ['response.reasoning_summary_text.done', ['summary', 'summary_index', 'text']],
])
/** Of calls: the kind of item, and the field that holds a piece or the whole. */
const CALLS: ReadonlyMap<string, readonly [string, 'delta' | 'arguments' | 'input']> = new Map([
  ['response.function_call_arguments.delta', ['function_call', 'delta']],
  ['response.function_call_arguments.done', ['function_call', 'arguments']],
  ['response.custom_tool_call_input.delta', ['custom_tool_call', 'delta']],
  ['response.custom_tool_call_input.done', ['custom_tool_call', 'input']],
])
const ENDINGS: ReadonlyMap<string, string> = new Map([['response.completed', 'completed'], ['response.incomplete', 'incomplete'], ['response.failed', 'failed'], ['response.cancelled', 'cancelled']])

/** Reads both wires of the dialect; a JSON body is read as items that come whole. */
export class ResponsesDecoder implements Decoder {
  done = false
  readonly #quirks: Quirks
  readonly #writer: ItemWriter
  #out: ChatEvent[] = []
  #started = false
  #skipped = 0
  /** An `error` event; a failed response behind it says more. */
  #error: Fields | undefined

  constructor(context: DecodeContext, quirks: Quirks) {
    this.#quirks = quirks
    this.#writer = new ItemWriter(context, this.#put)
  }

  get finishing(): boolean {
    return this.#error !== undefined
  }

  json(body: unknown): ChatEvent[] {
    if (this.done) return []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    if (isError(body)) throw faultOfBody(body, this.#quirks)
    if (!Array.isArray(body['output']) && body['object'] !== 'response') {
      if (['detail', 'message', 'code'].some(key => key in body)) throw faultOfBody(body, this.#quirks)
      throw malformed('The answer is JSON but not a response: it has no output.')
    }
    this.#finish(body, undefined)
    return this.#take()
  }

  frame({ event, data }: Frame): ChatEvent[] {
    const text = data.trim()
    if (this.done || text === '' || text === '[DONE]') return []
    const parsed = this.#parse(text)
    const type = stringAt(parsed, 'type') ?? event
    if (this.#error !== undefined && type !== 'response.failed') throw faultWithin(this.#error, this.#quirks)
    if (parsed !== undefined) this.#event(type ?? '', parsed)
    else if (type === 'error') throw faultWithin({ message: text.slice(0, 500) }, this.#quirks)
    else this.#skip()
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.done) return []
    if (this.#error !== undefined) throw faultWithin(this.#error, this.#quirks)
    throw malformed('The stream ended before its response did.')
  }

  readonly #put = (event: ChatEvent): void => {
    if (!this.#started) this.#begin({})
    this.#out.push(event)
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #parse(text: string): Fields | undefined {
    try {
      const parsed = parseJson(text)
      return isObject(parsed) ? parsed : undefined
    } catch (error) {
      if (GatewayError.is(error)) throw error
      return undefined
    }
  }

  #skip(): void {
    if (this.#writer.pending) throw malformed('A frame inside a tool call is not a JSON object.')
    if (this.#skipped++ < MAX_SKIPPED) this.#out.push({ type: 'warning', warning: { code: 'frame_skipped', message: 'A frame of the stream is not a JSON object and was skipped.' } })
  }

  #event(type: string, data: Fields): void {
    const text = TEXTS.get(type)
    if (text !== undefined) return this.#text(text, data)
    const call = CALLS.get(type)
    if (call !== undefined) return this.#call(call, data)
    const ending = ENDINGS.get(type)
    if (ending !== undefined) return this.#ending(data, ending)
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.#begin(isObject(data['response']) ? data['response'] : {})
      case 'response.output_item.added':
        return this.#writer.open(keyOf(data), data['item'])
      case 'response.output_item.done':
        return this.#writer.close(keyOf(data), data['item'])
      case 'response.output_text.annotation.added':
        return this.#writer.cite(keyOf(data), numberAt(data, 'content_index') ?? 0, data['annotation'])
      case 'error':
        this.#error = errorIn(data)
        return
      default:
        if (!type.startsWith('response.') && isError(data)) throw faultOfBody(data, this.#quirks)
    }
  }

  #call([type, field]: readonly [string, string], data: Fields): void {
    if (field === 'delta') this.#writer.write(keyOf(data), type, stringAt(data, field) ?? '')
    else this.#writer.written(keyOf(data), type, data[field])
  }

  #text([kind, counter, whole]: readonly [Kind, string, string | undefined], data: Fields): void {
    const key = keyOf(data)
    const index = numberAt(data, counter) ?? 0
    if (whole === undefined) this.#writer.say(key, kind, index, stringAt(data, 'delta') ?? '')
    else this.#writer.said(key, kind, index, data[whole])
    if (kind === 'text') this.#writer.logprobs(key, index, data['logprobs'], whole !== undefined)
  }

  #begin(response: Fields): void {
    if (this.#started) return
    this.#started = true
    const id = stringAt(response, 'id')
    const model = stringAt(response, 'model')
    this.#out.push({ type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) })
  }

  #ending(data: Fields, status: string): void {
    const response = isObject(data['response']) ? data['response'] : {}
    if (status !== 'failed') return this.#finish(response, status)
    const failure = isObject(response['error']) ? response['error'] : isObject(data['error']) ? data['error'] : {}
    throw faultWithin({ ...this.#error, ...failure }, this.#quirks)
  }

  #finish(response: Fields, ending: string | undefined): void {
    this.#begin(response)
    const status = stringAt(response, 'status') ?? ending
    if (status === 'failed') throw faultWithin(isObject(response['error']) ? response['error'] : {}, this.#quirks)
    this.#writer.settle(list(response['output']))
    const reason = finishReason(status, response, { calls: this.#writer.calls > 0, waiting: this.#writer.waiting })
    this.#writer.complete(reason === 'length' || reason === 'content-filter')
    this.#about(response)
    if (status === 'queued' || status === 'in_progress') this.#out.push({ type: 'warning', warning: { code: 'other', message: 'The provider only began to work on the answer; this library does not ask for it again.' } })
    this.done = true
    this.#out.push({ type: 'finish', finishReason: reason, rawFinishReason: status ?? null, usage: usageOf(response) })
  }

  #about({ incomplete_details: details, content_filters: filters }: Fields): void {
    const about: Record<string, Json> = {}
    if (isObject(details)) about['incomplete_details'] = details as Json
    if (filtered(filters)) about['content_filters'] = filters as Json
    if (Object.keys(about).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, on: 'message', data: about })
  }
}

function keyOf(data: Fields): Key {
  return numberAt(data, 'output_index') ?? stringAt(data, 'item_id') ?? stringAt(data['item'], 'id') ?? 0
}
