import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent, FinishReason } from '../../protocol/events.js'
import { isObject, stringAt, type Json } from '../../protocol/json.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { logprobsOf } from '../openai/content.js'
import { Blocks, type Kind } from './blocks.js'
import { Calls } from './calls.js'
import { DIALECT, jsonOf, mergeVendors, type Fields, type Spoken } from './model.js'
import { fileData, malformed, opaqueBlock, sourcesAfter } from './parts.js'
import { endingOf, usageOf, warningOf } from './usage.js'

// What an answer may hold in all, in characters; each part counts for some, so that empty ones end too.
const MOST_CHARS = 256 * 1024 * 1024
const PART_CHARS = 64
const MOST_WARNINGS = 100

/** Turns the parts of one answer into events, whether they come in a stream or all at once. */
export class PartsDecoder {
  readonly #spoken: Spoken
  readonly #request: UpstreamRequest
  readonly #blocks = new Blocks()
  readonly #calls = new Calls()
  #chars = 0
  #started = false
  #done = false
  #out: ChatEvent[] = []

  constructor(spoken: Spoken, request: UpstreamRequest) {
    this.#spoken = spoken
    this.#request = request
  }

  get done(): boolean {
    return this.#done
  }

  /** What `doGenerate` gave. Throws `malformed_response` or the fault it is about. */
  whole(result: unknown): ChatEvent[] {
    if (!isObject(result) || !Array.isArray(result['content'])) throw malformed('doGenerate of the AI SDK model gave no content.')
    this.#warn(result['warnings'])
    this.#start(result['response'])
    const parts: readonly unknown[] = result['content']
    const only = this.#request.output === undefined ? undefined : result['structuredOutputText']
    if (typeof only === 'string') this.#written('text', { text: only }, [])
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at]
      const type = stringAt(part, 'type')
      if (!isObject(part) || (type === 'text' && typeof only === 'string')) continue
      const sources = type === 'text' ? sourcesAfter(parts, at) : []
      if (type === 'text' || type === 'reasoning') this.#written(type, part, sources)
      else this.#part(type, part)
      at += sources.length
    }
    this.#finish(result, false)
    return this.#take()
  }

  /** The next part of a stream. */
  part(part: unknown): ChatEvent[] {
    if (this.#done) return []
    if (!isObject(part)) throw malformed('A part of the stream is not an object.')
    this.#spend(PART_CHARS)
    const type = stringAt(part, 'type')
    if (type === 'finish') this.#finish(part, true)
    else this.#part(type, part)
    return this.#take()
  }

  #take(): ChatEvent[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #spend(chars: number): void {
    this.#chars += chars
    if (this.#chars > MOST_CHARS) throw malformed('The answer of the AI SDK model is larger than any answer may be.')
  }

  #text(value: unknown): string {
    if (typeof value !== 'string') return ''
    this.#spend(value.length)
    return value
  }

  #part(type: string | undefined, part: Fields): void {
    const out = this.#out
    switch (type) {
      case 'stream-start':
        return this.#warn(part['warnings'])
      case 'response-metadata':
        return this.#start(part)
      case 'text-start':
        return this.#begin('text', part)
      case 'reasoning-start':
        return this.#begin('reasoning', part)
      case 'text-delta':
        return this.#delta('text', part)
      case 'reasoning-delta':
        return this.#delta('reasoning', part)
      case 'text-end':
      case 'reasoning-end':
        return this.#end(part)
      case 'tool-input-start':
        this.#news()
        this.#blocks.leave()
        return this.#calls.begin(part, out)
      case 'tool-input-delta':
        return this.#calls.delta(part, this.#text(part['delta']), out)
      case 'tool-call':
        return this.#call(part)
      default:
        this.#other(type, part)
    }
  }

  #other(type: string | undefined, part: Fields): void {
    switch (type) {
      case 'source':
        return this.#cite(part)
      case 'file':
        return this.#file(part)
      case 'tool-result':
      case 'reasoning-file':
      case 'custom':
        return part['preliminary'] === true ? undefined : this.#keep(opaqueBlock(type, part), part)
      case 'tool-approval-request':
        return this.#note('unsupported', 'The provider asks for leave to run a tool of its own, which cannot be given here.')
      case 'tool-input-end':
      case 'ping':
      case 'raw':
        return
      default:
        this.#note('frame_skipped', `A part of the answer is of a kind not known here and was left out: ${JSON.stringify((type ?? 'none').slice(0, 40))}.`)
    }
  }

  #note(code: 'unsupported' | 'dropped' | 'frame_skipped', message: string): void {
    this.#out.push({ type: 'warning', warning: { code, message } })
  }

  #warn(warnings: unknown): void {
    for (const warning of Array.isArray(warnings) ? warnings.slice(0, MOST_WARNINGS) : []) this.#out.push({ type: 'warning', warning: warningOf(warning) })
  }

  #start(response?: unknown): void {
    if (this.#started) return
    const id = stringAt(response, 'id')
    const model = stringAt(response, 'modelId')
    this.#started = true
    this.#out.push({ type: 'start', ...(id !== undefined && { id }), ...(model !== undefined && { model }) })
  }

  /** Something begins: the answer has started, and the call before was not cut. */
  #news(): void {
    this.#start()
    this.#calls.settle(this.#out)
  }

  /** A block that came whole. */
  #written(kind: Kind, { text, citations, providerMetadata }: Fields, sources: readonly Fields[]): void {
    this.#begin(kind, { providerMetadata })
    this.#delta(kind, { delta: text })
    for (const source of sources) this.#cite(source)
    this.#end({ citations })
  }

  #begin(kind: Kind, part: Fields): void {
    this.#news()
    this.#blocks.begin(kind, part, this.#out)
  }

  #delta(kind: Kind, part: Fields): void {
    this.#start()
    this.#blocks.delta(kind, part, this.#text(part['delta']), this.#out)
  }

  #end(part: Fields): void {
    const { citations } = part
    for (const citation of Array.isArray(citations) ? (citations as readonly unknown[]) : []) if (isObject(citation)) this.#cite(citation['source'], stringAt(citation, 'citedText'))
    this.#blocks.end(part, this.#out)
  }

  #cite(source: unknown, text?: string): void {
    if (!isObject(source)) return
    const url = stringAt(source, 'url')
    const title = stringAt(source, 'title') ?? stringAt(source, 'filename')
    const data = jsonOf(source)
    this.#start()
    this.#out.push({ type: 'citation', ...(url !== undefined && { url }), ...(title !== undefined && { title }), ...(text !== undefined && { text }), ...(data !== undefined && { data }) })
    this.#blocks.leave('text')
  }

  #file(part: Fields): void {
    const data = fileData(part['data'])
    this.#news()
    this.#spend(data.length)
    this.#out.push({ type: 'file', mediaType: stringAt(part, 'mediaType') ?? 'application/octet-stream', data })
    this.#blocks.leave()
    if (part['providerMetadata'] !== undefined) this.#note('dropped', 'What the provider said of a file beside its data was left out.')
  }

  #call(part: Fields): void {
    this.#news()
    if (typeof part['input'] === 'string') this.#spend(part['input'].length)
    const executed = this.#calls.take(part, this.#out)
    if (executed === undefined) this.#blocks.leave()
    else this.#keep(executed, part)
  }

  /** A part that only its provider understands is kept to be sent back. */
  #keep(block: Fields | undefined, part: Fields): void {
    const options = mergeVendors(part['providerMetadata'])
    const kept = jsonOf({ ...block, ...(Object.keys(options).length > 0 && { providerOptions: options }) })
    this.#news()
    if (kept === undefined) return this.#note('dropped', 'A part of the answer is not JSON and was left out.')
    this.#blocks.seal('text', this.#out)
    this.#blocks.attach('text', { block: kept }, this.#out)
  }

  #finish(part: Fields, streamed: boolean): void {
    const metadata = part['providerMetadata']
    const usage = usageOf(part['usage'], metadata, this.#spoken.version)
    const { reason, raw, broken, cut } = endingOf(part['finishReason'], usage, { version: this.#spoken.version, streamed })
    if (broken) throw new GatewayError('upstream_error', 'The AI SDK model stopped because of an error it does not name. Try again or add a fallback deployment.', { origin: 'upstream' })
    if (cut) throw malformed('The answer of the AI SDK model ended without a finish reason: it was cut.')
    if (reason !== 'length' && reason !== 'content-filter') {
      if (this.#calls.half) throw malformed('The answer of the AI SDK model ended inside a tool call.')
      this.#calls.settle(this.#out)
    }
    this.#start()
    this.#blocks.endAll(this.#out)
    this.#aside(metadata)
    this.#out.push({ type: 'finish', finishReason: this.#reason(reason), rawFinishReason: raw, usage })
    this.#done = true
  }

  /** What is said of the answer as a whole. */
  #aside(metadata: unknown): void {
    const openai = isObject(metadata) ? metadata['openai'] : undefined
    const tokens = logprobsOf({ content: isObject(openai) && Array.isArray(openai['logprobs']) ? openai['logprobs'].flat(1) : [] })
    if (tokens.length > 0) this.#out.push({ type: 'logprobs', tokens })
    const kept = jsonOf(metadata)
    if (isObject(kept) && Object.keys(kept).length > 0) this.#out.push({ type: 'provider-data', dialect: DIALECT, data: kept as Json, on: 'message' })
  }

  #reason(reason: FinishReason): FinishReason {
    const calls = this.#calls.count > 0
    if (reason === 'stop' && calls) return 'tool-calls'
    return reason === 'tool-calls' && !calls ? 'other' : reason
  }
}
