import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { ChatResult } from '../protocol/result.js'
import type { Reader } from '../resilience/attempt.js'
import type { Delivery } from './deliver.js'
import { toResponse, type ResponseFormat } from './response.js'

/**
 * A stream that has committed to an upstream. It can be read once: as events, as text, as a `Response`, or by `result()`,
 * which reads it to the end where nobody else does. Leaving a loop early closes the upstream's socket.
 */
export class ChatStream<Output = unknown> implements AsyncIterable<ChatEvent> {
  readonly #delivery: Delivery
  #reader: string | undefined
  #waiting: { resolve(): void; reject(error: unknown): void }[] = []
  #over: { readonly error?: unknown } | undefined

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  /** Id of the call, as in its record. */
  get id(): string {
    return this.#delivery.call.id
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent, undefined> {
    this.#take('events')
    return this.#iterate(event => event)
  }

  /**
   * The text alone. Text that was given out cannot be taken back: where `recover: 'restart'` would start over, this ends
   * with the error, and `'continue'` goes on.
   */
  get textStream(): AsyncIterable<string> {
    return {
      [Symbol.asyncIterator]: (): AsyncIterator<string, undefined> => {
        this.#take('textStream')
        this.#delivery.holdToWhatWasSaid()
        return this.#iterate(event => (event.type === 'text-delta' ? event.text : undefined))
      },
    }
  }

  /** The whole answer. Waits for the reader where there is one, reads to the end where there is none. */
  async result(): Promise<ChatResult<Output>> {
    if (this.#reader === undefined) {
      this.#take('result()')
      await this.#drain()
    } else if (this.#over === undefined) {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
    if (this.#over?.error !== undefined) throw this.#over.error
    return (await this.#delivery.result()) as ChatResult<Output>
  }

  /** Ends the stream; what was used is booked. */
  cancel(): void {
    const reason = new GatewayError('aborted', 'The stream was cancelled.', { origin: 'caller' })
    this.#delivery.cancel(reason)
    this.#finish(this.#delivery.fault)
  }

  /** The rest of the stream as a web `Response`: `events` (our events as SSE), `openai` (chunks of that dialect as SSE) or `text`. */
  toResponse(options: { readonly format: ResponseFormat } = { format: 'events' }): Response {
    const { format } = options
    const read = (): AsyncIterator<ChatEvent, undefined> => {
      this.#take('toResponse()')
      if (format !== 'events') this.#delivery.holdToWhatWasSaid()
      return this.#iterate(event => event)
    }
    return toResponse(read, this.id, format)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel()
    return Promise.resolve()
  }

  #take(reader: string): void {
    if (this.#reader !== undefined) {
      throw new GatewayError('invalid_request', `This stream is being read by ${this.#reader}; ${reader} cannot read it too. Read it once and keep what you need.`)
    }
    this.#reader = reader
  }

  #iterate<T>(pick: (event: ChatEvent) => T | undefined): AsyncIterator<T, undefined> {
    return new Events(this.#delivery, pick, error => this.#finish(error))
  }

  async #drain(): Promise<void> {
    try {
      while ((await this.#delivery.pull()) !== undefined);
      this.#finish()
    } catch (error) {
      this.#finish(error)
    }
  }

  #finish(error?: unknown): void {
    if (this.#over !== undefined) return
    this.#over = error === undefined ? {} : { error }
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve()
      else reject(error)
    }
    this.#waiting = []
  }
}

/** One reader's way through a stream. A class: the engine forgets the fast code of functions that live and die with each stream. */
class Events<T> implements AsyncIterator<T, undefined> {
  readonly #delivery: Delivery
  readonly #pick: (event: ChatEvent) => T | undefined
  readonly #finish: (error?: unknown) => void
  #batch: readonly ChatEvent[] = []
  #at = 0
  #resolve: ((result: IteratorResult<T, undefined>) => void) | undefined
  #reject: ((error: unknown) => void) | undefined
  readonly #onRead: Reader = (batch, fault) => this.#read(batch, fault)

  constructor(delivery: Delivery, pick: (event: ChatEvent) => T | undefined, finish: (error?: unknown) => void) {
    this.#delivery = delivery
    this.#pick = pick
    this.#finish = finish
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#next()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#delivery.read(this.#onRead)
    })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = []
    this.#delivery.cancel()
    this.#finish(this.#delivery.fault)
    return Promise.resolve({ done: true, value: undefined })
  }

  /** What is left of the batch that came last. */
  #next(): T | undefined {
    while (this.#at < this.#batch.length) {
      const event = this.#batch[this.#at++]
      const value = event === undefined ? undefined : this.#pick(event)
      if (value !== undefined) return value
    }
    return undefined
  }

  #read(batch: readonly ChatEvent[] | undefined, fault: GatewayError | undefined): void {
    if (fault !== undefined) {
      this.#finish(fault)
      return this.#reject?.(fault)
    }
    if (batch === undefined) {
      this.#finish()
      return this.#resolve?.({ done: true, value: undefined })
    }
    this.#batch = batch
    this.#at = 0
    const value = this.#next()
    if (value === undefined) this.#delivery.read(this.#onRead)
    else this.#resolve?.({ done: false, value })
  }
}
