import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent, Usage } from '../../protocol/events.js'
import { isObject, stringAt, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { malformed, objectIn } from '../common/parse.js'
import { CallFragments } from './calls.js'
import { citationEvent, filtered, imageEvent, joinBase64, logprobsOf, partEvent, sourceEvents } from './content.js'
import { ReasoningDetails, textOf } from './details.js'
import { echoOf, type Echo } from './echo.js'
import { faultInside, isError } from './fault.js'
import { faultOfFinish, finishReason } from './finish.js'
import { namesOf } from './names.js'
import type { Quirks } from './quirks.js'
import { usageOf } from './usage.js'

type Body = Record<string, unknown>

const REASONING_FIELDS = ['reasoning_content', 'reasoning', 'reasoning_text'] as const
const MAX_SKIPPED = 10

const NONE: readonly unknown[] = Object.freeze([])

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE
}

// One answer per call: the first, by its index where it has one.
function firstChoice(body: Body): Body | undefined {
  const choices = list(body['choices'])
  const [first] = choices
  if (isObject(first) && (first['index'] ?? 0) === 0) return first
  return choices.find((choice): choice is Body => isObject(choice) && (choice['index'] ?? 0) === 0)
}

/** Reads both wires of the dialect through one state machine. */
export class ChatDecoder implements Decoder {
  done = false
  readonly #quirks: Quirks
  readonly #context: DecodeContext
  #calls: CallFragments | undefined
  readonly #details = new ReasoningDetails()
  #id: string | undefined
  #model: string | undefined
  #started = false
  #wrote = false
  #raw: string | undefined
  #usage: Usage | undefined
  #sources: ChatEvent[] = []
  #audio: { pieces: string[]; about: { [key: string]: Json } } | undefined
  #skipped = 0
  /** Read last. Kept with the decoder, see `pipeline/keepsake.ts`. */
  last: Body | undefined
  #strange = false
  readonly #echo: Echo | undefined
  #served: { [key: string]: Json } | undefined

  constructor(context: DecodeContext, quirks: Quirks) {
    this.#context = context
    this.#quirks = quirks
    this.#echo = quirks.echo === true ? echoOf(context.request) : undefined
  }

  get finishing(): boolean {
    return this.#raw !== undefined
  }

