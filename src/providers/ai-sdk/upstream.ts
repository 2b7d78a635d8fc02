import { GatewayError } from '../../protocol/errors.js'
import type { ChatEvent, Warning } from '../../protocol/events.js'
import { siftHeaders } from '../../protocol/sift-headers.js'
import { isObject } from '../../protocol/json.js'
import { refuseLosses } from '../../protocol/strict.js'
import type { Headers, OpenContext, Opened, Timer, Upstream } from '../../protocol/ports.js'
import type { UpstreamRequest } from '../../protocol/request.js'
import { Notes } from '../common/notes.js'
import { PartsDecoder } from './decode.js'
import { callOptions } from './encode.js'
import { faultFrom, headersOf, limitsOf, type FaultContext } from './fault.js'
import { urlsOf } from './media.js'
import type { AiSdkModel, Fields, Spoken } from './model.js'

type Doing = (options: Fields) => PromiseLike<unknown>

/** How long what follows the finish may take before the stream is cancelled. */
const DRAIN_MS = 250

interface Head {
  readonly warnings: readonly Warning[]
  readonly headers: Headers
  readonly limits: Opened['limits']
}

/** A whole answer. */
function wholeAnswer(head: Head, events: readonly ChatEvent[]): Opened {
  let left: readonly ChatEvent[] | undefined = events
  return {
    status: 200,
    ...head,
    read: () => {
      const batch = left
      left = undefined
      return Promise.resolve(batch)
    },
    close: () => (left = undefined),
  }
}

/** An answer in parts. */
class Streamed implements Opened {
  readonly status = 200
  readonly headers: Headers
  readonly warnings: readonly Warning[]
  readonly limits: Opened['limits']
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #decoder: PartsDecoder
  readonly #ctx: OpenContext
  readonly #fault: FaultContext
  #over = false

  constructor(head: Head, reader: ReadableStreamDefaultReader<unknown>, decoder: PartsDecoder, ctx: OpenContext, fault: FaultContext) {
    this.headers = head.headers
    this.warnings = head.warnings
    this.limits = head.limits
    this.#reader = reader
    this.#decoder = decoder
    this.#ctx = ctx
    this.#fault = fault
  }

  async read(): Promise<readonly ChatEvent[] | undefined> {
    while (!this.#over) {
      const events = this.#take(await this.#next())
      if (events.length > 0) return events
    }
    if (this.#decoder.done) return undefined
    throw ended(this.#ctx)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#cancel()
  }

  async #next(): Promise<ReadableStreamReadResult<unknown>> {
    try {
      return await this.#reader.read()
    } catch (error) {
      throw this.#broke(error)
    }
  }

  #take({ done, value }: ReadableStreamReadResult<unknown>): ChatEvent[] {
    if (this.#over) return []
    if (done) throw this.#broke(new GatewayError('malformed_response', 'The stream of the AI SDK model ended without a finish.', { origin: 'upstream' }))
    this.#ctx.onActivity()
    if (isObject(value) && value['type'] === 'error') throw this.#broke(value['error'])
    let events: ChatEvent[]
    try {
      events = this.#decoder.part(value)
    } catch (error) {
      throw this.#broke(error)
    }
    if (this.#decoder.done) this.#drain()
    return events
  }

  #broke(error: unknown): GatewayError {
    this.close()
    return this.#ctx.signal.aborted ? ended(this.#ctx) : faultFrom(error, { ...this.#fault, nowMs: this.#ctx.clock.now() })
  }

  /** The end is read, so that the connection below can be used again. */
  #drain(): void {
    this.#over = true
    const timer: Timer = this.#ctx.clock.after(DRAIN_MS, () => this.#cancel())
    const on = ({ done }: ReadableStreamReadResult<unknown>): unknown => (done ? timer.cancel() : this.#reader.read().then(on))
    this.#reader.read().then(on).catch(() => timer.cancel())
  }

  #cancel(): void {
    this.#reader.cancel().catch(() => undefined)
  }
}

/** What was pending at an abort ends with. */
function ended({ signal }: OpenContext): GatewayError {
  return GatewayError.is(signal.reason) ? signal.reason : new GatewayError('aborted', 'The call was aborted.', { origin: 'caller' })
}

function readerOf(stream: unknown): ReadableStreamDefaultReader<unknown> {
  if (isObject(stream) && typeof stream['getReader'] === 'function') return (stream as unknown as ReadableStream<unknown>).getReader()
  throw new GatewayError('malformed_response', 'doStream of the AI SDK model gave no stream.', { origin: 'upstream' })
}

/** The upstream that asks `model`. The SDK's retries are above `doGenerate` and `doStream`, so each is asked once. */
export function modelUpstream(model: AiSdkModel, spoken: Spoken, own: Headers): Upstream {
  const doGenerate = model.doGenerate.bind(model) as Doing
  const doStream = model.doStream.bind(model) as Doing
  return {
    async open(_op, request: UpstreamRequest, ctx): Promise<Opened> {
      const fault: FaultContext = { provider: spoken.provider, nowMs: ctx.clock.now() }
      const { kept, refused } = siftHeaders(ctx.headers ?? {})
      const notes = new Notes()
      const decoder = new PartsDecoder(spoken, request)
      const head = (response: unknown): Head => {
        const headers = headersOf(isObject(response) ? response['headers'] : undefined)
        return { warnings: [...notes.list, ...refused], headers, limits: limitsOf(headers, ctx.clock.now()) }
      }
      try {
        const urls = await urlsOf(model.supportedUrls)
        const options = callOptions(request, spoken, urls, { wire: ctx.wire, abortSignal: ctx.signal, headers: { ...own, ...kept } }, notes)
        refuseLosses(request, [...notes.list, ...refused])
        if (ctx.signal.aborted) throw ended(ctx)
        const result = await (ctx.wire === 'json' ? doGenerate(options) : doStream(options))
        const given = isObject(result) ? result : {}
        if (ctx.wire === 'json') return wholeAnswer(head(given['response']), decoder.whole(result))
        return new Streamed(head(given['response']), readerOf(given['stream']), decoder, ctx, fault)
      } catch (error) {
        throw ctx.signal.aborted ? ended(ctx) : faultFrom(error, { ...fault, nowMs: ctx.clock.now() })
      }
    },
  }
}
