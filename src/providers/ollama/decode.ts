import type { ChatEvent, FinishReason, Usage } from '../../protocol/events.js'
import { isObject, numberAt, stringAt, type Json } from '../../protocol/json.js'
import type { DecodeContext, Decoder, Frame } from '../../protocol/ports.js'
import { ToolCalls } from '../../protocol/toolcalls.js'
import { tokensOf } from '../common/logprobs.js'
import { CUT_CALL } from '../common/notes.js'
import { malformed, objectIn } from '../common/parse.js'
import { faultWithin } from './fault.js'
import { DIALECT } from './messages.js'

type Fields = Record<string, unknown>

const REASONS: ReadonlyMap<string, FinishReason> = new Map([['stop', 'stop'], ['length', 'length']])
const TIMES = ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration'] as const

function count(from: Fields, key: string): number | undefined {
  const found = numberAt(from, key)
  return found !== undefined && found >= 0 ? found : undefined
}

function usageOf(last: Fields): Usage {
  const input = count(last, 'prompt_eval_count')
  const output = count(last, 'eval_count')
  return { ...(input !== undefined && { inputTokens: input }), ...(output !== undefined && { outputTokens: output }) }
}

function isFault({ error }: Fields): boolean {
  return isObject(error) || (typeof error === 'string' && error !== '')
}

/** Turns one answer of the dialect into events; the JSON body is a stream of one frame. */
export class ChatDecoder implements Decoder {
  done = false
  readonly finishing = false
  readonly #ctx: DecodeContext
  readonly #calls: ToolCalls
  #out: ChatEvent[] = []
  #started = false

  constructor(ctx: DecodeContext) {
    this.#ctx = ctx
    // Unique as the conversation grows, and the same on both wires.
    this.#calls = new ToolCalls(index => `call_${ctx.request.messages.length}_${index}`)
  }

  json(body: unknown): ChatEvent[] {
    if (this.done) return []
    if (!isObject(body)) throw malformed('The answer is not a JSON object.')
    if (isFault(body)) throw faultWithin(body, this.#ctx.target.provider)
    if (!isObject(body['message']) && body['done'] !== true) throw malformed('The answer is JSON but has no message.')
    this.#read(body)
    this.#finish(body)
    return this.#take()
  }

  frame({ data }: Frame): ChatEvent[] {
    const text = data.trim()
    if (this.done || text === '') return []
    const found = objectIn(text)
    if (found === undefined) {
      this.#out.push({ type: 'warning', warning: { code: 'frame_skipped', message: 'A line of the stream was not a JSON object and was skipped.' } })
      return this.#take()
    }
    if (isFault(found)) throw faultWithin(found, this.#ctx.target.provider)
    this.#read(found)
    if (found['done'] === true) this.#finish(found)
    return this.#take()
  }

  end(): ChatEvent[] {
    if (this.done) return []
    throw malformed('The stream ended before its last line, the one that says done.')
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #start(from: Fields): void {
    if (this.#started) return
    this.#started = true
    const model = stringAt(from, 'model')
    this.#out.push({ type: 'start', ...(model !== undefined && { model }) })
  }

  #read(from: Fields): void {
    const { message } = from
    if (!isObject(message)) return
    this.#start(from)
    const thinking = stringAt(message, 'thinking')
    const text = stringAt(message, 'content')
    if (thinking !== undefined) this.#out.push({ type: 'reasoning-delta', text: thinking })
    if (text !== undefined) this.#out.push({ type: 'text-delta', text })
    const tokens = tokensOf(from['logprobs'])
    if (tokens.length > 0) this.#out.push({ type: 'logprobs', tokens })
    for (const call of Array.isArray(message['tool_calls']) ? (message['tool_calls'] as readonly unknown[]) : []) if (isObject(call)) this.#call(call)
  }

  #call(call: Fields): void {
    const named = call['function']
    const name = stringAt(named, 'name')
    if (name === undefined) throw malformed('The answer has a tool call without a name.')
    const written = isObject(named) ? named['arguments'] : undefined
    const key = this.#calls.count
    this.#calls.start(key, stringAt(call, 'id'), name, this.#out)
    // Old builds send text, which a length limit may have cut: that waits for the end.
    this.#calls.delta(key, typeof written === 'string' ? written : isObject(written) ? JSON.stringify(written) : '', this.#out)
    if (isObject(written)) this.#calls.complete(key, this.#out)
  }

  #finish(last: Fields): void {
    this.#start(last)
    const raw = stringAt(last, 'done_reason')
    const known = raw === undefined ? 'stop' : (REASONS.get(raw) ?? 'other')
    const cut = known === 'length' && this.#calls.pending
    if (cut) this.#calls.completeWhole(this.#out)
    else this.#calls.completeAll(this.#out)
    if (cut) this.#out.push({ type: 'warning', warning: CUT_CALL })
    const times: { [key: string]: Json } = {}
    for (const key of TIMES) {
      const found = count(last, key)
      if (found !== undefined) times[key] = found
    }
    if (Object.keys(times).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, data: times, on: 'message' })
    this.#out.push({ type: 'finish', finishReason: known === 'stop' && this.#calls.count > 0 ? 'tool-calls' : known, rawFinishReason: raw ?? null, usage: usageOf(last) })
    this.done = true
  }
}