  json(body: unknown): ChatEvent[] {
    const out: ChatEvent[] = []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    this.last = body
    if (isError(body)) throw faultInside(body, this.#quirks)
    const choice = firstChoice(body)
    if (choice === undefined) {
      if (!('choices' in body) && ['detail', 'message', 'code'].some(key => key in body)) throw faultInside(body, this.#quirks)
      throw malformed('The answer is JSON but not a completion: it has no choice.')
    }
    const message = isObject(choice['message']) ? choice['message'] : choice['delta']
    if (!isObject(message) && stringAt(choice, 'finish_reason') === undefined) throw malformed('The answer is JSON but not a completion: its choice is empty.')
    this.#read(body, choice, isObject(message) ? message : undefined, true, out)
    return this.#finish(out)
  }

  frame({ event, data }: Frame): ChatEvent[] {
    if (this.done) return []
    const text = data.trim()
    if (text === '') return []
    const out: ChatEvent[] = []
    if (text === '[DONE]') return this.#finish(out)
    const chunk = objectIn(text)
    if (event === 'error') throw faultInside(chunk ?? text, this.#quirks)
    if (chunk === undefined) return this.#skip(out)
    if (isError(chunk)) throw faultInside(chunk, this.#quirks)
    this.last = chunk
    const choice = firstChoice(chunk)
    this.#read(chunk, choice, this.#delta(choice), false, out)
    return out
  }

  end(): ChatEvent[] {
    if (this.done) return []
    if (this.#raw === undefined) throw malformed('The stream ended before its answer did: no finish reason and no [DONE].')
    const out: ChatEvent[] = []
    if (this.#usage === undefined) out.push({ type: 'warning', warning: { code: 'missing_terminal', message: 'The stream ended after its finish reason without [DONE] and without usage.' } })
    return this.#finish(out)
  }

  #skip(out: ChatEvent[]): ChatEvent[] {
    if (this.#calls?.pending === true) throw malformed('A frame inside a tool call is not JSON.')
    if (this.#skipped++ < MAX_SKIPPED) out.push({ type: 'warning', warning: { code: 'frame_skipped', message: 'A frame of the stream is not JSON and was skipped.' } })
    return out
  }

  // A message beside a delta repeats what came before; alone and first, it is the answer.
  #delta(choice: Body | undefined): Body | undefined {
    if (isObject(choice?.['delta'])) return choice['delta']
    return !this.#wrote && isObject(choice?.['message']) ? choice['message'] : undefined
  }

  #read(body: Body, choice: Body | undefined, message: Body | undefined, whole: boolean, out: ChatEvent[]): void {
    const usage = usageOf(body, choice, this.#quirks)
    if (usage !== undefined) this.#usage = this.#usage === undefined ? usage : { ...this.#usage, ...usage }
    if (body['search_results'] !== undefined || body['citations'] !== undefined) this.#sources = sourceEvents(body)
    if (choice !== undefined) this.#begin(body, out)
    if (this.#quirks.router === true) this.#route(body, choice)
    this.#filters('prompt_filter_results', body, out)
    if (choice === undefined) return
    if (message !== undefined) this.#message(message, whole, out)
    if (choice['logprobs'] !== null && choice['logprobs'] !== undefined) {
      const tokens = logprobsOf(choice['logprobs'])
      if (tokens.length > 0) out.push({ type: 'logprobs', tokens })
    }
    this.#filters('content_filter_results', choice, out)
    const raw = stringAt(choice, 'finish_reason')
    if (raw !== undefined) this.#reason(raw)
  }

  #begin(body: Body, out: ChatEvent[]): void {
    if (this.#started) return
    this.#id ??= stringAt(body, 'id')
    this.#model ??= stringAt(body, 'model')
    if (this.#id !== undefined && this.#model !== undefined) this.#start(out)
  }

  #start(out: ChatEvent[]): void {
    if (this.#started) return
    this.#started = true
    const start: { type: 'start'; id?: string; model?: string } = { type: 'start' }
    if (this.#id !== undefined) start.id = this.#id
    if (this.#model !== undefined) start.model = this.#model
    out.push(start)
  }

  #route(body: Body, choice: Body | undefined): void {
    const provider = stringAt(body, 'provider')
    const native = stringAt(choice, 'native_finish_reason')
    if (provider !== undefined) (this.#served ??= {})['provider'] ??= provider
    if (native !== undefined) (this.#served ??= {})['native_finish_reason'] ??= native
  }

  #filters(key: string, from: Body, out: ChatEvent[]): void {
    const results = from[key]
    if (results !== undefined && results !== null && filtered(results)) out.push({ type: 'provider-data', dialect: 'openai', on: 'message', data: { [key]: results as Json } })
  }

  #reason(raw: string): void {
    const code = faultOfFinish(raw)
    if (code !== undefined) throw new GatewayError(code, 'The upstream broke its answer off with an error. Try again or add a fallback deployment.', { origin: 'upstream', status: this.#context.status, upstream: { code: raw } })
    this.#raw ??= raw
  }

  #message(message: Body, whole: boolean, out: ChatEvent[]): void {
    this.#reasoning(message, whole, out)
    this.#content(message['content'], out)
    for (const annotation of list(message['annotations'])) this.#push(citationEvent(annotation), out)
    const refusal = stringAt(message, 'refusal')
    if (refusal !== undefined) this.#push({ type: 'refusal-delta', text: refusal }, out)
    for (const image of list(message['images'])) this.#push(imageEvent(image), out)
    if (isObject(message['audio'])) this.#sound(message['audio'])
    const calls = list(message['tool_calls'])
    for (let at = 0; at < calls.length; at++) {
      const call = calls[at]
      if (isObject(call)) this.#call(call, at, out)
    }
    // The field that tool_calls replaced; some servers send it empty beside them.
    const legacy = message['function_call']
    if (calls.length === 0 && isObject(legacy) && (stringAt(legacy, 'name') ?? stringAt(legacy, 'arguments')) !== undefined) this.#call({ index: -1, function: legacy }, 0, out)
  }

  #push(event: ChatEvent | undefined, out: ChatEvent[]): void {
    if (event === undefined) return
    this.#start(out)
    this.#wrote = true
    if (event.type !== 'reasoning-delta') this.#seal(out)
    out.push(event)
  }

  // What belongs to the reasoning must reach it before the next part begins.
  #seal(out: ChatEvent[]): void {
    if (!this.#details.empty) out.push({ type: 'provider-data', dialect: 'openai', on: 'reasoning', data: { reasoning_details: this.#details.take() } })
  }

  #reasoning(message: Body, whole: boolean, out: ChatEvent[]): void {
    let text: string | undefined
    for (const field of this.#quirks.reasoningFields ?? REASONING_FIELDS) text ??= stringAt(message, field)
    const details = list(message['reasoning_details'])
    text ??= details.length > 0 ? textOf(details) : ''
    if (text !== '') this.#push({ type: 'reasoning-delta', text }, out)
    if (details.length > 0) this.#details.add(details, whole)
  }

  #content(content: unknown, out: ChatEvent[]): void {
    if (typeof content === 'string') {
      this.#say(content, out)
      return
    }
    for (const part of list(content)) {
      const event = partEvent(part)
      if (event === undefined) this.#unknown(out)
      else if (event === 'empty') continue
      else if (event.type === 'text-delta') this.#say(event.text, out)
      else this.#push(event, out)
    }
  }

  #say(text: string, out: ChatEvent[]): void {
    const fresh = this.#echo === undefined ? text : this.#echo.take(text)
    if (fresh !== '') this.#push({ type: 'text-delta', text: fresh }, out)
  }

  #unknown(out: ChatEvent[]): void {
    if (this.#strange) return
    this.#strange = true
    out.push({ type: 'warning', warning: { code: 'dropped', message: 'The answer has content of a kind this library does not know; it was left out.' } })
  }

  #release(out: ChatEvent[]): void {
    const held = this.#echo?.end() ?? ''
    if (held !== '') this.#push({ type: 'text-delta', text: held }, out)
  }

  #call(call: Body, at: number, out: ChatEvent[]): void {
    this.#start(out)
    this.#release(out)
    this.#wrote = true
    this.#seal(out)
    // Unique as the conversation grows, and the same on both wires.
    this.#calls ??= new CallFragments(index => `call_${this.#context.request.messages.length}_${index}`, namesOf(this.#context.request).original)
    this.#calls.add(call, at, out)
  }

  #sound(audio: Body): void {
    const kept = (this.#audio ??= { pieces: [], about: {} })
    const data = stringAt(audio, 'data')
    if (data !== undefined) kept.pieces.push(data)
    const transcript = stringAt(audio, 'transcript')
    const before = kept.about['transcript']
    if (transcript !== undefined) kept.about['transcript'] = (typeof before === 'string' ? before : '') + transcript
    const id = stringAt(audio, 'id')
    if (id !== undefined) kept.about['id'] = id
  }

  #flushSound(out: ChatEvent[]): void {
    if (this.#audio === undefined || this.#audio.pieces.length === 0) return
    const asked = this.#context.request.providerOptions?.['openai']?.['audio']
    const format = stringAt(asked, 'format') ?? 'mp3'
    this.#push({ type: 'file', mediaType: format === 'pcm16' ? 'audio/pcm' : `audio/${format}`, data: joinBase64(this.#audio.pieces) }, out)
    out.push({ type: 'provider-data', dialect: 'openai', on: 'message', data: { audio: this.#audio.about } })
  }

  #finish(out: ChatEvent[]): ChatEvent[] {
    this.#start(out)
    this.#release(out)
    this.#seal(out)
    for (const source of this.#sources) this.#push(source, out)
    this.#flushSound(out)
    const reason = finishReason(this.#raw, (this.#calls?.count ?? 0) > 0, this.#quirks)
    this.#calls?.complete(reason === 'length' || reason === 'content-filter', out)
    this.done = true
    if (this.#served !== undefined) out.push({ type: 'provider-data', dialect: 'openai', on: 'message', data: this.#served })
    out.push({ type: 'finish', finishReason: reason, rawFinishReason: this.#raw ?? null, usage: this.#usage ?? {} })
    return out
  }
}
